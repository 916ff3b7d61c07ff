import type { OrderResponse } from '../../src/modules/orders/dto/order.dto.js';
import { freshKey, type TestUser } from '../support/factories.js';
import { orderOf, Shop } from '../support/shop.js';
import { verify } from '../support/verify.js';

let shop: Shop;
let customer: TestUser;

beforeAll(async () => {
  shop = await Shop.open();
  customer = await shop.make.user(shop.store);
});
afterEach(() => verify(shop.larder.sql));
afterAll(() => shop.close());

const change = (body: object) => shop.ask('patch', '/api/store', shop.manager, { body });

it('are read and changed one by one, for what begins from then on', async () => {
  const before = (await shop.ask('get', '/api/store', shop.manager).expect(200)).body as object;
  const after = await change({ deliveryFee: 250, paymentMinutes: 5, cardCapture: 'MANUAL' }).expect(200);
  expect(after.body).toEqual({ ...before, deliveryFee: 250, paymentMinutes: 5, cardCapture: 'MANUAL' });
  const variantId = await shop.make.variant(shop.store, { price: 100 });
  expect((await shop.placed(customer, [{ variantId, quantity: 1 }])).total.amount).toBe(350);
});

it.each(['UTC', 'America/Argentina/Buenos_Aires', 'Asia/Kathmandu', 'Etc/GMT+5'])(
  'may be in the time zone %s',
  async (timezone) => {
    expect((await change({ timezone }).expect(200)).body).toMatchObject({ timezone });
  },
);

it('are refused when they make no sense, and nobody changes the currency', async () => {
  for (const wrong of [
    { timezone: 'Mars/Olympus' },
    { timezone: '+02:00' },
    { timezone: 'CET' },
    { timezone: 'europe/berlin' },
    { deliveryFee: -1 },
    { taxRatePpm: 1_000_001 },
    { approvalsRequired: 0 },
    { paymentMinutes: 0 },
    { deliveryFee: null },
    { currency: 'EUR' },
    { slug: 'other' },
    { serviceZipCodes: ['1', '1'] },
  ]) {
    expect((await change(wrong).expect(400)).body).toMatchObject({ code: 'VALIDATION_FAILED' });
  }
});

it('tax goods by their category, else by the store, and the delivery at a rate of its own', async () => {
  await change({ deliveryFee: 500, taxRatePpm: 190_000, deliveryTaxPpm: 70_000 }).expect(200);
  const [tea, milk] = [
    await shop.make.variant(shop.store, { price: 333 }),
    await shop.make.variant(shop.store, { price: 105 }),
  ];
  const category = await shop
    .ask('post', '/api/categories', shop.manager, { body: { slug: 'food', name: 'Food', taxRatePpm: 70_000 } })
    .expect(201);
  await shop.larder.sql.query(
    'UPDATE products SET category_id = $2 WHERE id = (SELECT product_id FROM variants WHERE id = $1)',
    [milk, (category.body as { id: string }).id],
  );
  const lines = [
    { variantId: tea, quantity: 1 },
    { variantId: milk, quantity: 1 },
  ];
  const exclusive = await shop.placed(customer, lines);
  // 63.27 and 7.35 round to 63 and 7; the delivery's is 35.
  expect(exclusive.lines.map(({ tax, taxRatePpm }) => [tax.amount, taxRatePpm])).toEqual([
    [63, 190_000],
    [7, 70_000],
  ]);
  expect([exclusive.tax.amount, exclusive.total.amount]).toEqual([105, 438 + 500 + 105]);

  await change({ taxInclusive: true }).expect(200);
  await shop.make.topUp(shop.store, customer, 10_000);
  const body = orderOf(lines, { paymentMethod: 'WALLET' });
  const inclusive = (await shop.ask('post', '/api/orders', customer, { body, key: freshKey() }).expect(201))
    .body as OrderResponse;
  // Contained: 333 × 19/119 = 53.17, 105 × 7/107 = 6.87, 500 × 7/107 = 32.71.
  expect(inclusive.lines.map(({ tax }) => tax.amount)).toEqual([53, 7]);
  expect([inclusive.tax.amount, inclusive.total.amount]).toEqual([93, 938]);
  const { rows } = await shop.larder.sql.query(
    `SELECT w.kind, e.amount::int
       FROM ledger_entries e
       JOIN ledger_transactions t ON t.id = e.transaction_id
       JOIN wallets w ON w.id = e.wallet_id
      WHERE t.reference = $1
      ORDER BY w.kind`,
    [inclusive.id],
  );
  expect(rows).toEqual([
    { kind: 'CUSTOMER', amount: -938 },
    { kind: 'DELIVERY_FEES', amount: 500 - 33 },
    { kind: 'SALES', amount: 438 - 60 },
    { kind: 'TAXES', amount: 93 },
  ]);
});
