import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { backendCpuSeconds } from './backends.ts';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

export interface Served {
  url: string;
  stop(): Promise<void>;
  /** CPU seconds that the process has used. */
  cpuSeconds(): Promise<number>;
  /** CPU seconds that PostgreSQL has used for it. */
  backendCpuSeconds(): Promise<number>;
  /** Statements that the process has sent, where it counts them. */
  statements(): Promise<number>;
}

export interface Larder extends Served {
  databaseUrl: string;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}

/**
 * Larder as in production, but for the demo store: everything switched on, log lines into a file. Without the background's
 * work, whose statements would be counted among those of the requests.
 */
export async function startLarder(
  environment: Record<string, string>,
  logFile: string,
  root: string = ROOT,
): Promise<Larder> {
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  const log = openSync(logFile, 'w');
  const child = spawn(process.execPath, ['--enable-source-maps', 'dist/main.js'], {
    cwd: root,
    env: {
      ...process.env,
      NODE_ENV: 'test',
      LARDER_ROLE: 'api',
      LOG_LEVEL: 'info',
      HOST: '127.0.0.1',
      ...environment,
      PORT: String(port),
    },
    stdio: ['ignore', log, log],
  });
  const url = `http://127.0.0.1:${port}`;
  await untilReady(`${url}/health/ready`, child, logFile);
  const metric = async (name: string): Promise<number> => sumOf(name, await (await fetch(`${url}/metrics`)).text());
  const databaseUrl =
    environment.DATABASE_URL ?? (await readFile(join(environment.DATA_DIR ?? '', 'database-url'), 'utf8')).trim();
  return {
    url,
    databaseUrl,
    stop: () => stop(child),
    cpuSeconds: () => metric('process_cpu_seconds_total'),
    backendCpuSeconds: () => backendCpuSeconds(databaseUrl, 'larder'),
    statements: () => metric('larder_db_query_duration_seconds_count'),
  };
}

export async function startBareServer(
  databaseUrl: string,
  storeId: string,
  statements: 'today' | 'before' = 'today',
): Promise<Served> {
  const child = spawn(process.execPath, ['bench/bare-server.ts'], {
    cwd: ROOT,
    env: { ...process.env, DATABASE_URL: databaseUrl, BENCH_STORE_ID: storeId, BENCH_STATEMENTS: statements },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const url = `http://127.0.0.1:${line.split(' ')[1]}`;
  return {
    url,
    stop: () => stop(child),
    cpuSeconds: async () => {
      const { user, system } = (await (await fetch(`${url}/cpu`)).json()) as NodeJS.CpuUsage;
      return (user + system) / 1e6;
    },
    backendCpuSeconds: () => backendCpuSeconds(databaseUrl, `bench ${statements}`),
    statements: () => Promise.resolve(Number.NaN),
  };
}

async function untilReady(url: string, child: ChildProcess, logFile: string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (child.exitCode !== null) break;
    const ready = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`Larder did not become ready; see ${logFile}`);
}

/** Sum of a metric over its labels, or over those with this one, from Prometheus' text. */
export function sumOf(name: string, text: string, label = ''): number {
  return text
    .split('\n')
    .filter((line) => line.startsWith(name) && /[{ ]/.test(line.charAt(name.length)) && line.includes(label))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
