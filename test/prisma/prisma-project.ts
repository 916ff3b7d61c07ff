import { type ChildProcess, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const SCHEMA_ENGINE = join(ROOT, 'prisma/schema-engine.mjs');

export interface Finished {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** `env` is the whole environment but for PATH, which has no Node of the project. */
export function prisma(folder: string, env: NodeJS.ProcessEnv, ...args: string[]): Promise<Finished> {
  return finish(start(join(ROOT, 'prisma/cli.mjs'), folder, env, args));
}

/** In a process group of its own, as a terminal starts it. */
export function start(script: string, folder: string, env: NodeJS.ProcessEnv, args: string[]): ChildProcess {
  const path = (process.env.PATH ?? '')
    .split(':')
    .filter((part) => !part.includes('node_modules'))
    .join(':');
  return spawn(process.execPath, [script, ...args], {
    cwd: folder,
    env: { PATH: path, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
}

export function finish(child: ChildProcess): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const output = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream]?.setEncoding('utf8').on('data', (text: string) => (output[stream] += text));
    }
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, ...output }));
  });
}

/** A project in a temporary folder that has this one's configuration and generator, and its own models. */
export class PrismaProject {
  private constructor(readonly folder: string) {}

  static async create(files: Record<string, string>): Promise<PrismaProject> {
    const project = new PrismaProject(await mkdtemp(join(tmpdir(), 'larder-prisma-')));
    await project.write({ 'package.json': '{ "type": "module" }', ...files });
    await mkdir(join(project.folder, 'prisma/schema'), { recursive: true });
    for (const name of ['prisma.config.mjs', 'prisma/schema/schema.prisma']) {
      await cp(join(ROOT, name), join(project.folder, name));
    }
    await symlink(join(ROOT, 'node_modules'), join(project.folder, 'node_modules'));
    return project;
  }

  async write(files: Record<string, string>): Promise<void> {
    for (const [name, text] of Object.entries(files)) {
      const path = join(this.folder, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
    }
  }

  async migrations(): Promise<string[]> {
    const entries = await readdir(join(this.folder, 'prisma/migrations'), { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}
