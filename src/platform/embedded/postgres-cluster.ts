import { randomUUID } from 'node:crypto';
import {
  appendFile,
  chmod,
  chown,
  lstat,
  mkdir,
  open,
  readFile,
  readdir,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EmbeddedDatabaseError, EmbeddedDatabaseVersionError } from './embedded-postgres.errors.js';
import type { PostgresBinaries } from './postgres-binaries.js';
import { isAlive, isPostmasterOf } from './process-identity.js';
import { runBinary, type ServerAccount } from './run-binary.js';

/** One cluster (initdb's word for a data directory) and what is needed to run it. */
export interface Cluster {
  /** The directory around it, ours alone: log, settings, passwords. */
  home: string;
  /** The data directory in PostgreSQL's sense. */
  dir: string;
  binaries: PostgresBinaries;
  account: ServerAccount | undefined;
}

export const SUPERUSER = 'postgres';
const LOG_MAX_BYTES = 8 * 1024 * 1024;
const STOP_TIMEOUT_S = 60;
/** Recovery after a crash can take as long as the last checkpoint is away: 5 minutes of writes at most. */
const START_TIMEOUT_S = 300;
/** Backends outlive a killed postmaster for as long as their statement runs, and no server starts until they are gone. */
const START_RETRY_MS = 30_000;

/** Makes the cluster if there is none. Killed half-way it leaves a folder that the next call removes. */
export async function ensureCluster(cluster: Cluster, dataDir: string, superuserPassword: string): Promise<boolean> {
  for (const name of await readdir(cluster.home)) {
    if (name.startsWith('init-')) await rm(join(cluster.home, name), { recursive: true, force: true, maxRetries: 10 });
  }
  const version = await readFile(join(cluster.dir, 'PG_VERSION'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (version !== undefined) {
    if (version.trim() === cluster.binaries.majorVersion) return false;
    throw new EmbeddedDatabaseVersionError(dataDir, version.trim(), cluster.binaries.majorVersion);
  }
  if (await lstat(cluster.dir).catch(() => undefined)) {
    throw new EmbeddedDatabaseError(
      `${cluster.dir} is there but holds no PostgreSQL data (no PG_VERSION). Move it away, or use another DATA_DIR.`,
    );
  }
  await initialise(cluster, superuserPassword);
  return true;
}

async function initialise(cluster: Cluster, superuserPassword: string): Promise<void> {
  const work = join(cluster.home, `init-${randomUUID()}`);
  const fresh = join(work, 'cluster');
  const passwordFile = join(work, 'password');
  await mkdir(work);
  await chmod(work, cluster.account ? 0o711 : 0o700);
  await mkdir(fresh, { mode: 0o700 });
  await writeFile(passwordFile, superuserPassword, { mode: 0o600 });
  await giveTo(cluster.account, fresh, passwordFile);
  const args = [`--pgdata=${fresh}`, `--username=${SUPERUSER}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
  // The built-in locale sorts and folds alike on every platform, with no locale installed.
  args.push('--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8');
  const { code, output } = await runBinary(cluster.binaries.initdb, args, { account: cluster.account, cwd: fresh });
  if (code !== 0) throw new EmbeddedDatabaseError(`initdb failed in ${cluster.home}: ${output}`);
  await appendFile(join(fresh, 'postgresql.conf'), "\ninclude '../larder.conf'\n");
  await rename(fresh, cluster.dir);
  await syncDirectory(cluster.home);
  await rm(work, { recursive: true, force: true });
}

/**
 * Starts the server on 127.0.0.1 and waits until it takes connections. `pickPort` is asked again when another process
 * was quicker to take the port. Throws with the end of the server's log when it can't start.
 */
export async function startServer(
  cluster: Cluster,
  pickPort: () => Promise<number>,
  settings: Record<string, string>,
): Promise<number> {
  const deadline = Date.now() + START_RETRY_MS;
  const logFile = join(cluster.home, 'postgres.log');
  await rotateLog(logFile);
  for (;;) {
    const port = await pickPort();
    await writeSettings(cluster, { ...settings, port: String(port) });
    const failure = await tryStart(cluster, logFile);
    if (failure === undefined) return port;
    const passing = /Address already in use|is still in use|lock file "postmaster.pid" already exists/.test(failure);
    if (!passing || Date.now() > deadline) {
      throw new EmbeddedDatabaseError(`PostgreSQL did not start; the end of ${logFile}:\n${failure}`);
    }
    await sleep(250);
    await stopOrphan(cluster);
  }
}

/** undefined when it started, else what the log says since. */
async function tryStart(cluster: Cluster, logFile: string): Promise<string | undefined> {
  const log = await open(logFile, 'a', 0o600);
  try {
    if (cluster.account) await log.chown(cluster.account.uid, cluster.account.gid);
    const { size: before } = await log.stat();
    const { code } = await pgCtl(cluster, ['start', '-w', '-t', String(START_TIMEOUT_S), '-s'], log.fd);
    if (code === 0) return undefined;
    const written = (await readFile(logFile)).subarray(before).toString('utf8').trim();
    return written.slice(-2_000) || `pg_ctl start ended with ${code}`;
  } finally {
    await log.close();
  }
}

/** Stops the server and waits: open transactions are rolled back, connections closed, a checkpoint written. */
export async function stopServer(cluster: Cluster): Promise<void> {
  if (!(await runningPid(cluster))) return;
  const fast = await pgCtl(cluster, ['stop', '-m', 'fast', '-w', '-t', String(STOP_TIMEOUT_S), '-s']);
  if (fast.code === 0 || !(await runningPid(cluster))) return;
  // As after a crash: the next start recovers from the log.
  const immediate = await pgCtl(cluster, ['stop', '-m', 'immediate', '-w', '-t', '10', '-s']);
  if (immediate.code === 0 || !(await runningPid(cluster))) return;
  throw new EmbeddedDatabaseError(
    `PostgreSQL, process ${await runningPid(cluster)}, does not stop: ${immediate.output}. End it and try again.`,
  );
}

/** Stops the server of an earlier run whose Larder is dead. True when there was one. Call it with the lock held. */
export async function stopOrphan(cluster: Cluster): Promise<boolean> {
  if (await runningPid(cluster)) {
    await stopServer(cluster);
    return true;
  }
  const written = await writtenPid(cluster);
  // PostgreSQL overwrites the file of a dead server (and looks for its last backends), but takes any process that has
  // the same id by now, or a zombie that nobody has collected, for a live server and refuses to start.
  if (written !== undefined && isAlive(written)) await rm(pidFile(cluster), { force: true });
  return false;
}

async function runningPid(cluster: Cluster): Promise<number | undefined> {
  const pid = await writtenPid(cluster);
  if (pid === undefined) return undefined;
  return (await isPostmasterOf(pid, await realpath(cluster.dir))) ? pid : undefined;
}

async function writtenPid(cluster: Cluster): Promise<number | undefined> {
  const text = await readFile(pidFile(cluster), 'utf8').catch(() => '');
  const pid = Number.parseInt(text, 10);
  return Number.isNaN(pid) ? undefined : pid;
}

function pidFile(cluster: Cluster): string {
  return join(cluster.dir, 'postmaster.pid');
}

function pgCtl(cluster: Cluster, args: string[], outputFd?: number): ReturnType<typeof runBinary> {
  return runBinary(cluster.binaries.pgCtl, args, {
    account: cluster.account,
    cwd: cluster.dir,
    // Not -D: pg_ctl would put it through a shell, which reads more into a path than quotes keep out.
    env: { PGDATA: cluster.dir },
    outputFd,
  });
}

async function writeSettings(cluster: Cluster, settings: Record<string, string>): Promise<void> {
  const lines = Object.entries(settings).map(
    ([name, value]) => `${name} = '${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`,
  );
  const text = ['# Written by Larder at each start. Your own settings: ALTER SYSTEM.', ...lines, ''].join('\n');
  const file = join(cluster.home, 'larder.conf');
  await writeFile(file, text);
  await chmod(file, 0o644);
}

/** Keeps one older log. Between starts it grows: there is no more in it than slow statements and errors. */
async function rotateLog(logFile: string): Promise<void> {
  const found = await stat(logFile).catch(() => undefined);
  if (found && found.size > LOG_MAX_BYTES) await rename(logFile, `${logFile}.1`);
}

async function giveTo(account: ServerAccount | undefined, ...paths: string[]): Promise<void> {
  if (!account) return;
  for (const path of paths) await chown(path, account.uid, account.gid);
}

/** Without it a power cut could undo the renaming and leave acknowledged orders in a folder taken for rubbish. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const directory = await open(path);
  await directory.sync().finally(() => directory.close());
}
