import pg from 'pg';
import { BATCH, BATCH_DAYS, BATCH_TABLES } from './batch.queries.js';
import { sessionFunctions, type Volume } from './draw.queries.js';
import { GenerateFailure } from './generate-failure.js';
import { SHELF } from './opening.queries.js';
import type { PlannedDay } from './year-plan.js';

/**
 * What a power cut takes back is whole days at the end, which are generated again. Foreign keys and triggers stay in force: who owns
 * the tables can't switch them off without locking everybody else out. What the ledger's trigger looks up is of the batch, and in
 * memory: at the default cost of a page it read all transactions of the database for each batch (at a million orders half of all
 * the time).
 */
const SETTINGS = `
  SET TimeZone = 'UTC';
  SET temp_buffers = '128MB';
  SET work_mem = '64MB';
  SET synchronous_commit = off;
  SET statement_timeout = 0;
  SET idle_in_transaction_session_timeout = 0;
  SET jit = off;
  SET random_page_cost = 1.1;
  SET larder.ledger_bulk = on`;

/** One connection that generates. */
export class GenerateSession {
  private constructor(readonly client: pg.Client) {}

  /** @throws GenerateFailure when the database can't be reached */
  static async open(connectionString: string): Promise<GenerateSession> {
    const client = new pg.Client({ connectionString, application_name: 'larder-generate' });
    // What breaks the connection is told by the query that it breaks.
    client.on('error', () => undefined);
    await client.connect().catch((error: Error) => {
      throw new GenerateFailure(`The database can't be reached: ${error.message}`);
    });
    await client.query(SETTINGS);
    return new GenerateSession(client);
  }

  close(): Promise<void> {
    return this.client.end();
  }

  async knowVolume(volume: Volume): Promise<void> {
    await this.client.query(sessionFunctions(volume));
  }

  /** The store has its catalog by now. */
  async knowShelf(): Promise<void> {
    await this.client.query(`${SHELF}; ANALYZE shelf; ${BATCH_TABLES}`);
  }

  async generate(days: PlannedDay[]): Promise<void> {
    await this.transaction(async (client) => {
      await client.query(BATCH_DAYS, [JSON.stringify(days)]);
      for (const statement of BATCH) await client.query(statement);
    });
  }

  async transaction(work: (client: pg.Client) => Promise<void>): Promise<void> {
    await this.client.query('BEGIN');
    try {
      await work(this.client);
      await this.client.query('COMMIT');
    } catch (error) {
      await this.client.query('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }
}
