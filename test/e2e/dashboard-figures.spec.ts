import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { checkClaim } from '../../src/verify/check-claim.js';
import { DASHBOARDS } from '../../src/verify/dashboard.claims.js';
import { Shop } from '../support/shop.js';
import {
  type AssignmentRow,
  type Books,
  type Days,
  type FeeRow,
  type LineRow,
  Naive,
  type OrderRow,
  type PaymentRow,
  type RefundRow,
} from './dashboard.naive.js';
import { DashboardScene, histories, ZONES } from './dashboard.scene.js';

let shop: Shop;

beforeAll(async () => {
  shop = await Shop.open();
});
afterAll(() => shop.close());

const dayNear = (around: string, days: number): string =>
  new Date(Date.parse(around) + days * 86_400_000).toISOString().slice(0, 10);

async function booksOf(scene: DashboardScene, zone: string): Promise<Books> {
  const { sql } = shop.larder;
  const { rows: fees } = await sql.query<FeeRow>(
    `SELECT t.reference AS assignment_id, e.amount
       FROM ledger_transactions t
       JOIN ledger_entries e ON e.store_id = t.store_id AND e.transaction_id = t.id AND e.amount > 0
      WHERE t.store_id = $1 AND t.type = 'AGENT_FEE'`,
    [scene.store.id],
  );
  const agents = await scene.rows<{ id: string; name: string }>('delivery_agents');
  const variants = await scene.rows<{ id: string; product_id: string; sku: string }>('variants');
  const products = await scene.rows<{ id: string; name: string }>('products');
  const nameOf = (id: string) => products.find((product) => product.id === id)!.name;
  return {
    zone,
    orders: await scene.rows<OrderRow>('orders'),
    lines: await scene.rows<LineRow>('order_lines'),
    payments: await scene.rows<PaymentRow>('payments'),
    refunds: await scene.rows<RefundRow>('refunds'),
    assignments: await scene.rows<AssignmentRow>('shipping_assignments'),
    fees,
    names: {
      agents: new Map(agents.map(({ id, name }) => [id, name])),
      variants: new Map(
        variants.map((v) => [v.id, { productId: v.product_id, sku: v.sku, name: nameOf(v.product_id) }]),
      ),
      cash: new Map(),
    },
  };
}

/** All dashboards of all ranges are what the rows say. */
async function expectExact(scene: DashboardScene, zone: string, ranges: Days[]): Promise<void> {
  const books = await booksOf(scene, zone);
  for (const days of ranges) {
    for (const [name, figures] of Object.entries(new Naive(books, days).all())) {
      const told = await scene.read(name, `?from=${days.from}&to=${days.to}`);
      expect({ name, days, told }).toEqual({ name, days, told: figures });
    }
  }
}

/** What happens to orders of the past: one is returned, one is given money back for, one more is brought in. */
async function changeLater(scene: DashboardScene): Promise<void> {
  const { sql } = shop.larder;
  await sql.query(
    `UPDATE orders SET status = CASE status WHEN 'DELIVERED' THEN 'RETURNED' WHEN 'SHIPPING' THEN 'DELIVERED' ELSE 'CANCELLED' END
      WHERE store_id = $1 AND id IN (SELECT id FROM orders WHERE store_id = $1 ORDER BY md5(id::text) LIMIT 3)`,
    [scene.store.id],
  );
  await sql.query(
    `UPDATE payments SET refunded_amount = captured_amount - refunded_amount
      WHERE store_id = $1 AND id IN (SELECT id FROM payments WHERE store_id = $1 ORDER BY md5(id::text) LIMIT 2)`,
    [scene.store.id],
  );
}

async function stateOf(scene: DashboardScene) {
  const { rows } = await shop.larder.sql.query<{ folded: number; marks: number }>(
    `SELECT (SELECT count(*)::int FROM rollup_days WHERE store_id = $1 AND timezone <> '') AS folded,
            (SELECT count(*)::int FROM rollup_marks WHERE store_id = $1) AS marks`,
    [scene.store.id],
  );
  return rows[0]!;
}

async function expectSound(): Promise<void> {
  for (const claim of DASHBOARDS.claims) {
    expect({ claim: claim.name, ...(await checkClaim(shop.larder.sql, claim)) }).toMatchObject({ broken: 0, rows: [] });
  }
}

describe.each(ZONES)('around $what in $zone', ({ zone, around }) => {
  it('every figure is that of a naive recomputation: nothing folded, folded, changed since, folded in part', async () => {
    await fc.assert(
      fc.asyncProperty(histories, histories, async (history, more) => {
        const scene = await DashboardScene.open(shop, zone, around);
        const ranges = [
          { from: dayNear(around, -3), to: dayNear(around, 3) },
          { from: dayNear(around, 0), to: dayNear(around, 0) },
          { from: dayNear(around, -1), to: dayNear(around, 1) },
        ];
        const all = [-4, -3, -2, -1, 0, 1, 2, 3, 4].map((days) => dayNear(around, days));
        await scene.write(history);
        expect((await stateOf(scene)).folded).toBe(0);
        await expectExact(scene, zone, ranges);

        for (const day of all) await scene.foldDay(day);
        expect(await stateOf(scene)).toEqual({ folded: all.length, marks: 0 });
        await expectExact(scene, zone, ranges);
        await expectSound();

        await changeLater(scene);
        expect((await stateOf(scene)).marks).toBeGreaterThan(0);
        await expectExact(scene, zone, ranges);
        await scene.write(more);
        expect((await stateOf(scene)).folded).toBeLessThan(all.length);
        await expectExact(scene, zone, ranges);
        await expectSound();

        await scene.foldDay(dayNear(around, 0));
        await scene.foldDay(dayNear(around, -1));
        await expectExact(scene, zone, ranges);
        for (const day of all) await scene.foldDay(day);
        expect((await stateOf(scene)).marks).toBe(0);
        await expectExact(scene, zone, ranges);
        await expectSound();
      }),
      { numRuns: 1, endOnFailure: true },
    );
  });
});
