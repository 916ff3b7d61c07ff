import { Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { LarderConfig } from '../../config/config.js';
import { Database } from '../../platform/prisma/database.js';

/** Also when the server is frozen and answers nothing at all. */
const LIMIT_MS = 800;
/** Past the pool's observer: probes are none of the application's statements, and would distort its figures. */
const unobserved = pg.Client.prototype as unknown as { query(this: pg.ClientBase, query: object): Promise<unknown> };
const QUESTION = { text: 'SELECT 1', query_timeout: LIMIT_MS };

/**
 * Asks whether the database answers. Over a connection of the pool, as requests do, as long as one is to be had; when the
 * pool is exhausted over one of its own: much to do is no reason to take an instance out of service.
 */
@Injectable()
export class DatabaseProbe {
  private asking?: Promise<void>;

  constructor(
    private readonly database: Database,
    private readonly config: LarderConfig,
  ) {}

  /** Rejects after LIMIT_MS at the latest. However many ask at once, the database is asked once. */
  ask(): Promise<void> {
    this.asking ??= this.askOnce().finally(() => (this.asking = undefined));
    return this.asking;
  }

  private askOnce(): Promise<void> {
    const { idleCount, totalCount, options } = this.database.pool;
    const answer = idleCount > 0 || totalCount < options.max ? this.askThroughPool() : this.askAside();
    return Promise.race([answer, tooLate()]);
  }

  private async askThroughPool(): Promise<void> {
    const client = await this.database.pool.connect();
    try {
      await unobserved.query.call(client, QUESTION);
      client.release();
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  private async askAside(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.config.DATABASE_URL,
      connectionTimeoutMillis: LIMIT_MS,
      application_name: 'larder-health',
    });
    // Its loss is told by the promises below.
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query(QUESTION);
    } finally {
      void client.end().catch(() => undefined);
    }
  }
}

async function tooLate(): Promise<never> {
  await sleep(LIMIT_MS, undefined, { ref: false });
  throw new Error(`The database did not answer within ${LIMIT_MS} ms`);
}
