import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Shop } from '../support/shop.js';

const POOL = 10;
/** A fifth of the pool. */
const AT_ONCE = 2;
/** More than there are connections. */
const ASKED = 28;

let shop: Shop;

beforeAll(async () => {
  shop = await Shop.open({}, { POOL_SIZE: String(POOL) });
  // Or its dashboards would be among those that are counted.
  await shop.waitUntil(() => shop.larder.logLines().some(({ event }) => event === 'cache_warming_completed'));
  // Every dashboard of orders takes until the gate is opened.
  await shop.larder.sql.query(`
    CREATE SEQUENCE gate;
    CREATE OR REPLACE FUNCTION count_orders(p_store uuid, p_from timestamptz, p_to timestamptz)
    RETURNS TABLE (status text, payment_method text, orders int, total bigint, refunded bigint) LANGUAGE plpgsql AS $$
    BEGIN
      WHILE NOT (SELECT is_called FROM gate) LOOP
        PERFORM pg_sleep(0.005);
      END LOOP;
    END $$`);
});
afterAll(() => shop.close());

const counting = () =>
  shop.row(`
    SELECT count(*)::int AS dashboards
      FROM pg_stat_activity
     WHERE datname = current_database() AND state = 'active' AND query LIKE '%days AS MATERIALIZED%' AND pid <> pg_backend_pid()`);

it(`Orders are placed while ${ASKED} slow dashboards are looked at, which come in their turn`, async () => {
  const customer = await shop.make.user(shop.store, 'CUSTOMER');
  const variantId = await shop.make.variant(shop.store, { price: 500, onHand: 100 });
  const looks = Array.from({ length: ASKED }, (_, n) => {
    const day = `2026-01-${String(n + 1).padStart(2, '0')}`;
    return shop.call('get', `/api/dashboard/sales-by-status?from=${day}&to=${day}`, shop.manager);
  });
  await shop.waitUntil(async () => (await counting()).dashboards === AT_ONCE);
  for (let n = 0; n < 5; n += 1) await shop.placed(customer, [{ variantId, quantity: 1 }]);
  expect(await counting()).toEqual({ dashboards: AT_ONCE });
  await shop.row("SELECT nextval('gate')");
  expect((await Promise.all(looks)).map(({ status }) => status)).toEqual(looks.map(() => 200));
});
