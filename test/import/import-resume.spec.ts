import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Build, buildLarder } from '../support/built-larder.js';
import { raceRounds } from '../support/race-rounds.js';
import { verify } from '../support/verify.js';
import { csv, ImportScene } from './import.scene.js';

const KILLS = raceRounds(24);
/** Eight batches: each kill leaves something to do for the next. */
const ORDERS = 4000;
/** More than the memory allowed, and more than a string can be. */
const ENDLESS_BYTES = 2 ** 29 + 2 ** 20;
/** Kilobytes. Node alone takes 60 MB, and the first chunk's buffers some more. */
const MOST_MEMORY_KB = 350_000;

let scene: ImportScene;
let build: Build;

beforeAll(async () => {
  scene = await ImportScene.open();
  build = await buildLarder();
});
afterAll(async () => {
  await build.clear();
  await scene.close();
});

const COLUMNS = [
  'reference',
  'placed_at',
  'status',
  'payment_method',
  'customer_email',
  'zip',
  'agent_email',
  'offered_at',
  'accepted_at',
  'picked_up_at',
  'delivered_at',
  'sku',
  'quantity',
  'unit_price',
];

/** Orders of two lines; every hundredth has one that can't be used. */
function history(orders: number): string {
  const rows = Array.from({ length: orders }, (_, n) => {
    const at = (minutes: number) => new Date(Date.UTC(2022, 0, 1) + (n * 10 + minutes) * 60_000).toISOString();
    const order = {
      reference: `H-${n}`,
      placed_at: at(0),
      status: 'DELIVERED',
      payment_method: n % 2 === 0 ? 'COD' : 'WALLET',
      customer_email: `customer${n % 500}@history.test`,
      zip: '10001',
      agent_email: `agent${n % 7}@history.test`,
      offered_at: at(1),
      accepted_at: at(2),
      picked_up_at: at(9),
      delivered_at: at(30),
    };
    return [
      { ...order, sku: 'TEA', quantity: 1, unit_price: '5.00' },
      { ...order, sku: 'JAM', quantity: n % 100 === 99 ? 0 : 2, unit_price: '3.00' },
    ];
  });
  return csv(COLUMNS, rows.flat());
}

const args = (...more: string[]) => [
  join(build.folder, 'dist/cli/import.js'),
  '--url',
  scene.database.url,
  '--store',
  'demo',
  '--report',
  scene.report,
  ...more,
];
const env = { PATH: process.env.PATH };

it(`killed ${KILLS} times at any moment and started again, loses and doubles nothing`, async () => {
  const catalog = await scene.file('catalog.csv', 'sku,product,name,price\nTEA,tea,Tea,5.00\nJAM,jam,Jam,3.00\n');
  const orders = await scene.file('orders.csv', history(ORDERS));
  const files = ['--catalog', catalog, '--orders', orders];
  const imported = async () => Number((await scene.rows<{ n: string }>('SELECT count(*) AS n FROM orders'))[0]!.n);
  const levels = new Set<number>();
  for (let kill = 0; kill < KILLS; kill++) {
    const before = await imported();
    const child = spawn(process.execPath, args(...files), { env, stdio: 'ignore' });
    const exited = once(child, 'exit');
    // Until it works, and then for a moment that is another each time.
    const deadline = performance.now() + 20_000;
    while ((await imported()) === before && child.exitCode === null && performance.now() < deadline) await sleep(5);
    await sleep((kill * 17) % 100);
    child.kill('SIGKILL');
    await exited;
    levels.add(await imported());
  }
  expect(levels.size).toBeGreaterThan(3);
  const last = await promisify(execFile)(process.execPath, args(...files), { env }).catch((error: unknown) => error);
  expect(last).toMatchObject({ code: 2 });
  const [sums] = await scene.rows(
    `SELECT count(*)::int AS orders, count(DISTINCT number)::int AS numbers, sum(total)::int AS total,
            (SELECT count(*)::int FROM order_lines) AS lines, (SELECT count(*)::int FROM shipping_assignments) AS parcels,
            (SELECT count(*)::int FROM ledger_transactions WHERE type = 'SALE') AS sales,
            (SELECT count(*)::int FROM users) AS people
       FROM orders`,
  );
  const whole = ORDERS - ORDERS / 100;
  expect(sums).toEqual({
    orders: whole,
    numbers: whole,
    total: whole * 1100,
    lines: whole * 2,
    parcels: whole,
    sales: whole,
    people: 507 - 5,
  });
  const [run] = await scene.rows(
    `SELECT status, (imported + present)::int AS orders, rejected::int FROM imports WHERE kind = 'ORDERS'`,
  );
  expect(run).toEqual({ status: 'DONE', orders: whole, rejected: (ORDERS / 100) * 2 });
  expect(Object.keys(await scene.rejected())).toHaveLength((ORDERS / 100) * 2);
  await verify(scene.sql);
}, 240_000);

it('asked to stop, ends after the batch that it is at, and says how to go on', async () => {
  const orders = await scene.file('stopped.csv', history(1500).replaceAll('H-', 'S-'));
  const { outcomes } = await scene.run({ orders }, { isStopped: () => true });
  expect(outcomes[0]).toMatchObject({ end: 'stopped', imported: expect.any(Number) });
  expect((await scene.run({ orders })).outcomes[0]).toMatchObject({ end: 'done', resumed: true, imported: 1485 });
  await verify(scene.sql);
});

/**
 * Runs the command and tells how much memory it had at most. Of the kernel's own account of this program: what getrusage tells
 * begins with the size of the process that started it.
 */
async function memoryOf(file: string): Promise<{ output: string; kilobytes: number }> {
  const script = `import { readFileSync } from 'node:fs';
    const peak = () => /VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    process.on('exit', () => console.error('PEAK ' + peak()));`;
  const hook = join(scene.folder, 'peak.mjs');
  await writeFile(hook, script);
  const child = spawn(process.execPath, ['--import', hook, ...args('--catalog', file)], { env });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await once(child, 'close');
  return { output, kilobytes: Number(/PEAK (\d+)/.exec(output)?.[1]) };
}

describe('a line of half a gigabyte', () => {
  it('that is the whole file is refused, in little memory', async () => {
    const file = await scene.file('endless.csv', '');
    await truncate(file, ENDLESS_BYTES);
    const { output, kilobytes } = await memoryOf(file);
    expect(output).toMatch(/no line end in the first \d+ bytes/);
    expect(kilobytes).toBeLessThan(MOST_MEMORY_KB);
  });

  it('among others is told with its place and passed over, in little memory', async () => {
    const head = 'sku,product,name,price\nONE,one,One,1\n';
    const file = await scene.file('huge.csv', head);
    await truncate(file, ENDLESS_BYTES);
    const handle = await open(file, 'r+');
    await handle.write('\nTWO,two,Two,2\n', ENDLESS_BYTES);
    await handle.close();
    const { output, kilobytes } = await memoryOf(file);
    expect(output).toContain('2 variants were imported');
    expect((await scene.rejected())['3']).toContain(`from byte ${head.length} on`);
    expect(kilobytes).toBeLessThan(MOST_MEMORY_KB);
  });
});
