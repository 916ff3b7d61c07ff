import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hashPassword } from '../../src/modules/auth/passwords.js';
import { startApp, type TestApp } from '../support/app.js';
import { Factory } from '../support/factories.js';
import { DIRT, HEADER, line, noisyLines, QUOTED } from './dirty-file.js';
import { argumentsFor, startFaultyLine, startReplay, type ToolRun } from './replay-tool.js';

const NOTE = "o.note LIKE 'Replay %'";

let app: TestApp;
let folder: string;

beforeAll(async () => {
  app = await startApp({ LOG_LEVEL: 'error' });
  folder = await mkdtemp(join(tmpdir(), 'larder-replay-'));
  const factory = new Factory(app.sql);
  const store = await factory.store('demo', { deliveryFee: 399 });
  const manager = await factory.user(store, 'MANAGER');
  await app.sql.query(`UPDATE users SET email = 'manager@larder.test', password_hash = $2 WHERE id = $1`, [
    manager.id,
    await hashPassword('larder-demo'),
  ]);
});

afterAll(async () => {
  await app.close();
  await rm(folder, { recursive: true, force: true });
});

async function fileOf(lines: string[], lineEnd = '\n'): Promise<string> {
  const file = join(folder, `invoices-${Math.random()}.csv`);
  await writeFile(file, `\uFEFF${[HEADER, ...lines, ''].join(lineEnd)}`);
  return file;
}

/** The latest --url wins. */
function replay(file: string, ...more: string[]): Promise<ToolRun> {
  return startReplay([...argumentsFor(app, file, folder), ...more]).ended;
}

async function rows<Row extends object>(query: string, ...values: unknown[]): Promise<Row[]> {
  return (await app.sql.query<Row>(query, values)).rows;
}

/** Orders and stock movements of the run of a file, which all have its name in their notes. */
async function written(run: string): Promise<{ orders: number; names: number; movements: number; notes: number }> {
  const [row] = await rows<{ orders: number; names: number; movements: number; notes: number }>(
    `SELECT (SELECT count(*)::int FROM orders WHERE starts_with(note, $1)) AS orders,
            (SELECT count(DISTINCT note)::int FROM orders WHERE starts_with(note, $1)) AS names,
            count(*)::int AS movements, count(DISTINCT (variant_id, note))::int AS notes
       FROM stock_movements
      WHERE starts_with(note, $1)`,
    `Replay ${run} `,
  );
  if (!row) throw new Error('no row');
  return row;
}

function runOf({ output }: ToolRun): string {
  return /^Run ([0-9a-f]{8}):/m.exec(output)?.[1] ?? 'no run';
}

describe('a small dirty file', () => {
  const lines = [
    line('536365', '85123A', 6, '2,55'),
    line('536365', '85123a', 2, '2,1'),
    line('536365', '71053', 8, '3,39'),
    line('536365', '71053', 8, '3,39'),
    ...QUOTED,
    line('536367', '84406B', 5, '2,75', '13047'),
    ...DIRT.map(([, dirty]) => dirty),
    '',
    line('C536383', '84406B', -5, '2,75', '13047'),
    line('C536391', '71053', -3, '3,39'),
    line('C536392', '35004C', -1, '4,65', '15311'),
  ];
  let file: string;
  let first: ToolRun;

  beforeAll(async () => {
    file = await fileOf(lines, '\r\n');
    first = await replay(file);
  });

  it('is placed as orders whose sums are those of the file', async () => {
    expect(first.output).toContain('Equal, for every stock code.');
    expect(first.exitCode).toBe(0);
    const sold = await rows(
      `SELECT l.sku, l.quantity, l.total::int, o.subtotal::int, o.status
         FROM orders o
         JOIN order_lines l ON l.store_id = o.store_id AND l.order_id = o.id
        WHERE ${NOTE}
        ORDER BY o.note, l.line_no`,
    );
    const run = runOf(first);
    const [inFirst, inSecond] = [
      { subtotal: 7374, status: 'CONFIRMED' },
      { subtotal: 1260, status: 'CONFIRMED' },
    ];
    expect(sold).toEqual([
      { sku: `R${run}-85123A@255`, quantity: 6, total: 1530, ...inFirst },
      { sku: `R${run}-85123A@210`, quantity: 2, total: 420, ...inFirst },
      { sku: `R${run}-71053@339`, quantity: 8, total: 2712, ...inFirst },
      { sku: `R${run}-71053@339`, quantity: 8, total: 2712, ...inFirst },
      { sku: `R${run}-22633@185`, quantity: 6, total: 1110, ...inSecond },
      { sku: `R${run}-22634@150`, quantity: 1, total: 150, ...inSecond },
      { sku: `R${run}-84406B@275`, quantity: 5, total: 1375, subtotal: 1375, status: 'CANCELLED' },
    ]);
  });

  it('has each unusable line in the report, with its number and reason', async () => {
    const report = (await readFile(join(folder, 'rejected.csv'), 'utf8')).trim().split('\n');
    const lineNo = (dirty: string): number => lines.indexOf(dirty) + 2;
    expect(report.slice(1).map((row) => row.split(';', 2))).toEqual(
      DIRT.map(([reason, dirty]) => [String(lineNo(dirty)), reason]),
    );
    for (const [reason] of DIRT) expect(first.output).toMatch(new RegExp(`^ +1 {2}${reason}$`, 'm'));
  });

  it('puts goods on the shelf that are returned without undoing an order', async () => {
    const returned = await rows(
      `SELECT v.sku, m.delta FROM stock_movements m JOIN variants v ON v.id = m.variant_id
        WHERE m.reason = 'RETURN' ORDER BY m.delta`,
    );
    const run = runOf(first);
    expect(returned).toEqual([
      { sku: `R${run}-35004C@465`, delta: 1 },
      { sku: `R${run}-71053@339`, delta: 3 },
    ]);
  });

  it('changes nothing when it is replayed again', async () => {
    const before = await written(runOf(first));
    const again = await replay(file);
    expect(again.output).toContain('Orders placed: 0');
    expect(again.exitCode).toBe(0);
    expect(await written(runOf(first))).toEqual(before);
  });

  it('changes nothing when it is replayed after Larder has forgotten the Idempotency-Keys', async () => {
    const before = await written(runOf(first));
    await app.sql.query('DELETE FROM idempotency_keys');
    expect((await replay(file)).exitCode).toBe(0);
    expect(await written(runOf(first))).toEqual(before);
  });

  it('is replayed beside itself under another name', async () => {
    const other = await replay(file, '--run', 'second');
    expect(other.exitCode).toBe(0);
    expect(runOf(other)).not.toBe(runOf(first));
    expect(await written(runOf(other))).toEqual(await written(runOf(first)));
  });

  it('does not reconcile when an order is not as it was placed', async () => {
    const run = runOf(first);
    await app.sql.query(`UPDATE orders SET status = 'CANCELLED' WHERE note = 'Replay ${run} 536365-17850'`);
    const again = await replay(file);
    expect(again.output).toContain('DIFFERS  71053: units sold: 16 in the file, 0 in Larder');
    expect(again.exitCode).toBe(1);
  });
});

describe('nothing is lost or doubled', () => {
  /** Invoices of three lines each, of goods that all of them want. */
  const many = (count: number, firstInvoice: number): string[] =>
    Array.from({ length: count * 3 }, (_, index) => {
      const invoice = Math.floor(index / 3);
      return line(
        String(firstInvoice + invoice),
        `2200${index % 7}`,
        1 + (index % 5),
        '1,25',
        String(100 + (invoice % 4)),
      );
    });

  it('when it is killed while it places orders, and started again', async () => {
    const file = await fileOf([...many(400, 700_000), line('C700001', '22003', -1, '1,25', '103')]);
    const tool = startReplay([...argumentsFor(app, file, folder), '--concurrency', '2']);
    const placed = async () =>
      (await rows<{ n: number }>(`SELECT count(*)::int AS n FROM orders o WHERE o.note ~ ' 700[0-9]{3}-'`))[0]?.n;
    while (((await placed()) ?? 0) < 40) await sleep(5);
    tool.kill();
    expect((await tool.ended).exitCode).toBeNull();
    expect(await placed()).toBeLessThan(400);

    const again = await replay(file);
    expect(again.output).toContain('Equal, for every stock code.');
    expect(again.exitCode).toBe(0);
    expect(await written(runOf(again))).toEqual({ orders: 400, names: 400, movements: 8, notes: 8 });
  });

  it('when Larder dies between commit and answer, and is away for a while', async () => {
    const file = await fileOf([...many(180, 800_000), line('C800001', '22003', -1, '1,25', '103')]);
    const faulty = await startFaultyLine(app.url);
    try {
      const run = await replay(file, '--url', faulty.url);
      expect(run.output).toContain('Equal, for every stock code.');
      expect(run.output).toContain('Orders placed: 180');
      expect(run.exitCode).toBe(0);
      expect(faulty.cuts).toBeGreaterThan(5);
      expect(await written(runOf(run))).toEqual({ orders: 180, names: 180, movements: 8, notes: 8 });
    } finally {
      faulty.close();
    }
  });

  it('when orders were refused first, for a zip code that is not served', async () => {
    const file = await fileOf(many(3, 900_000));
    const refused = await replay(file, '--zip', '99999');
    expect(refused.output).toContain('ZIP_NOT_SERVED');
    expect(refused.exitCode).toBe(1);
    expect((await replay(file)).exitCode).toBe(0);
  });
});

describe('bad input', () => {
  it('gives the same sums by both ways of reading, whatever the lines look like', async () => {
    const file = await fileOf(noisyLines(30_000, 2010));
    const run = await replay(file, '--dry-run');
    expect(run.output).toContain('Equal, for every stock code.');
    expect(run.output).toContain('broken quotes');
    expect(run.exitCode).toBe(0);
  });

  it.each([
    ['a file that is not there', 'nothing.csv', [], 'can not be read'],
    ['a file of something else', 'package.json', [], 'No line of the file can be used'],
    ['a wrong password', 'valid', ['--password', 'wrong-password'], 'manager@larder.test can not log in'],
    [
      'Larder not being there',
      'valid',
      ['--url', 'http://127.0.0.1:9', '--patience', '1'],
      'run the same command again',
    ],
    ['an unknown option', 'valid', ['--frobnicate'], "Unknown option '--frobnicate'"],
    ['a concurrency of nothing', 'valid', ['--concurrency', '0'], 'a whole number from 1 to 256'],
  ])('says what is wrong with %s', async (_what, name, more, message) => {
    const file = name === 'valid' ? await fileOf([line('1', '22', 1, '1')]) : name;
    const run = await replay(file, ...more);
    expect(run.output).toContain(message);
    expect(run.output).not.toContain('    at ');
    expect(run.exitCode).toBe(1);
  });
});
