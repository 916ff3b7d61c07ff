import { Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { Prisma, PrismaClient } from '../../generated/prisma/client.js';
import { databaseMetrics } from '../metrics/database.metrics.js';
import { runAfterCommit } from './after-commit.js';
import { mayBeCommitted, readDatabaseError } from './database-error.js';
import { fastTypes } from './pool.js';
import { scopeToStore } from './store-scope.js';

export type ScopedClient = ReturnType<typeof scopeToStore>;
/** The client of a running transaction: the only one to use inside it, one query at a time. */
export type Transaction = Omit<ScopedClient, '$connect' | '$disconnect' | '$transaction' | '$on' | '$extends'>;

const MAX_ATTEMPTS = 3;
/** Statements prepared by name: each costs memory on every connection, so there is an end to them. */
const MAX_PREPARED = 300;

@Injectable()
export class Database {
  /** Ordinary reads and writes. Every model query is bound to the store of the request. */
  readonly prisma: ScopedClient;
  private readonly prepared = new Map<string, string>();

  constructor(
    readonly pool: pg.Pool,
    client: PrismaClient,
    private readonly timeouts: { transactionMs: number; acquireMs: number },
  ) {
    this.prisma = scopeToStore(client);
  }

  /**
   * Runs one statement that is a whole use case (5.3), prepared, on one connection, in a transaction of its own; again when
   * the database gave it up, as transaction() does. `plan: 'anew'` prepares nothing: for one whose plan must follow the size of
   * its tables at once, which a prepared one does when they are analyzed.
   */
  async query<Row extends pg.QueryResultRow>(sql: Prisma.Sql, plan: 'prepared' | 'anew' = 'prepared'): Promise<Row[]> {
    const name = plan === 'prepared' ? this.nameOf(sql.text) : undefined;
    return retrying(() => this.onConnection((client) => runStatement<Row>(client, sql, name)));
  }

  /**
   * As query(), and then another over the same connection: who has won a race of hundreds must not queue behind them for the
   * answer. The first is committed by then, and must bear being repeated. `next` may refuse by throwing.
   */
  async queryThen<First extends pg.QueryResultRow, Row extends pg.QueryResultRow>(
    first: Prisma.Sql,
    next: (rows: First[]) => Prisma.Sql,
  ): Promise<Row[]> {
    return retrying(() =>
      this.onConnection(async (client) => {
        const rows = await runStatement<First>(client, first, this.nameOf(first.text));
        const second = next(rows);
        return runStatement<Row>(client, second, this.nameOf(second.text));
      }),
    );
  }

  /**
   * Runs the whole function in one transaction, and again (≤ 3 attempts, jittered) when the database gave it up for a
   * serialization failure or a deadlock. Locks not available are never retried here.
   * @param isolationLevel RepeatableRead: all statements see the same moment
   */
  async transaction<T>(run: (tx: Transaction) => Promise<T>, isolationLevel?: 'RepeatableRead'): Promise<T> {
    const { transactionMs: timeout, acquireMs: maxWait } = this.timeouts;
    return retrying(async () => {
      let transaction: Transaction | undefined;
      const options = { timeout, maxWait, ...(isolationLevel && { isolationLevel }) };
      try {
        const result = await this.prisma.$transaction((tx) => run((transaction = tx)), options);
        if (transaction) runAfterCommit(transaction);
        return result;
      } catch (error) {
        if (transaction && mayBeCommitted(error)) runAfterCommit(transaction);
        throw error;
      }
    });
  }

  /** A statement that fails leaves its connection in the pool: conflicts are ordinary on these paths. */
  private async onConnection<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.pool.connect();
    let broken: boolean | undefined;
    try {
      return await work(client);
    } catch (error) {
      broken = isBroken(error);
      throw error;
    } finally {
      client.release(broken);
    }
  }

  private nameOf(text: string): string | undefined {
    const known = this.prepared.get(text);
    if (known) return known;
    if (this.prepared.size >= MAX_PREPARED) return undefined;
    const name = `larder_${this.prepared.size}`;
    this.prepared.set(text, name);
    return name;
  }
}

async function runStatement<Row extends pg.QueryResultRow>(
  client: pg.PoolClient,
  sql: Prisma.Sql,
  name: string | undefined,
): Promise<Row[]> {
  const result = await client.query<Row>({ name, text: sql.text, values: sql.values, types: fastTypes });
  return result.rows;
}

async function retrying<T>(run: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run();
    } catch (error) {
      const info = readDatabaseError(error);
      if (info?.failure !== 'SERIALIZATION' || attempt === MAX_ATTEMPTS) throw error;
      databaseMetrics.transactionRetries.inc({ sqlstate: info.sqlState ?? 'unknown' });
      await sleep(10 * attempt + Math.random() * 20 * attempt);
    }
  }
}

function isBroken(error: unknown): boolean {
  return readDatabaseError(error)?.failure === 'UNREACHABLE';
}
