import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startEmbeddedPostgres } from '../../src/platform/embedded/embedded-postgres.js';
import { processStart } from '../../src/platform/embedded/process-identity.js';
import { withClient } from '../support/database.js';

interface Report {
  url: string;
  logged: string[];
  error?: string;
  message?: string;
}

export interface Larder {
  process: ChildProcess;
  report: Report;
}

interface LaunchOptions {
  uid?: number;
  env?: Record<string, string>;
}

let original: Promise<EmbeddedStage> | undefined;

/** A folder for one test, and the Larders that were started on the data directory in it. */
export class EmbeddedStage {
  readonly folder: string;
  dataDir: string;
  readonly #children: ChildProcess[] = [];

  private constructor(folder: string) {
    this.folder = folder;
    this.dataDir = join(folder, 'data');
  }

  static async set(): Promise<EmbeddedStage> {
    const folder = await mkdtemp(join(tmpdir(), 'larder-embedded-'));
    // Run as root, the server has another user, who must get through.
    await chmod(folder, 0o711);
    return new EmbeddedStage(folder);
  }

  /** Data of an earlier run, which ended in order: a copy is there at once, where initdb takes a second and a half. */
  async ranBefore(): Promise<void> {
    original ??= EmbeddedStage.set().then(async (stage) => {
      await (await startEmbeddedPostgres({ dataDir: stage.dataDir })).stop();
      return stage;
    });
    // Keeps the owner, who is another user where root runs the tests.
    await promisify(execFile)('cp', ['-a', (await original).dataDir, this.dataDir]);
  }

  /** Removes what the copies are made of. */
  static async clearOriginal(): Promise<void> {
    await (await original)?.clear();
    original = undefined;
  }

  async clear(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    const postmaster = await this.postmasterPid();
    if (postmaster && (await isRunning(postmaster))) process.kill(postmaster, 'SIGQUIT');
    await rm(this.folder, { recursive: true, force: true, maxRetries: 20 });
  }

  /** A Larder in a process of its own. Resolves when its database is up or has been refused. */
  async larder(options: LaunchOptions = {}): Promise<Larder> {
    const child = this.launch(options);
    for await (const line of createInterface({ input: child.stdout! })) {
      return { process: child, report: JSON.parse(line) as Report };
    }
    throw new Error('The process ended without a word');
  }

  launch(options: LaunchOptions = {}): ChildProcess {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'embedded-larder.mjs'), this.dataDir], {
      // As a terminal does: a process group, which Ctrl-C signals as a whole.
      detached: true,
      cwd: '/',
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '--no-warnings', ...options.env },
      ...(options.uid && { uid: options.uid, gid: options.uid }),
    });
    return this.killLater(child);
  }

  killLater(child: ChildProcess): ChildProcess {
    this.#children.push(child);
    return child;
  }

  async postmasterPid(): Promise<number | undefined> {
    const text = await readFile(join(this.dataDir, 'postgres/cluster/postmaster.pid'), 'utf8').catch(() => undefined);
    return text === undefined ? undefined : Number.parseInt(text, 10);
  }
}

export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

/** False for a zombie too: an orphan's is collected by init, when init comes to it. */
export async function isRunning(pid: number): Promise<boolean> {
  return (await processStart(pid)) !== undefined;
}

export async function gone(pid: number): Promise<void> {
  while (await isRunning(pid)) await sleep(20);
}

export function remember(url: string): Promise<unknown> {
  return withClient(url, (client) => client.query('CREATE TABLE kept AS SELECT 42 AS answer'));
}

export async function recall(url: string): Promise<unknown> {
  const { rows } = await withClient(url, (client) => client.query<{ answer: number }>('SELECT answer FROM kept'));
  return rows[0]?.answer;
}
