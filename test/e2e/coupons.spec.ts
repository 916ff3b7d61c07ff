import type { OrderResponse } from '../../src/modules/orders/dto/order.dto.js';
import { freshKey, type TestUser } from '../support/factories.js';
import { orderOf, Shop } from '../support/shop.js';
import { verify } from '../support/verify.js';

let shop: Shop;
let customer: TestUser;
let tea: string;
let milk: string;

beforeAll(async () => {
  shop = await Shop.open({ deliveryFee: 500 });
  tea = await shop.make.variant(shop.store, { price: 333 });
  milk = await shop.make.variant(shop.store, { price: 100 });
});
beforeEach(async () => {
  customer = await shop.make.user(shop.store);
});
afterEach(() => verify(shop.larder.sql));
afterAll(() => shop.close());

const LINES = () => [
  { variantId: tea, quantity: 1 },
  { variantId: milk, quantity: 1 },
];
const order = (couponCode: string, lines = LINES()) =>
  shop.ask('post', '/api/orders', customer, { body: orderOf(lines, { couponCode }), key: freshKey() });
const create = (body: object) => shop.ask('post', '/api/coupons', shop.manager, { body });

it('takes a share of the goods, split over the lines to the cent', async () => {
  await create({ code: 'ten', kind: 'PERCENTAGE', value: 100_000 }).expect(201);
  const placed = (await order(' ten ').expect(201)).body as OrderResponse;
  // 10 % of 4.33 is 0.433, of the lines 0.333 and 0.1: the cent that is left over goes to the larger remainder.
  expect(placed.lines.map(({ discount }) => discount.amount)).toEqual([33, 10]);
  expect([placed.couponCode, placed.discount.amount, placed.total.amount]).toEqual(['TEN', 43, 433 - 43 + 500]);
});

it('takes off no more than the goods, nor than its maximum', async () => {
  await create({ code: 'BIG', kind: 'FIXED', value: 99_999 }).expect(201);
  await create({ code: 'HALF', kind: 'PERCENTAGE', value: 500_000, maximumDiscount: 50 }).expect(201);
  expect(((await order('BIG').expect(201)).body as OrderResponse).total.amount).toBe(500);
  expect(((await order('HALF').expect(201)).body as OrderResponse).total.amount).toBe(433 - 50 + 500);
});

it('pays for the delivery', async () => {
  await create({ code: 'FREE-WAY', kind: 'FREE_DELIVERY', value: 0 }).expect(201);
  const placed = (await order('FREE-WAY').expect(201)).body as OrderResponse;
  expect([placed.deliveryFee.amount, placed.discount.amount, placed.total.amount]).toEqual([500, 500, 433]);
});

it('is for orders of a minimum, and says of which', async () => {
  await create({ code: 'RICH', kind: 'FIXED', value: 10, minimum: 434 }).expect(201);
  expect((await order('RICH').expect(422)).body).toMatchObject({
    code: 'COUPON_MINIMUM_NOT_MET',
    details: [{ minimum: { amount: 434, currency: 'USD' } }],
  });
  await order('RICH', [{ variantId: tea, quantity: 2 }]).expect(201);
});

it('tells nobody whether a code is unknown, over, not yet, or switched off', async () => {
  const past = { startsAt: '2020-01-01T00:00:00Z', endsAt: '2020-02-01T00:00:00Z' };
  await create({ code: 'OVER', kind: 'FIXED', value: 1, ...past }).expect(201);
  await create({ code: 'SOON', kind: 'FIXED', value: 1, startsAt: '2090-01-01T00:00:00Z' }).expect(201);
  await create({ code: 'OFF', kind: 'FIXED', value: 1, active: false }).expect(201);
  const stranger = await shop.make.store('elsewhere');
  await shop.make.coupon(stranger, 'THEIRS');
  for (const code of ['NOBODY-MADE-IT', 'OVER', 'SOON', 'OFF', 'THEIRS', '%', "' OR 1=1"]) {
    const { code: answer, details } = (await order(code).expect(422)).body as { code: string; details: object[] };
    expect([answer, details]).toEqual(['COUPON_INVALID', []]);
  }
});

it('can be guessed at twenty times an hour; then the right code is of no use either', async () => {
  await create({ code: 'SECRET', kind: 'FIXED', value: 1 }).expect(201);
  for (let guess = 0; guess < 20; guess++) await order(`GUESS${guess}`).expect(422);
  const refused = await order('SECRET').expect(429);
  expect(refused.body).toMatchObject({ code: 'COUPON_ATTEMPTS_EXCEEDED' });
  expect(refused.headers['retry-after']).toBe('3600');
  await shop.ask('post', '/api/orders', customer, { body: orderOf(LINES()), key: freshKey() }).expect(201);
});

it('is given back by an order that is cancelled, and kept by one that has left', async () => {
  const made = await create({ code: 'ONE', kind: 'FIXED', value: 5, usageLimit: 1 }).expect(201);
  const path = `/api/coupons/${(made.body as { id: string }).id}`;
  const first = (await order('ONE').expect(201)).body as OrderResponse;
  await order('ONE').expect(409);
  await shop.ask('patch', `/api/orders/${first.id}`, customer, { body: { status: 'CANCELLED' } }).expect(200);
  const second = (await order('ONE').expect(201)).body as OrderResponse;
  await shop.carried(await shop.make.agent(shop.store), second.id);
  expect((await shop.ask('get', path, shop.manager).expect(200)).body).toMatchObject({ used: 1 });
  expect((await order('ONE').expect(409)).body).toMatchObject({ code: 'COUPON_USED_UP' });
});

it('changes when, for whom and how often, but not below what is used', async () => {
  const made = await create({ code: 'OPEN', kind: 'FIXED', value: 5 }).expect(201);
  const path = `/api/coupons/${(made.body as { id: string }).id}`;
  const change = (body: object) => shop.ask('patch', path, shop.manager, { body });
  await order('OPEN').expect(201);
  await order('OPEN').expect(201);
  expect((await change({ usageLimit: 1 }).expect(409)).body).toMatchObject({ code: 'COUPON_LIMIT_BELOW_USED' });
  expect((await change({ customerLimit: 1 }).expect(409)).body).toMatchObject({ code: 'COUPON_LIMIT_BELOW_USED' });
  expect((await change({ usageLimit: 2, customerLimit: 2 }).expect(200)).body).toMatchObject({ used: 2 });
  await order('OPEN').expect(409);
  expect((await change({ usageLimit: null }).expect(200)).body).toMatchObject({ used: null, customerLimit: 2 });
  expect((await order('OPEN').expect(409)).body).toMatchObject({ code: 'COUPON_USED_BY_CUSTOMER' });
  expect((await change({ customerLimit: null, active: false }).expect(200)).body).toMatchObject({ active: false });
  await order('OPEN').expect(422);
});

it('is refused when it makes no sense', async () => {
  const sound = { code: 'SOUND', kind: 'PERCENTAGE', value: 100_000 };
  for (const wrong of [
    { value: 0 },
    { value: 1_000_001 },
    { kind: 'FREE_DELIVERY', value: 5 },
    { code: 'A' },
    { code: 'WITH BLANK' },
    { usageLimit: 0 },
    { startsAt: '2031-01-02T00:00:00Z', endsAt: '2031-01-01T00:00:00Z' },
    { startsAt: 'tomorrow' },
    { startsAt: '2026-W10-1' },
  ]) {
    const refused = await create({ ...sound, ...wrong }).expect(400);
    expect(refused.body).toMatchObject({ code: 'VALIDATION_FAILED' });
  }
  await create(sound).expect(201);
  expect((await create(sound).expect(409)).body).toMatchObject({ code: 'CONFLICT', details: [{ field: 'code' }] });
});
