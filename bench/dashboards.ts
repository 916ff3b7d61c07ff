// npm run bench:dashboards: how long the 14 dashboards take, and what the cache spares the database. docs/generate.md tells of both.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import pg from 'pg';
import { measureLatencies } from './dashboard-latencies.ts';
import { measurePhases } from './dashboard-phases.ts';
import { databaseCpu } from './database-load.ts';
import { type Served, startLarder } from './processes.ts';

const { values: options } = parseArgs({
  options: {
    sizes: { type: 'string', default: '10000,100000,1000000' },
    readers: { type: 'string', default: '200' },
    /** Seconds between two looks of a reader, on average. */
    pause: { type: 'string', default: '8' },
    orders: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '15' },
    /** latencies or load: the other is left out. */
    only: { type: 'string' },
  },
});
const sizes = options.sizes.split(',').map(Number);
const readers = Number(options.readers);
const load = {
  readers,
  looksPerSecond: readers / Number(options.pause),
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
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(
    `${orders} orders: ${rows.length === 0 ? `generated, and their days added up, in ${seconds} s` : 'there already'}`,
  );
  return rows.length === 0;
}

const folder = await mkdtemp(join(tmpdir(), 'larder-bench-'));
let started = 0;
const logFile = () => join(folder, `larder-${started++}.log`);
/** Runs the embedded database, where none is given, and nothing else that counts. */
const host = process.env.DATABASE_URL ? undefined : await startLarder({ DATA_DIR: folder }, logFile());
try {
  const databaseUrl = process.env.DATABASE_URL ?? (await readFile(join(folder, 'database-url'), 'utf8')).trim();
  const start = (environment: Record<string, string>): Promise<Served> =>
    startLarder({ LARDER_ROLE: 'api', DATABASE_URL: databaseUrl, REDIS_URL: '', ...environment }, logFile());
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  let isNew = false;
  for (const orders of sizes) isNew = (await generate(client, databaseUrl, orders)) || isNew;
  if (isNew) await client.query('VACUUM (ANALYZE)');
  if (options.only !== 'load') {
    const [withoutCache, withCache] = [await start({ CACHE: 'off' }), await start({})];
    try {
      for (const orders of sizes) await measureLatencies({ withoutCache, withCache }, slugOf(orders), orders);
    } finally {
      await withoutCache.stop();
      await withCache.stop();
    }
  }
  if (options.only !== 'latencies') {
    const largest = Math.max(...sizes);
    console.log(`\nunder load, the store of ${largest} orders`);
    await measurePhases(start, await databaseCpu(client), slugOf(largest), load);
  }
  await client.end();
} finally {
  await host?.stop();
  await rm(folder, { recursive: true, force: true });
}
