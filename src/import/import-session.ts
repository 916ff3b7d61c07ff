import pg from 'pg';
import { ImportFailure } from './import-failure.js';
import { findStore, type ImportStore } from './import-store.js';
import { FILL_ALONE } from './settle-store.js';
import { SHADOWS } from './import-run.queries.js';

const LOCK_WAIT_MS = 10_000;
const ATTEMPTS = 5;
/** Serialization failure, deadlock, lock not available, unique violation: somebody else was at the same rows. */
const AGAIN = ['40001', '40P01', '55P03', '23505'];

/** One connection of the import's own, which is the only import into its store while it lasts. */
export class ImportSession {
  private constructor(
    readonly client: pg.Client,
    readonly store: ImportStore,
    readonly dryRun: boolean,
  ) {}

  /** @throws ImportFailure when there is no such store, or another import into it is running */
  static async open(connectionString: string, slug: string, dryRun: boolean): Promise<ImportSession> {
    const client = new pg.Client({ connectionString, application_name: 'larder-import', options: '-c TimeZone=UTC' });
    // What breaks the connection is told by the query that it breaks.
    client.on('error', () => undefined);
    await client.connect().catch((error: Error) => {
      throw new ImportFailure(`The database can't be reached: ${error.message}`);
    });
    try {
      // What a power cut takes back is imported again: position and rows are of one transaction. What the ledger's trigger looks up
      // is in memory: at the default cost of a page it read all transactions of the database for each batch.
      await client.query(
        `SET synchronous_commit = off; SET lock_timeout = '${LOCK_WAIT_MS}ms'; SET jit = off; SET larder.ledger_bulk = on;
         SET random_page_cost = 1.1`,
      );
      const store = await findStore(client, slug);
      if (dryRun) await client.query(SHADOWS);
      else await takeLock(client, store);
      return new ImportSession(client, store, dryRun);
    } catch (error) {
      await client.end();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.client.end();
  }

  /** One commit; once more when somebody else was in the way. */
  async transaction<Value>(work: () => Promise<Value>): Promise<Value> {
    for (let attempt = 1; ; attempt++) {
      await this.client.query('BEGIN');
      try {
        const value = await work();
        await this.client.query('COMMIT');
        return value;
      } catch (error) {
        await this.client.query('ROLLBACK').catch(() => undefined);
        if (attempt === ATTEMPTS || !AGAIN.includes((error as pg.DatabaseError).code ?? '')) throw error;
      }
    }
  }
}

/** For the session: a killed import's is free as soon as the server sees that it has gone, in the middle of a batch. */
async function takeLock(client: pg.Client, { id, slug }: ImportStore): Promise<void> {
  await client.query(FILL_ALONE, [id]).catch((error: pg.DatabaseError) => {
    throw error.code === '55P03' ? new ImportFailure(`Another import into the store ${slug} is running.`) : error;
  });
}
