// npm run bench:dashboards: how long the 14 dashboards take, and what the cache spares the database. docs/generate.md has the stores.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import pg from 'pg';
import { DASHBOARDS, enterShop, look, type Shop } from './dashboard-client.ts';
import { type Load, type LoadFigures, measureLoad, quantile } from './dashboard-load.ts';
import { databaseCpu, foldDays } from './database-load.ts';
import { type Served, startLarder } from './processes.ts';
import { RedisProcess } from './redis-process.ts';

const COLD_AIM_MS = 200;
const WARM_AIM_MS = 5;
const FROZEN_AIM_MS = 100;
const COLD_LOOKS = 9;
const WARM_LOOKS = 100;
const DAY_MS = 86_400_000;

const { values: options } = parseArgs({
  options: {
    sizes: { type: 'string', default: '10000,100000,1000000' },
    readers: { type: 'string', default: '200' },
    orders: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '20' },
  },
});
const sizes = options.sizes.split(',').map(Number);
const load: Load = {
  readers: Number(options.readers),
  ordersPerSecond: Number(options.orders),
  seconds: Number(options.seconds),
};
const slugOf = (orders: number): string => `bench-${orders}`;

/** Makes the store of so many orders in a year, or goes on making it; one that is there from an earlier run is taken as it is: false. */
async function generate(client: pg.Client, url: string, orders: number): Promise<boolean> {
  const slug = slugOf(orders);
  const { rows } = await client.query("SELECT 1 FROM stores WHERE slug = $1 AND name NOT LIKE '%(unfinished)'", [slug]);
  const started = performance.now();
  if (rows.length === 0) {
    const command = ['dist/cli/generate.js', '--orders', String(orders), '--store', slug, '--url', url];
    await promisify(execFile)(process.execPath, command, { maxBuffer: 1 << 26 });
  }
  const generated = performance.now();
  await foldDays(client, slug);
  const seconds = [generated - started, performance.now() - generated].map((ms) => (ms / 1000).toFixed(1));
  console.log(
    `${orders} orders: ${rows.length === 0 ? `generated in ${seconds[0]} s` : 'there already'}, days added up in ${seconds[1]} s`,
  );
  return rows.length === 0;
}

/** Milliseconds at the client, sorted. The first look is at cold code, and is left out. */
async function looks(served: Served, shop: Shop, name: string, query: string, times: number): Promise<number[]> {
  const ms: number[] = [];
  for (let n = 0; n <= times; n++) {
    const answer = await look(served.url, shop, name, query);
    if (answer.status !== 200) throw new Error(`${name}: ${answer.status} ${answer.body}`);
    if (n > 0) ms.push(answer.ms);
  }
  return ms.sort((a, b) => a - b);
}

const yearLong = (): string => {
  const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  return `?from=${day(Date.now() - 366 * DAY_MS)}&to=${day(Date.now() - DAY_MS)}`;
};

interface Row {
  name: string;
  cells: number[];
}

const cell = (value: number): string => (Number.isNaN(value) ? '-' : value.toFixed(1)).padStart(10);
const verdict = (worst: number, aim: number): string =>
  `${worst.toFixed(1)} ms (aim: ${aim} ms: ${worst <= aim ? 'met' : 'NOT met'})`;

function printRows(title: string, rows: Row[], headings: string[]): void {
  console.log(`\n${title}`);
  console.log(`  ${''.padEnd(26)}${headings.map((heading) => heading.padStart(10)).join('')}`);
  for (const { name, cells } of rows) console.log(`  ${name.padEnd(26)}${cells.map(cell).join('')}`);
}

/** Each dashboard of each size: of the last 30 days and of 366, read from the database; and from memory. */
async function measureLatencies(withoutCache: Served, withCache: Served): Promise<void> {
  for (const orders of sizes) {
    const shop = await enterShop(withoutCache.url, slugOf(orders), false);
    const rows: Row[] = [];
    for (const { name, ranged } of DASHBOARDS) {
      const cold = await looks(withoutCache, shop, name, '', COLD_LOOKS);
      const year = ranged ? await looks(withoutCache, shop, name, yearLong(), COLD_LOOKS) : [];
      const warm = await looks(withCache, shop, name, '', WARM_LOOKS);
      const ends = [cold, year, warm].flatMap((ms) => [quantile(ms, 0.5), quantile(ms, 1)]);
      rows.push({ name, cells: ends });
    }
    const headings = ['cold p50', 'max', '366 d p50', 'max', 'warm p50', 'max'];
    printRows(`${orders} orders in a year, ms at the client`, rows, headings);
    const worst = (columns: number[]) =>
      Math.max(...rows.flatMap(({ cells }) => columns.map((c) => cells[c] ?? 0)).filter((ms) => ms > 0));
    console.log(
      `  slowest median cold: ${verdict(worst([0, 2]), COLD_AIM_MS)}; warm: ${verdict(worst([4]), WARM_AIM_MS)}`,
    );
  }
}

const LOAD_HEADINGS = [
  'reads/s',
  'p50 ms',
  'p99 ms',
  'failed',
  'orders/s',
  'p50 ms',
  'p99 ms',
  'failed',
  'SQL/s',
  'DB cores',
  'app cores',
];

function loadRow(name: string, { reads, orders, statements, databaseCores, larderCores }: LoadFigures): Row {
  const of = ({ perSecond, p50, p99, failed }: LoadFigures['reads']) => [perSecond, p50, p99, failed];
  return { name, cells: [...of(reads), ...of(orders), statements, databaseCores, larderCores] };
}

/** The same load without the cache, with memory alone, with Redis, and with a Redis that is frozen half-way. */
async function measureLoads(
  start: (environment: Record<string, string>) => Promise<Served>,
  client: pg.Client,
): Promise<void> {
  const slug = slugOf(Math.max(...sizes));
  const cpu = await databaseCpu(client);
  const rows: Row[] = [];
  const run = async (environment: Record<string, string>, work: (served: Served, shop: Shop) => Promise<void>) => {
    const served = await start(environment);
    try {
      const shop = await enterShop(served.url, slug, true);
      await measureLoad(served, shop, cpu, { ...load, seconds: 5 });
      await work(served, shop);
    } finally {
      await served.stop();
    }
  };
  const measure = async (name: string, served: Served, shop: Shop): Promise<LoadFigures> => {
    const figures = await measureLoad(served, shop, cpu, load);
    rows.push(loadRow(name, figures));
    return figures;
  };
  await run({ CACHE: 'off' }, async (served, shop) => void (await measure('without the cache', served, shop)));
  await run({}, async (served, shop) => void (await measure('in memory', served, shop)));
  const redis = await RedisProcess.start();
  let [well, frozen]: (LoadFigures | undefined)[] = [];
  try {
    await run({ REDIS_URL: redis.url }, async (served, shop) => {
      well = await measure('with Redis', served, shop);
      setTimeout(() => redis.freeze(), 2000);
      frozen = await measure('Redis frozen after 2 s', served, shop);
    });
  } finally {
    await redis.stop();
  }
  printRows(
    `${load.readers} readers and ${load.ordersPerSecond} orders a second for ${load.seconds} s, ${Math.max(...sizes)} orders`,
    rows,
    LOAD_HEADINGS,
  );
  printVerdicts(rows, well, frozen);
}

function printVerdicts(rows: Row[], well: LoadFigures | undefined, frozen: LoadFigures | undefined): void {
  const [without = Number.NaN, memory = Number.NaN] = rows.map(({ cells }) => cells[8] ?? Number.NaN);
  console.log(
    `  the cache in memory saves ${(without - memory).toFixed(0)} statements a second of ${without.toFixed(0)}`,
  );
  if (!well || !frozen) return;
  for (const kind of ['reads', 'orders'] as const) {
    const added = Math.max(0, frozen[kind].p99 - well[kind].p99);
    console.log(
      `  a frozen Redis adds to the p99 of ${kind}: ${verdict(added, FROZEN_AIM_MS)}; ${frozen[kind].failed} failed (aim: 0)`,
    );
  }
}

const folder = await mkdtemp(join(tmpdir(), 'larder-bench-'));
let started = 0;
const logFile = () => join(folder, `larder-${started++}.log`);
/** Runs the embedded database, where none is given, and nothing else that counts. */
const host = process.env.DATABASE_URL ? undefined : await startLarder({ DATA_DIR: folder }, logFile());
try {
  const databaseUrl = process.env.DATABASE_URL ?? (await readFile(join(folder, 'database-url'), 'utf8')).trim();
  const start = (environment: Record<string, string>): Promise<Served> =>
    startLarder({ LARDER_ROLE: 'api', DATABASE_URL: databaseUrl, ...environment }, logFile());
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  let isNew = false;
  for (const orders of sizes) isNew = (await generate(client, databaseUrl, orders)) || isNew;
  if (isNew) await client.query('VACUUM (ANALYZE)');
  const [withoutCache, withCache] = [await start({ CACHE: 'off' }), await start({})];
  try {
    await measureLatencies(withoutCache, withCache);
  } finally {
    await withoutCache.stop();
    await withCache.stop();
  }
  await measureLoads(start, client);
  await client.end();
} finally {
  await host?.stop();
  await rm(folder, { recursive: true, force: true });
}
