import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Shop } from '../support/shop.js';

const ASKED = 100;

let shop: Shop;

beforeAll(async () => {
  shop = await Shop.open({}, { STATEMENT_TIMEOUT_MS: '600' });
  // Or its dashboards would be among those that are counted.
  await shop.waitUntil(() => shop.larder.logLines().some(({ event }) => event === 'cache_warming_completed'));
  // As if the days that aren't folded had millions of orders; a sequence counts for those who are stopped too.
  await shop.larder.sql.query(`
    CREATE SEQUENCE counted;
    CREATE OR REPLACE FUNCTION count_orders(p_store uuid, p_from timestamptz, p_to timestamptz)
    RETURNS TABLE (status text, payment_method text, orders int, total bigint, refunded bigint) LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM nextval('counted');
      PERFORM pg_sleep(60);
    END $$`);
});
afterAll(() => shop.close());

const look = (day: string) => shop.ask('get', `/api/dashboard/order-trends?from=${day}&to=${day}`, shop.manager);
const counted = () => shop.row('SELECT last_value::int AS times FROM counted');

it(`A dashboard that takes too long is told so to all ${ASKED} who ask, and counted once`, async () => {
  const replies = await Promise.all(Array.from({ length: ASKED }, () => look('2026-01-01')));
  replies.push(await look('2026-01-01'));
  for (const { status, headers, body } of replies) {
    expect({ status, body: body as object, after: headers['retry-after'] }).toMatchObject({
      status: 503,
      body: { code: 'FIGURES_NOT_READY' },
      after: '30',
    });
  }
  expect(await counted()).toEqual({ times: 1 });
});

it('Other days and other dashboards are read all the same', async () => {
  await look('2026-01-02').expect(503);
  expect(await counted()).toEqual({ times: 2 });
  await shop.ask('get', '/api/dashboard/top-products?from=2026-01-01&to=2026-01-01', shop.manager).expect(200);
});
