// npm run bench:import: how many orders of the past the import brings in, and what that costs on each side. Its own database.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { writeCatalog, writeOrders } from './import-files.ts';
import { ROOT, startLarder } from './processes.ts';

const TICK_US = 10_000;
const LOOK_MS = 20;
const AIM = 2000;

const { values: options } = parseArgs({ options: { orders: { type: 'string', default: '100000' } } });

/** Microseconds of CPU of a process, from /proc: its own, or of its children that ended. NaN where there is no /proc. */
async function cpuOf(pid: number | string, whose: 'own' | 'children'): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // After the name, which may have blanks: utime and stime are the 14th and 15th field of all, cutime and cstime come next.
  const fields = text
    ?.slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const first = whose === 'own' ? 11 : 13;
  return fields ? (fields[first]! + fields[first + 1]!) * TICK_US : Number.NaN;
}

interface Run {
  output: string;
  code: number;
  seconds: number;
  nodeUs: number;
  backendUs: number;
}

/** A command of Larder's, with the CPU time that it and its connection to the database took. */
async function run(watcher: pg.Client, command: string, ...args: string[]): Promise<Run> {
  const [started, usedBefore] = [performance.now(), await cpuOf('self', 'children')];
  const child = spawn(process.execPath, [`dist/cli/${command}.js`, ...args], { cwd: ROOT });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(child, 'close') as Promise<[number]>;
  let backendUs = 0;
  const backend = `SELECT pid FROM pg_stat_activity WHERE application_name = 'larder-import'`;
  let pid: number | undefined;
  while (child.exitCode === null && child.signalCode === null) {
    pid ??= (await watcher.query<{ pid: number }>(backend)).rows[0]?.pid;
    // Of a process that has gone there is nothing to read: what it was last seen with counts.
    const used = pid === undefined ? Number.NaN : await cpuOf(pid, 'own');
    if (!Number.isNaN(used)) backendUs = used;
    await sleep(LOOK_MS);
  }
  const [code] = await ended;
  const seconds = (performance.now() - started) / 1000;
  return { output, code, seconds, nodeUs: (await cpuOf('self', 'children')) - usedBefore, backendUs };
}

async function measure(folder: string, url: string): Promise<void> {
  const orders = Number(options.orders);
  const [catalogFile, ordersFile] = [join(folder, 'catalog.csv'), join(folder, 'orders.csv')];
  await writeCatalog(catalogFile);
  await writeOrders(ordersFile, orders);
  const watcher = new pg.Client({ connectionString: url });
  await watcher.connect();
  const store = ['--url', url, '--store', 'demo', '--report', join(folder, 'rejected.csv')];
  const catalog = await run(watcher, 'import', ...store, '--catalog', catalogFile);
  if (catalog.code !== 0) throw new Error(catalog.output);
  const imported = await run(watcher, 'import', ...store, '--orders', ordersFile);
  if (imported.code === 1) throw new Error(imported.output);
  const verified = await run(watcher, 'verify', '--url', url);
  const { rows } = await watcher.query<{ version: string; rejected: string }>(
    `SELECT current_setting('server_version') AS version, sum(rejected) AS rejected FROM imports`,
  );
  await watcher.end();
  const told = Number(/, (\d+) a second/.exec(imported.output)?.[1]);
  const each = (us: number): string => (Number.isNaN(us) ? 'unknown' : `${(us / orders).toFixed(0)} us`);
  console.log(`PostgreSQL ${rows[0]?.version}, ${orders} orders of 2.5 lines; catalog ${catalog.seconds.toFixed(1)} s`);
  console.log(`  orders a second    ${told} (aim: ${AIM}: ${told >= AIM ? 'met' : 'NOT met'})`);
  console.log(`  with start and end ${(orders / imported.seconds).toFixed(0)}`);
  console.log(`  CPU an order       import ${each(imported.nodeUs)}, its backend ${each(imported.backendUs)}`);
  console.log(`  rejected lines     ${rows[0]?.rejected}`);
  console.log(`  verify             ${verified.code === 0 ? 'all claims hold' : `BROKEN\n${verified.output}`}`);
}

const folder = await mkdtemp(join(tmpdir(), 'larder-bench-import-'));
const environment: Record<string, string> = process.env.DATABASE_URL ? {} : { DATA_DIR: folder };
const larder = await startLarder(environment, join(folder, 'larder.log'));
try {
  await measure(folder, process.env.DATABASE_URL ?? (await readFile(join(folder, 'database-url'), 'utf8')).trim());
} finally {
  await larder.stop();
  await rm(folder, { recursive: true, force: true });
}
