import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Logger, runMigrations } from 'graphile-worker';
import pg from 'pg';

/** Prisma Migrate's own lock: its CLI and a starting Larder wait for each other. */
const ADVISORY_LOCK = 72707369;
const MIGRATIONS_FOLDER = fileURLToPath(new URL('../../../prisma/migrations/', import.meta.url));

/** The last migration of the pinned graphile-worker; its schema keeps account of them by itself. */
const JOBS_REVISION = 20;
const JOBS_MIGRATIONS = `graphile_worker_${JOBS_REVISION}`;

interface Migration {
  name: string;
  sql: string;
  checksum: string;
}

async function readMigrations(folder = MIGRATIONS_FOLDER): Promise<Migration[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => {
      const sql = await readFile(join(folder, name, 'migration.sql'), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

/** Names of the migrations that the database lacks. */
export async function pendingMigrations(pool: pg.Pool): Promise<string[]> {
  const known = await readMigrations();
  const { rows: tables } = await pool.query<{ found: boolean }>(
    "SELECT to_regclass('_prisma_migrations') IS NOT NULL AS found",
  );
  const applied = tables[0]?.found ? await appliedNames(pool) : new Set<string>();
  const missing = known.map(({ name }) => name).filter((name) => !applied.has(name));
  return (await jobsRevision(pool)) < JOBS_REVISION ? [...missing, JOBS_MIGRATIONS] : missing;
}

/**
 * Brings a database up to date with what is on disk, in the way and the table of `prisma migrate deploy`, for places that
 * have no Prisma CLI: the production image, the embedded start, the tests. Starts at the same time wait for each other.
 */
export async function applyMigrations(connectionString: string): Promise<string[]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [ADVISORY_LOCK]);
    await client.query(`
      CREATE TABLE IF NOT EXISTS _prisma_migrations (
        id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz,
        migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz,
        started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count integer NOT NULL DEFAULT 0
      )`);
    const applied = await appliedNames(client);
    const missing = (await readMigrations()).filter(({ name }) => !applied.has(name));
    for (const migration of missing) await applyOne(client, migration);
    const names = missing.map(({ name }) => name);
    if ((await jobsRevision(client)) >= JOBS_REVISION) return names;
    await applyJobsMigrations(connectionString);
    return [...names, JOBS_MIGRATIONS];
  } finally {
    await client.end();
  }
}

/** Makes or updates the schema of graphile-worker. Starts at the same time do no harm: it notices them itself. */
async function applyJobsMigrations(connectionString: string): Promise<void> {
  await runMigrations({ connectionString, logger: new Logger(() => () => undefined) });
}

/** 0 where graphile-worker has no schema yet. */
async function jobsRevision(queryable: pg.Pool | pg.Client): Promise<number> {
  const { rows } = await queryable.query<{ found: boolean }>(
    "SELECT to_regclass('graphile_worker.migrations') IS NOT NULL AS found",
  );
  if (!rows[0]?.found) return 0;
  const { rows: revisions } = await queryable.query<{ id: number | null }>(
    'SELECT max(id) AS id FROM graphile_worker.migrations',
  );
  return revisions[0]?.id ?? 0;
}

async function appliedNames(queryable: pg.Pool | pg.Client): Promise<Set<string>> {
  const { rows } = await queryable.query<{ migration_name: string }>(
    'SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL',
  );
  return new Set(rows.map((row) => row.migration_name));
}

async function applyOne(client: pg.Client, { name, sql, checksum }: Migration): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query(sql);
    await client.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
       VALUES ($1, $2, $3, now(), 1)`,
      [randomUUID(), checksum, name],
    );
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw new Error(`Migration ${name} failed and was rolled back`, { cause: error });
  }
}
