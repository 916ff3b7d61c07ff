import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { CLAIMS } from '../../src/verify/claims.js';
import { verifyDatabase } from '../../src/verify/verify-database.js';
import { freshKey, type TestUser } from '../support/factories.js';
import { orderOf, PATIENT, Shop } from '../support/shop.js';

jest.setTimeout(300_000);

const CHECKS = 20;
const CUSTOMERS = 8;

let shop: Shop;
let customers: TestUser[];
let variants: string[];

beforeAll(async () => {
  shop = await Shop.open({ deliveryFee: 199 }, PATIENT);
  customers = await Promise.all(Array.from({ length: CUSTOMERS }, () => shop.make.user(shop.store)));
  for (const customer of customers) await shop.make.topUp(shop.store, customer, 100_000_000);
  variants = await Promise.all(Array.from({ length: 5 }, () => shop.make.variant(shop.store, { onHand: 1_000_000 })));
});
afterAll(() => shop.close());

/** Orders from the wallet or in cash, and cancels every third, until told to stop. */
async function keepOrdering(customer: TestUser, done: () => boolean): Promise<number> {
  let placed = 0;
  for (; !done(); placed++) {
    const line = { variantId: variants[placed % variants.length]!, quantity: 1 };
    const body = orderOf([line], { paymentMethod: placed % 2 ? 'WALLET' : 'COD' });
    const { status, body: order } = await shop.call('post', '/api/orders', customer, { key: freshKey(), body });
    if (status !== 201) throw new Error(`An order was answered ${status} ${order.code}`);
    if (placed % 3 === 0) {
      await shop.call('patch', `/api/orders/${order.id}`, customer, { body: { status: 'CANCELLED' } });
    }
  }
  return placed;
}

describe('A database that is being written to', () => {
  it(`is sound ${CHECKS} times while ${CUSTOMERS} customers order and cancel, and keeps none of them waiting`, async () => {
    let stop = false;
    const ordering = Promise.all(customers.map((customer) => keepOrdering(customer, () => stop)));
    let placedBetween = 0;
    const waits: string[] = [];
    let looks = 0;
    const watching = (async () => {
      for (; !stop; looks++) {
        const { rows } = await shop.larder.sql.query<{ query: string }>(
          `SELECT a.query
             FROM pg_stat_activity a
             JOIN pg_stat_activity v ON v.pid = ANY (pg_blocking_pids(a.pid)) AND v.application_name = 'larder-verify'
            WHERE a.datname = current_database() AND a.wait_event_type = 'Lock'`,
        );
        waits.push(...rows.map(({ query }) => query));
        await sleep(20);
      }
    })();
    try {
      for (let check = 0; check < CHECKS; check++) {
        const { n: before } = await shop.row<{ n: number }>('SELECT count(*)::int AS n FROM orders');
        const findings = await verifyDatabase(CLAIMS, {
          connectionString: shop.larder.config.DATABASE_URL!,
          connections: 2,
          timeoutMs: 60_000,
          workMemMb: 16,
        });
        expect(findings.filter(({ broken }) => broken !== 0)).toEqual([]);
        const { n: after } = await shop.row<{ n: number }>('SELECT count(*)::int AS n FROM orders');
        placedBetween += after - before;
      }
    } finally {
      stop = true;
    }
    const placed = (await ordering).reduce((sum, count) => sum + count, 0);
    expect(placed).toBeGreaterThan(CHECKS);
    // Orders came in while it checked: it was one moment of the database that it looked at, not several.
    expect(placedBetween).toBeGreaterThan(CHECKS);
    await watching;
    expect(looks).toBeGreaterThan(CHECKS);
    expect(waits).toEqual([]);
  });
});
