import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FILL_ALONE } from '../../src/import/settle-store.js';
import { FoldDays } from '../../src/modules/dashboard/fold-days.js';
import type { OrderTrendsResponse } from '../../src/modules/dashboard/dto/sales.dto.js';
import { Shop } from '../support/shop.js';
import { DashboardScene, type DrawnOrder } from './dashboard.scene.js';

const DAY_MS = 86_400_000;
/** Noon, three days ago: a day that is folded. */
const noon = new Date(Math.floor(Date.now() / DAY_MS) * DAY_MS - 3 * DAY_MS + DAY_MS / 2);
const folded = noon.toISOString().slice(0, 10);

const order = (changes: Partial<DrawnOrder> = {}): DrawnOrder => ({
  placed: { quarter: 0, ms: 0 },
  status: 'DELIVERED',
  method: 'COD',
  deliveryFee: 0,
  lines: [{ variant: 0, quantity: 1, price: 1000, discount: 0 }],
  refundedShare: 0,
  refunds: [],
  attempts: [],
  ...changes,
});

const delivered: DrawnOrder['attempts'][number] = {
  agent: 0, zip: 0, status: 'DELIVERED', minutes: [1, 1, 1], promised: 60, pickedUp: true, fee: 0,
}; // prettier-ignore

let shop: Shop;

beforeAll(async () => {
  shop = await Shop.open();
});
afterAll(() => shop.close());

const open = () => DashboardScene.open(shop, 'UTC', noon.toISOString());
const total = async (scene: DashboardScene) => {
  const { total: figures } = (await scene.read('order-trends', `?from=${folded}&to=${folded}`)) as OrderTrendsResponse;
  return { placed: figures.placed, revenue: figures.revenue.amount };
};
const rollups = (scene: DashboardScene) =>
  shop.row(
    `SELECT (SELECT array_agg(day::text) FROM rollup_days WHERE store_id = $1 AND timezone = '') AS unfolded,
            (SELECT count(*)::int FROM rollup_marks WHERE store_id = $1) AS marks`,
    [scene.store.id],
  );
const days = async (scene: DashboardScene): Promise<string[]> => {
  const { rows } = await shop.larder.sql.query<{ day: string }>(
    `SELECT day::text FROM rollup_days WHERE store_id = $1 AND timezone <> '' ORDER BY day`,
    [scene.store.id],
  );
  return rows.map(({ day }) => day);
};

describe('Folding', () => {
  it('takes the days that ended a day ago, and the dashboards read what it wrote', async () => {
    const scene = await open();
    await scene.write([order(), order({ placed: { quarter: 96, ms: 0 } }), order({ placed: { quarter: 192, ms: 0 } })]);
    await scene.fold();
    const yesterday = new Date(Date.now() - DAY_MS).toISOString().slice(0, 10);
    expect((await days(scene))[0]).toBe(folded);
    expect(await days(scene)).not.toContain(yesterday);
    await shop.larder.sql.query('UPDATE order_days SET orders = 77 WHERE store_id = $1 AND day = $2', [
      scene.store.id,
      folded,
    ]);
    expect((await total(scene)).placed).toBe(77);
  });

  it('is done again when something was changed, and only then', async () => {
    const scene = await open();
    await scene.write([order()]);
    await scene.fold();
    const { rows: before } = await shop.larder.sql.query('SELECT * FROM rollup_days WHERE store_id = $1', [
      scene.store.id,
    ]);
    await scene.fold();
    const { rows: after } = await shop.larder.sql.query('SELECT * FROM rollup_days WHERE store_id = $1', [
      scene.store.id,
    ]);
    expect(after).toEqual(before);
    await scene.write([order({ lines: [{ variant: 1, quantity: 2, price: 50, discount: 0 }] })]);
    expect(await total(scene)).toEqual({ placed: 2, revenue: 1100 });
    await scene.fold();
    expect(await total(scene)).toEqual({ placed: 2, revenue: 1100 });
    const { rows: marks } = await shop.larder.sql.query('SELECT FROM rollup_marks WHERE store_id = $1', [
      scene.store.id,
    ]);
    expect(marks).toEqual([]);
  });

  it('waits for a transaction that began to write before, and is marked by one that commits later', async () => {
    const scene = await open();
    await scene.write([order()]);
    const late = await shop.larder.sql.connect();
    try {
      await late.query('BEGIN');
      await late.query(`UPDATE orders SET status = 'RETURNED' WHERE store_id = $1`, [scene.store.id]);
      const stop = new AbortController();
      const folding = shop.larder.app.get(FoldDays).foldAll(stop.signal);
      await shop.waitFor(
        `SELECT FROM pg_stat_activity
          WHERE datname = current_database() AND query LIKE '%pg_snapshot_xmin%' AND pid <> pg_backend_pid()`,
      );
      stop.abort();
      await folding;
      expect(await days(scene)).toEqual([]);
      // Folded all the same, as if it had begun to write a moment later.
      await scene.foldDay(folded);
      expect(await total(scene)).toEqual({ placed: 1, revenue: 1000 });
      await late.query('COMMIT');
    } finally {
      await late.query('ROLLBACK');
      late.release();
    }
    expect(await total(scene)).toEqual({ placed: 1, revenue: 0 });
    await scene.fold();
    expect(await total(scene)).toEqual({ placed: 1, revenue: 0 });
  });

  it('is of no use any more when the store moves to another time zone, until it is done again', async () => {
    const scene = await open();
    await scene.write([order({ placed: { quarter: 47, ms: 0 } })]);
    await scene.fold();
    expect((await total(scene)).placed).toBe(1);
    await shop.larder.sql.query(`UPDATE stores SET timezone = 'Asia/Kathmandu' WHERE id = $1`, [scene.store.id]);
    expect((await total(scene)).placed).toBe(0);
    await scene.fold();
    expect((await total(scene)).placed).toBe(0);
  });

  it('in one snapshot only', async () => {
    await expect(shop.larder.sql.query('SELECT fold_day($1, $2)', [shop.store.id, folded])).rejects.toThrow(
      'one snapshot',
    );
  });
});

describe('Orders that are brought in by the thousand', () => {
  it('unfold the days that they are of, leave no marks, and are counted at once', async () => {
    const scene = await open();
    await scene.write([order(), order({ placed: { quarter: -96, ms: 0 } })]);
    await scene.fold();
    await scene.write([order({ attempts: [delivered] })]);
    expect(await rollups(scene)).toEqual({ unfolded: [folded], marks: 0 });
    expect(await total(scene)).toEqual({ placed: 2, revenue: 2000 });
    await scene.fold();
    expect(await rollups(scene)).toEqual({ unfolded: null, marks: 0 });
    expect(await total(scene)).toEqual({ placed: 2, revenue: 2000 });
  });

  it('are seen by a fold that began before they were committed', async () => {
    const scene = await open();
    await scene.write([order()]);
    await scene.fold();
    const folding = await shop.larder.sql.connect();
    const bringing = await shop.larder.sql.connect();
    try {
      await folding.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
      await folding.query('SELECT 1 FROM orders');
      await bringing.query('BEGIN');
      await bringing.query(
        `INSERT INTO orders SELECT (jsonb_populate_record(o, jsonb_build_object('id', uuid_v7(), 'number', 'LATER'))).*
           FROM orders o WHERE o.store_id = $1`,
        [scene.store.id],
      );
      await bringing.query('SELECT unfold_days($1, ARRAY[$2::timestamptz])', [scene.store.id, noon]);
      const waiting = folding.query('SELECT fold_days($1, ARRAY[$2::date])', [scene.store.id, folded]);
      const refused = expect(waiting).rejects.toMatchObject({ code: '40001' });
      await shop.waitFor(
        `SELECT FROM pg_stat_activity
          WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%fold_days%'`,
      );
      await bringing.query('COMMIT');
      await refused;
    } finally {
      await folding.query('ROLLBACK');
      await bringing.query('ROLLBACK');
      folding.release();
      bringing.release();
    }
    expect((await total(scene)).placed).toBe(2);
    await scene.fold();
    expect((await total(scene)).placed).toBe(2);
  });

  it('are left alone by the job until who brings them in has gone', async () => {
    const scene = await open();
    await scene.write([order()]);
    const bringing = await shop.larder.sql.connect();
    await bringing.query(FILL_ALONE, [scene.store.id]);
    await scene.fold();
    expect(await days(scene)).toEqual([]);
    await bringing.query('SELECT pg_advisory_unlock_all()');
    bringing.release();
    await scene.fold();
    expect(await days(scene)).toContain(folded);
  });
});

describe('Folding against writers', () => {
  it('leaves every figure right at every moment: 40 returns and refunds of one day while it is folded over and over', async () => {
    const scene = await open();
    const ORDERS = 40;
    await scene.write(Array.from({ length: ORDERS }, () => order()));
    const { rows } = await shop.larder.sql.query<{ id: string }>('SELECT id FROM orders WHERE store_id = $1', [
      scene.store.id,
    ]);
    let returned = 0;
    let folds = 0;
    let done = false;
    const writing = (async () => {
      for (const { id } of rows) {
        // Eight to a fold, so that folds come before, between and after them.
        while (returned >= (folds + 1) * 8) await shop.larder.sql.query('SELECT 1');
        await shop.larder.sql.query(`UPDATE orders SET status = 'RETURNED' WHERE store_id = $1 AND id = $2`, [
          scene.store.id,
          id,
        ]);
        returned++;
      }
      done = true;
    })();
    const folding = (async () => {
      for (; !done; folds++) await scene.foldDay(folded);
    })();
    const wrong: object[] = [];
    while (!done) {
      const most = ORDERS - returned;
      const { revenue } = await total(scene);
      // The one that is being returned may be counted already, or not yet.
      const least = ORDERS - returned - 1;
      if (revenue > most * 1000 || revenue < least * 1000) wrong.push({ revenue, most, least });
    }
    await Promise.all([writing, folding]);
    expect(folds).toBeGreaterThan(3);
    expect(wrong).toEqual([]);
    expect(await total(scene)).toEqual({ placed: ORDERS, revenue: 0 });
    await scene.fold();
    expect(await total(scene)).toEqual({ placed: ORDERS, revenue: 0 });
  });
});
