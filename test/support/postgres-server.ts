import { chmod, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres, type EmbeddedDatabase } from '../../src/platform/embedded/embedded-postgres.js';
import { isAlive, isPostmasterOf } from '../../src/platform/embedded/process-identity.js';
import { databaseUrl, withClient } from './database.js';

const FOLDER_PREFIX = 'larder-test-postgres-';
let started: { database: EmbeddedDatabase; folder: string } | undefined;

/**
 * Sets, for the workers:
 * TEST_DATABASE_URL: a superuser's, which may be given from outside to test against another server;
 * TEST_OWNER_URL: of the role that owns the test databases, no superuser, as in production;
 * TEST_TEMPLATE: the database with all migrations that test databases are cloned from.
 */
export async function startTestServer(): Promise<void> {
  process.env.TEST_TEMPLATE = 'larder_template';
  if (process.env.TEST_DATABASE_URL) {
    process.env.TEST_OWNER_URL ??= process.env.TEST_DATABASE_URL;
    // Another run may use the same server.
    process.env.TEST_TEMPLATE += `_${process.pid}`;
  } else {
    await removeAbandoned();
    const folder = await mkdtemp(join(tmpdir(), FOLDER_PREFIX));
    // Run as root, the server has another user, who must get through.
    await chmod(folder, 0o711);
    const database = await startEmbeddedPostgres({ dataDir: folder, settings: { max_connections: '300' } });
    started = { database, folder };
    process.env.TEST_DATABASE_URL = database.adminUrl;
    process.env.TEST_OWNER_URL = database.url;
  }
  try {
    await createTemplate(process.env.TEST_OWNER_URL ?? '', process.env.TEST_TEMPLATE);
  } catch (error) {
    await stopTestServer();
    throw error;
  }
}

export async function stopTestServer(): Promise<void> {
  if (started) {
    await started.database.stop();
    await rm(started.folder, { recursive: true, force: true });
    started = undefined;
    return;
  }
  const { TEST_DATABASE_URL: adminUrl, TEST_TEMPLATE: template } = process.env;
  if (!adminUrl || !template) return;
  await withClient(adminUrl, (client) => client.query(`DROP DATABASE IF EXISTS ${template} WITH (FORCE)`));
}

async function createTemplate(ownerUrl: string, template: string): Promise<void> {
  await withClient(ownerUrl, async (client) => {
    await client.query(`DROP DATABASE IF EXISTS ${template} WITH (FORCE)`);
    await client.query(`CREATE DATABASE ${template}`);
  });
  await withClient(databaseUrl(ownerUrl, template), applyMigrations);
}

async function applyMigrations(client: pg.Client): Promise<void> {
  const folder = join(import.meta.dirname, '../../prisma/migrations');
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  for (const name of names.sort()) {
    const sql = await readFile(join(folder, name, 'migration.sql'), 'utf8');
    await client.query(sql).catch((error: Error) => {
      throw new Error(`Migration ${name}: ${error.message}`, { cause: error });
    });
  }
}

/** Jest that is interrupted runs no teardown: the next run ends the servers of dead ones. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(FOLDER_PREFIX)) continue;
    const home = join(tmpdir(), name, 'postgres');
    const lock = await readFile(join(home, 'larder.lock'), 'utf8').catch(() => undefined);
    if (lock === undefined || isAlive((JSON.parse(lock) as { pid: number }).pid)) continue;
    const pid = Number.parseInt(await readFile(join(home, 'cluster', 'postmaster.pid'), 'utf8').catch(() => ''), 10);
    if (await isPostmasterOf(pid, join(home, 'cluster'))) process.kill(pid, 'SIGQUIT');
    await rm(join(tmpdir(), name), { recursive: true, force: true, maxRetries: 10 });
  }
}
