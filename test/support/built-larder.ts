import { type Options, transformFile } from '@swc/core';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/** Larder compiled into a folder of its own, to be run as a process. */
export interface Build {
  folder: string;
  /** Starts it with these settings alone, and nothing of the test's environment: its main, or another command. */
  start(settings: Record<string, string>, command?: string): LarderRun;
  /** Kills what still runs and removes the folder. */
  clear(): Promise<void>;
}

export async function buildLarder(): Promise<Build> {
  const folder = await mkdtemp(join(tmpdir(), 'larder-built-'));
  // Run as root, an embedded PostgreSQL has another user, who must get through.
  await chmod(folder, 0o711);
  const manifest = { type: 'module', version: '0.0.0', scripts: { start: 'node dist/main.js' } };
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
  for (const name of ['node_modules', 'prisma', 'src']) await symlink(join(ROOT, name), join(folder, name));
  await compile(join(ROOT, 'src'), join(folder, 'dist'));
  const runs: LarderRun[] = [];
  return {
    folder,
    start(settings, command) {
      const run = new LarderRun(folder, settings, command);
      runs.push(run);
      return run;
    },
    async clear() {
      // SIGTERM first: a killed Larder would leave its PostgreSQL behind.
      await Promise.all(runs.map((run) => run.stop('SIGTERM')));
      await rm(folder, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

/** As the build does, but for the types, which are checked elsewhere, and the OpenAPI plugin: a second instead of eight. */
async function compile(from: string, to: string): Promise<void> {
  const options: Options = {
    swcrc: false,
    jsc: {
      target: 'es2024',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
      keepClassNames: true,
    },
    module: { type: 'es6' },
  };
  const entries = await readdir(from, { withFileTypes: true, recursive: true });
  const sources = entries.filter(
    (entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.spec.ts'),
  );
  for (const { parentPath, name } of sources) {
    const folder = join(to, relative(from, parentPath));
    await mkdir(folder, { recursive: true });
    const { code } = await transformFile(join(parentPath, name), options);
    await writeFile(join(folder, name.replace(/\.ts$/, '.js')), code);
  }
}

export class LarderRun {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  stdout = '';
  stderr = '';

  constructor(folder: string, settings: Record<string, string>, command?: string) {
    const [program = '', ...args] = command?.split(' ') ?? [process.execPath, join(folder, 'dist/main.js')];
    this.child = spawn(program, args, {
      cwd: folder,
      // As a terminal does: a process group, which Ctrl-C signals as a whole.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, HOST: '127.0.0.1', PORT: '0', ...settings },
    });
    this.child.stdout?.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.child.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.exited = once(this.child, 'close').then(([code]) => code as number | null);
  }

  /** Resolves to its address once it says that it serves. */
  async url(): Promise<string> {
    for (;;) {
      const port = /larder_server_started.*"port":(\d+)/.exec(this.stdout)?.[1];
      if (port) return `http://127.0.0.1:${port}`;
      const ended = await Promise.race([
        once(this.child.stdout!, 'data').then(() => false),
        this.exited.then(() => true),
      ]);
      if (ended) throw new Error(`Larder ended before it served:\n${this.stdout}\n${this.stderr}`);
    }
  }

  /** Sends the signal and resolves to the exit code. */
  async stop(signal: NodeJS.Signals): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    return this.exited;
  }

  /** Its log, where it is JSON: NODE_ENV test and production. */
  logLines(): Record<string, unknown>[] {
    const lines = this.stdout.split('\n').filter((line) => line.startsWith('{'));
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }
}
