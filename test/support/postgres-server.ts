import { chmod, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres, type EmbeddedDatabase } from '../../src/platform/embedded/embedded-postgres.js';
import { isPostmasterOf, isSameProcess } from '../../src/platform/embedded/process-identity.js';
import { applyMigrations } from '../../src/platform/prisma/migrations.js';
import { databaseUrl, withClient } from './database.js';

const FOLDER_PREFIX = 'larder-test-postgres-';
/** It goes with the run: a killed backend or server loses nothing, a power cut may. Thousands of connections are opened. */
const SETTINGS = { max_connections: '300', fsync: 'off', full_page_writes: 'off', scram_iterations: '1' };
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
    const database = await startEmbeddedPostgres({ dataDir: folder, settings: SETTINGS });
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
  await applyMigrations(databaseUrl(ownerUrl, template)).catch((error: Error) => {
    // Jest prints the message of what global setup throws, and no cause.
    const reason = error.cause instanceof Error ? `: ${error.cause.message}` : '';
    throw new Error(error.message + reason, { cause: error });
  });
}

/** Jest that is interrupted runs no teardown: the next run ends the servers of dead ones. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(FOLDER_PREFIX)) continue;
    const home = join(tmpdir(), name, 'postgres');
    const lock = await readFile(join(home, 'larder.lock'), 'utf8').catch(() => undefined);
    if (lock === undefined) continue;
    const owner = JSON.parse(lock) as { pid: number; start: string };
    if (await isSameProcess(owner.pid, owner.start)) continue;
    const pid = Number.parseInt(await readFile(join(home, 'cluster', 'postmaster.pid'), 'utf8').catch(() => ''), 10);
    if (await isPostmasterOf(pid, join(home, 'cluster'))) process.kill(pid, 'SIGQUIT');
    await rm(join(tmpdir(), name), { recursive: true, force: true, maxRetries: 10 });
  }
}
