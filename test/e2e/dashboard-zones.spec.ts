import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Shop } from '../support/shop.js';
import { DashboardScene } from './dashboard.scene.js';

/** The evening of the 9th in New York, the morning of the 10th in Berlin. */
const PLACED = '2026-05-10T02:00:00Z';

let shop: Shop;

beforeAll(async () => {
  shop = await Shop.open();
});
afterAll(() => shop.close());

it('A store that has tried another time zone has exact figures in its old one, whatever was changed and folded meanwhile', async () => {
  const scene = await DashboardScene.open(shop, 'America/New_York', PLACED);
  const { sql } = shop.larder;
  const move = (timezone: string) => shop.ask('patch', '/api/store', scene.manager, { body: { timezone } }).expect(200);
  const statuses = async () => {
    const { items } = (await scene.read('sales-by-status', '?from=2026-05-09&to=2026-05-09')) as {
      items: { status: string }[];
    };
    return items.map(({ status }) => status);
  };
  await scene.write([
    {
      placed: { quarter: 0, ms: 0 },
      status: 'DELIVERED',
      method: 'COD',
      deliveryFee: 0,
      lines: [{ variant: 0, quantity: 1, price: 1000, discount: 0 }],
      refundedShare: 0,
      refunds: [],
      attempts: [],
    },
  ]);
  for (const day of ['2026-05-09', '2026-05-10']) await scene.foldDay(day);
  expect(await statuses()).toEqual(['DELIVERED']);
  await move('Europe/Berlin');
  await sql.query(`UPDATE orders SET status = 'RETURNED' WHERE store_id = $1`, [scene.store.id]);
  await scene.foldDay('2026-05-10');
  await move('America/New_York');
  expect(await statuses()).toEqual(['RETURNED']);
});
