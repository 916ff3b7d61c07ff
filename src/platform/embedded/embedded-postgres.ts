import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { EmbeddedDatabaseError, EmbeddedDatabaseInUseError } from './embedded-postgres.errors.js';
import { LockHeldError, takeOwnerLock, type OwnerLock } from './owner-lock.js';
import { findPostgresBinaries } from './postgres-binaries.js';
import { ensureCluster, startServer, stopOrphan, stopServer, SUPERUSER, type Cluster } from './postgres-cluster.js';
import type { ServerAccount } from './run-binary.js';
import { serverAccount } from './server-account.js';
import { serverHome } from './server-home.js';

export interface EmbeddedDatabase {
  /** The database `larder` as its owner, who is no superuser and may create databases. */
  url: string;
  /** The server's superuser, in the database `postgres`. */
  adminUrl: string;
  /** Stops the server cleanly and gives the data directory free. Further calls wait for the first. */
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** Made if missing. One Larder at a time. */
  dataDir: string;
  /** Default: any free port. */
  port?: number;
  /** Server settings beside, or instead of, the default ones. */
  settings?: Record<string, string>;
  onLog?: (line: string) => void;
}

interface Passwords {
  superuser: string;
  larder: string;
}

const DATABASE = 'larder';
const HOST = '127.0.0.1';

/** fsync and the like stay at PostgreSQL's defaults: what it acknowledges is on the disk. */
const DEFAULT_SETTINGS = {
  listen_addresses: HOST,
  unix_socket_directories: '',
  max_connections: '100',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_min_duration_statement: '100ms',
  // Statements are logged without their parameters: those are names, addresses and amounts.
  log_parameter_max_length: '0',
  log_parameter_max_length_on_error: '0',
  log_checkpoints: 'off',
  log_line_prefix: '%m [%p] ',
};

/**
 * Runs PostgreSQL for the time that Larder runs, its data under `dataDir`. The server is in a session of its own, so
 * that Ctrl-C reaches Larder alone, which drains and then calls `stop`. What a killed Larder left behind (a server that
 * runs on, a stale postmaster.pid, half an initdb) is put right by the next start.
 *
 * Throws EmbeddedDatabaseError and its kinds: in use by another Larder, of another major version, not installed.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedDatabase> {
  const log = options.onLog ?? (() => undefined);
  const dataDir = await makeDataDir(options.dataDir);
  const account = await serverAccount(join(dataDir, 'postgres', 'cluster'));
  const binaries = await findPostgresBinaries(account, log);
  const { home, lock } = await claimHome(dataDir, account, log);
  const cluster: Cluster = { home, dir: join(home, 'cluster'), binaries, account };
  const urlFile = join(dataDir, 'database-url');
  try {
    await rm(urlFile, { force: true });
    const passwords = await keepPasswords(join(home, 'passwords.json'));
    if (await ensureCluster(cluster, dataDir, passwords.superuser))
      log(`PostgreSQL ${binaries.majorVersion}: new data in ${home}`);
    if (await stopOrphan(cluster)) log('PostgreSQL of an earlier run, whose Larder was killed: stopped');
    const fixed = options.port;
    const pickPort = fixed === undefined ? freePort : () => requireFree(fixed);
    const port = await startServer(cluster, pickPort, { ...DEFAULT_SETTINGS, ...options.settings });
    const adminUrl = databaseUrl(SUPERUSER, passwords.superuser, port, 'postgres');
    const url = databaseUrl(DATABASE, passwords.larder, port, DATABASE);
    await ensureDatabase(adminUrl, passwords.larder);
    await writeSecret(urlFile, `${url}\n`);
    log(`PostgreSQL ${binaries.majorVersion} listens on ${HOST}:${port}, its log is ${join(home, 'postgres.log')}`);
    return { url, adminUrl, stop: once(() => stopAndRelease(cluster, urlFile, lock)) };
  } catch (error) {
    await stopAndRelease(cluster, urlFile, lock).catch(() => undefined);
    throw error;
  }
}

async function makeDataDir(path: string): Promise<string> {
  const dataDir = resolve(path);
  try {
    await mkdir(dataDir, { recursive: true });
    return await realpath(dataDir);
  } catch (error) {
    throw new EmbeddedDatabaseError(`The data directory ${dataDir} can't be made: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

async function claimHome(
  dataDir: string,
  account: ServerAccount | undefined,
  log: (line: string) => void,
): Promise<{ home: string; lock: OwnerLock }> {
  try {
    const home = await serverHome(dataDir, account, log);
    return { home, lock: await takeOwnerLock(join(home, 'larder.lock')) };
  } catch (error) {
    if (error instanceof LockHeldError) throw new EmbeddedDatabaseInUseError(dataDir, error.ownerPid);
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
    throw new EmbeddedDatabaseError(
      `The data directory ${dataDir} belongs to another user. Start Larder as that user, or with another DATA_DIR.`,
      { cause: error },
    );
  }
}

async function stopAndRelease(cluster: Cluster, urlFile: string, lock: OwnerLock): Promise<void> {
  try {
    await stopServer(cluster);
    await rm(urlFile, { force: true });
  } finally {
    await lock.release();
  }
}

async function keepPasswords(path: string): Promise<Passwords> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Passwords;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const passwords = { superuser: randomBytes(24).toString('base64url'), larder: randomBytes(24).toString('base64url') };
  await writeSecret(path, JSON.stringify(passwords));
  return passwords;
}

/** Appears complete, readable by us alone. */
async function writeSecret(path: string, text: string): Promise<void> {
  const aside = `${path}.new-${randomUUID()}`;
  await writeFile(aside, text, { mode: 0o600, flush: true });
  await rename(aside, path);
}

/** At each start, because the one that made the cluster may have been killed before it came to this. */
async function ensureDatabase(adminUrl: string, password: string): Promise<void> {
  // The server's log is not the place for the statement with the password, be it slow or wrong.
  const quiet = '-c log_min_duration_statement=-1 -c log_min_error_statement=panic';
  const client = new pg.Client({ connectionString: adminUrl, connectionTimeoutMillis: 10_000, options: quiet });
  await client.connect();
  try {
    const role = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [DATABASE]);
    if (role.rowCount === 0) await client.query(`CREATE ROLE ${DATABASE} LOGIN CREATEDB`);
    await client.query(`ALTER ROLE ${DATABASE} PASSWORD ${client.escapeLiteral(password)}`);
    const database = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (database.rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE} OWNER ${DATABASE}`);
  } finally {
    await client.end();
  }
}

function databaseUrl(user: string, password: string, port: number, database: string): string {
  return `postgresql://${user}:${password}@${HOST}:${port}/${database}`;
}

async function freePort(): Promise<number> {
  const port = await tryListen(0);
  if (port === undefined) throw new EmbeddedDatabaseError(`No port of ${HOST} is free`);
  return port;
}

async function requireFree(port: number): Promise<number> {
  if ((await tryListen(port)) !== undefined) return port;
  throw new EmbeddedDatabaseError(`Port ${port} on ${HOST}, meant for PostgreSQL, is taken by another program.`);
}

function tryListen(port: number): Promise<number | undefined> {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', () => done(undefined));
    server.listen(port, HOST, () => {
      const { port: bound } = server.address() as AddressInfo;
      server.close(() => done(bound));
    });
  });
}

function once(action: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= action());
}
