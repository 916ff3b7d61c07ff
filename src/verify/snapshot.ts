import pg from 'pg';

export interface SnapshotOptions {
  connectionString: string;
  /** Of one claim. */
  timeoutMs: number;
  /** Of one sort or hash of one connection; what doesn't fit goes to temporary files. */
  workMemMb: number;
}

/**
 * One moment of a database, read over several connections at once: all see what was committed when it was opened, however
 * long they take and whatever is written meanwhile. Locks no row, and no table against writing.
 */
export class Snapshot {
  private constructor(
    private readonly holder: pg.Client,
    private readonly id: string,
    private readonly options: SnapshotOptions,
  ) {}

  static async open(options: SnapshotOptions): Promise<Snapshot> {
    const holder = await connect(options);
    try {
      await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      const { rows } = await holder.query<{ id: string }>('SELECT pg_export_snapshot() AS id');
      return new Snapshot(holder, rows[0]?.id ?? '', options);
    } catch (error) {
      await holder.end();
      throw error;
    }
  }

  /** A connection that sees this moment. Whoever asks for it ends it. */
  async connect(): Promise<pg.Client> {
    const client = await connect(this.options);
    try {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      await client.query(`SET TRANSACTION SNAPSHOT ${pg.escapeLiteral(this.id)}`);
      return client;
    } catch (error) {
      await client.end();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.holder.end();
  }
}

async function connect({ connectionString, timeoutMs, workMemMb }: SnapshotOptions): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString,
    application_name: 'larder-verify',
    connectionTimeoutMillis: 10_000,
    statement_timeout: timeoutMs,
    // Nothing waits but for a table that is being altered.
    lock_timeout: 5000,
    idle_in_transaction_session_timeout: 0,
    keepAlive: true,
  });
  // A connection that breaks is told by the query that wanted it.
  client.on('error', () => undefined);
  await client.connect();
  // A verifier that was interrupted leaves no query running. Without nested loops, bad statistics (of a catalog that was
  // loaded a moment ago) can't make a claim quadratic; costs without meaning would then call the JIT for nothing. A page is
  // found about as fast as the next one is read: keys grow with time, so that walking an index walks its table. What the
  // system has in memory is read by the connection itself: handed to PostgreSQL 18's workers it takes a tenth more CPU time.
  await client.query(`
    SET client_connection_check_interval = '1s';
    SET work_mem = '${workMemMb}MB';
    SET max_parallel_workers_per_gather = 0;
    SET enable_nestloop = off;
    SET random_page_cost = 1.1;
    SET effective_io_concurrency = 0;
    SET jit = off`);
  return client;
}
