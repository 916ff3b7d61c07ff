import { freshKey, type TestUser } from '../support/factories.js';
import { Shop } from '../support/shop.js';
import { verify } from '../support/verify.js';
import { Refunds, USD } from './refunds.scene.js';

let shop: Shop;
let refunds: Refunds;
let customer: TestUser;
let support: TestUser;
let tea: string;

beforeAll(async () => {
  shop = await Shop.open({ deliveryFee: 300 });
  refunds = new Refunds(shop);
  support = await shop.make.user(shop.store, 'SUPPORT');
});
beforeEach(async () => {
  customer = await shop.make.user(shop.store);
  await shop.make.topUp(shop.store, customer, 1_000_000);
  tea = await shop.make.variant(shop.store, { price: 1000, onHand: 100 });
});
afterEach(() => verify(shop.larder.sql));
afterAll(() => shop.close());

const ordered = (quantity: number, method = 'WALLET') =>
  refunds.delivered(customer, [{ variantId: tea, quantity }], method);
const lines = (quantity: number, goods = 'RESTOCK', variantId = tea) => ({ lines: [{ variantId, quantity, goods }] });

describe('who asks', () => {
  it('are staff; customers see what becomes of their own orders', async () => {
    const order = await ordered(2);
    await refunds.ask(order.id, { amount: USD(5) }, customer).expect(403);
    const first = await refunds.ask(order.id, { amount: USD(5) }).expect(201);
    await refunds.ask(order.id, { amount: USD(6) }).expect(201);
    const list = (user: TestUser, query = '') => shop.ask('get', `/api/orders/${order.id}/refunds${query}`, user);
    const { body } = await list(customer).expect(200);
    expect(body.items.map(({ amount }: { amount: object }) => amount)).toEqual([USD(6), USD(5)]);
    const page = await list(support, '?limit=1').expect(200);
    const next = await list(support, `?limit=1&cursor=${page.body.nextCursor}`).expect(200);
    expect([page.body.items[0], next.body]).toEqual([body.items[0], { items: [body.items[1]], nextCursor: null }]);
    const stranger = await shop.make.user(shop.store);
    await list(stranger).expect(404);
    await shop.ask('get', `/api/refunds/${first.body.id}`, stranger).expect(404);
    const elsewhere = await shop.make.store('elsewhere');
    const foreigner = await shop.make.user(elsewhere, 'MANAGER');
    await refunds.ask(order.id, { amount: USD(1) }, foreigner).expect(404);
    await shop.ask('get', `/api/refunds/${first.body.id}`, foreigner).expect(404);
  });

  it('twice with one key get one refund and one answer', async () => {
    const order = await ordered(2);
    const key = freshKey();
    const first = await refunds.ask(order.id, { amount: USD(700) }, support, key).expect(201);
    const again = await refunds.ask(order.id, { amount: USD(700) }, support, key).expect(201);
    expect([again.headers['idempotency-replayed'], again.text]).toEqual(['true', first.text]);
    await refunds.ask(order.id, { amount: USD(701) }, support, key).expect(422);
    const refused = freshKey();
    await refunds.ask(order.id, { amount: USD(99_999) }, support, refused).expect(409);
    const refusedAgain = await refunds.ask(order.id, { amount: USD(99_999) }, support, refused).expect(409);
    expect(refusedAgain.body).toMatchObject({ code: 'REFUND_EXCEEDS_CAPTURE', details: [{ left: USD(1600) }] });
    expect(await refunds.payment(order.id)).toMatchObject({ refunded: 700 });
  });

  it.each([
    ['no reason', { reason: '' }],
    ['an amount of nothing', { amount: USD(0) }],
    ['an amount below zero', { amount: USD(-1) }],
    ['a fraction of a cent', { amount: USD(0.5) }],
    ['no lines', { lines: [] }],
    ['no pieces', lines(0)],
    ['goods of no kind', lines(1, 'EAT')],
    ['a destination that is none', { destination: 'BANK' }],
    ['a field that nobody knows', { status: 'SUCCEEDED' }],
    ['null for an amount', { amount: null }],
  ])('with %s are told what is wrong', async (_what, body) => {
    const order = await ordered(1);
    await refunds.ask(order.id, body).expect(400, /"code":"VALIDATION_FAILED"/);
    expect(await refunds.payment(order.id)).toMatchObject({ refunded: 0, refunding: 0 });
  });

  it('by amount and lines at once, by one variant twice, or in another currency are refused', async () => {
    const order = await ordered(2);
    await refunds.ask(order.id, { ...lines(1), amount: USD(1) }).expect(400, /"code":"REFUND_AMBIGUOUS"/);
    const twice = { lines: [...lines(1).lines, ...lines(1, 'SCRAP').lines] };
    await refunds.ask(order.id, twice).expect(400, /"code":"REFUND_AMBIGUOUS"/);
    const euros = { amount: { amount: 1, currency: 'EUR' } };
    await refunds.ask(order.id, euros).expect(400, /"code":"CURRENCY_MISMATCH"/);
    await shop
      .ask('post', `/api/orders/${order.id}/refunds`, support, { body: { reason: 'x', destination: 'WALLET' } })
      .expect(400, /"code":"IDEMPOTENCY_KEY_REQUIRED"/);
  });
});
