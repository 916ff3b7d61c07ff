import { setTimeout as sleep } from 'node:timers/promises';
import { freshKey } from '../support/factories.js';
import { CardShop, PRICE } from '../support/card-shop.js';
import { tally } from '../support/shop.js';
import { verify } from '../support/verify.js';

let cards: CardShop;

beforeAll(async () => {
  cards = await CardShop.open();
});
afterEach(() => verify(cards.sql));
afterAll(() => cards.close());

const CAPTURED = {
  order: 'CONFIRMED',
  payment: 'CAPTURED',
  failure: null,
  authorized: 0,
  captured: PRICE,
  refunded: 0,
  operations: ['AUTHORIZE SUCCEEDED', 'CAPTURE SUCCEEDED'],
  sales: 1,
  refunds: 0,
};
const UNTOUCHED = { order: 'PENDING', payment: 'PENDING', operations: [], sales: 0 };

describe('An order by card', () => {
  it('waits for its payment, holds its goods, and is confirmed and captured when the card is accepted', async () => {
    const order = await cards.order();
    expect(await cards.state(order)).toMatchObject({ ...UNTOUCHED, failure: null });
    const reply = await cards.confirm(order, '4242 4242 4242 4242');
    expect([reply.status, reply.body]).toMatchObject([
      200,
      { id: order.paymentId, nextAction: null, failureCode: null },
    ]);
    expect(await cards.settled(order)).toEqual(CAPTURED);
    const money = await cards.shop.row(
      `SELECT w.kind, e.amount::int
         FROM ledger_transactions t
         JOIN ledger_entries e ON e.transaction_id = t.id
         JOIN wallets w ON w.id = e.wallet_id
        WHERE t.reference = $1 AND e.amount < 0`,
      [order.id],
    );
    expect(money).toEqual({ kind: 'PSP_CLEARING', amount: -PRICE });
  });

  it('costs nothing and asks no card when there is nothing to pay', async () => {
    const { shop } = cards;
    const gift = await shop.make.variant(shop.store, { price: 0 });
    const customer = await shop.make.user(shop.store);
    const { id, status, payment } = await shop.placed(customer, [{ variantId: gift, quantity: 1 }], 'CARD');
    expect([status, payment.status]).toEqual(['CONFIRMED', 'CAPTURED']);
    const reply = await cards.confirm({ id, paymentId: payment.id, customer });
    expect(tally([reply])).toEqual({ '409 PAYMENT_CLOSED': 1 });
  });
});

describe('A card that is declined', () => {
  it.each([
    ['4000 0000 0000 0002', 'card_declined'],
    ['4000 0000 0000 9995', 'insufficient_funds'],
  ])('(%s) charges nothing, tells why (%s), and lets another one be tried', async (number, failureCode) => {
    const order = await cards.order();
    const reply = await cards.confirm(order, number);
    expect([reply.status, reply.body]).toMatchObject([402, { code: 'PAYMENT_DECLINED', details: [{ failureCode }] }]);
    expect(await cards.state(order)).toMatchObject({
      ...UNTOUCHED,
      failure: failureCode,
      operations: ['AUTHORIZE FAILED'],
    });
    expect((await cards.confirm(order)).status).toBe(200);
    expect(await cards.settled(order)).toEqual({
      ...CAPTURED,
      operations: ['AUTHORIZE FAILED', 'AUTHORIZE SUCCEEDED', 'CAPTURE SUCCEEDED'],
    });
  });

  it('can not be tried in tens', async () => {
    const order = await cards.order();
    const replies = [];
    for (let card = 1; card <= 11; card++) replies.push(await cards.confirm(order, 'tok_declined'));
    expect(tally(replies)).toEqual({ '402 PAYMENT_DECLINED': 10, '409 PAYMENT_ATTEMPTS_EXCEEDED': 1 });
  });
});

describe('The same request again', () => {
  it('is the same charge, and says so', async () => {
    const order = await cards.order();
    const key = freshKey();
    const first = await cards.confirm(order, 'tok_visa', { key });
    const settled = await cards.settled(order);
    const second = await cards.confirm(order, 'tok_visa', { key });
    expect([first.status, first.headers['idempotency-replayed']]).toEqual([200, undefined]);
    expect([second.status, second.headers['idempotency-replayed']]).toEqual([200, 'true']);
    expect(second.body.status).toBe('CAPTURED');
    expect(await cards.state(order)).toEqual(settled);
  });

  it('is declined again without asking again', async () => {
    const order = await cards.order();
    const key = freshKey();
    const replies = [];
    for (let time = 0; time < 3; time++) replies.push(await cards.confirm(order, 'tok_declined', { key }));
    expect(tally(replies)).toEqual({ '402 PAYMENT_DECLINED': 3 });
    expect((await cards.state(order)).operations).toEqual(['AUTHORIZE FAILED']);
  });

  it('with another card is refused, and without a key too', async () => {
    const order = await cards.order();
    const key = freshKey();
    await cards.confirm(order, 'tok_declined', { key });
    const other = await cards.confirm(order, 'tok_visa', { key });
    const none = await cards.confirm(order, 'tok_visa', { key: undefined });
    expect(tally([other, none])).toEqual({ '422 IDEMPOTENCY_KEY_REUSED': 1, '400 IDEMPOTENCY_KEY_REQUIRED': 1 });
    expect((await cards.state(order)).operations).toEqual(['AUTHORIZE FAILED']);
  });
});

describe('A confirmation is refused', () => {
  it('for what is no card of the provider, a real number above all, which is kept nowhere', async () => {
    const order = await cards.order();
    const sources = ['5555555555554444', '4111 1111 1111 1111', 'pm_card_visa', 'tok_', '4242', "'; DROP TABLE orders"];
    const replies = await Promise.all(sources.map((source) => cards.confirm(order, source)));
    expect(tally(replies)).toEqual({ '422 PAYMENT_SOURCE_INVALID': sources.length });
    expect(await cards.state(order)).toMatchObject(UNTOUCHED);
    await cards.confirm(order, '4242424242424242');
    const { rows } = await cards.sql.query<{ source: string }>(
      'SELECT source FROM payment_operations WHERE payment_id = $1 AND source IS NOT NULL',
      [order.paymentId],
    );
    expect(rows).toEqual([{ source: 'tok_visa' }]);
    expect(JSON.stringify(cards.shop.larder.logLines())).not.toMatch(/4242424242424242|5555555555554444/);
  });

  it('to everybody but who has placed the order', async () => {
    const { shop } = cards;
    const order = await cards.order();
    const stranger = await shop.make.user(shop.store);
    const replies = await Promise.all([
      cards.confirm({ ...order, customer: stranger }),
      cards.confirm({ ...order, customer: shop.manager }),
      cards.confirm({ ...order, customer: { ...stranger, bearer: 'Bearer x' } }),
      cards.confirm({ ...order, paymentId: order.id }),
    ]);
    expect(tally(replies)).toEqual({ '404 NOT_FOUND': 2, '403 FORBIDDEN': 1, '401 UNAUTHENTICATED': 1 });
    expect(await cards.state(order)).toMatchObject(UNTOUCHED);
  });

  it('for an order that is paid, ended, overdue, or not by card', async () => {
    const [paid, cancelled, overdue] = [await cards.order(), await cards.order(), await cards.order()];
    await cards.confirm(paid);
    await cards.cancel(cancelled);
    await cards.overdue(overdue);
    const { shop } = cards;
    const customer = await shop.make.user(shop.store);
    const { id, payment } = await shop.placed(customer, [{ variantId: cards.tea, quantity: 1 }], 'COD');
    const cash = { id, paymentId: payment.id, customer };
    const replies = [];
    for (const order of [paid, cancelled, overdue, cash]) replies.push(await cards.confirm(order));
    expect(tally(replies)).toEqual({ '409 PAYMENT_CLOSED': 4 });
    expect((await cards.settled(paid)).captured).toBe(PRICE);
    await cards.expireOverdue();
    expect(await cards.state(overdue)).toMatchObject({ order: 'EXPIRED', payment: 'VOIDED', operations: [] });
  });
});

describe('An order that nobody pays', () => {
  it('expires by itself, and gives its goods back', async () => {
    const { shop } = cards;
    const tea = await shop.make.variant(shop.store, { onHand: 3 });
    const customer = await shop.make.user(shop.store);
    const { id } = await shop.placed(customer, [{ variantId: tea, quantity: 3 }], 'CARD');
    const { expires_at: at, placed_at: placed } = await shop.row<Record<string, Date>>(
      'SELECT expires_at, placed_at FROM orders WHERE id = $1',
      [id],
    );
    expect(at!.getTime() - placed!.getTime()).toBe(15 * 60_000);
    await cards.overdue({ id, paymentId: id, customer });
    const freed = () => shop.row('SELECT reserved FROM stock_levels WHERE variant_id = $1', [tea]);
    for (const deadline = Date.now() + 15_000; (await freed()).reserved !== 0 && Date.now() < deadline;)
      await sleep(50);
    expect(await freed()).toEqual({ reserved: 0 });
    expect(await shop.row('SELECT status FROM orders WHERE id = $1', [id])).toEqual({ status: 'EXPIRED' });
  });
});

describe('A shop without a provider', () => {
  it('takes no cards', async () => {
    const none = await CardShop.open({ PAYMENT_PROVIDER: 'none' });
    await expect(none.order()).rejects.toThrow(/PAYMENT_METHOD_NOT_SUPPORTED/);
    await none.close();
  });
});
