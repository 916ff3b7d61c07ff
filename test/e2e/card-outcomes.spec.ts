import {
  acrossStoresBacklog,
  type OperationBacklogRow,
} from '../../src/modules/payments/payment-operations.queries.js';
import { Database } from '../../src/platform/prisma/database.js';
import { freshKey } from '../support/factories.js';
import { type CardOrder, CardShop, PRICE } from '../support/card-shop.js';
import { tally } from '../support/shop.js';
import { verify } from '../support/verify.js';

let cards: CardShop;

beforeAll(async () => {
  cards = await CardShop.open();
});
afterEach(() => verify(cards.sql));
afterAll(() => cards.close());

const NOTHING_TAKEN = { captured: 0, authorized: 0, sales: 0, refunds: 0 };
const expired = async (order: CardOrder) => {
  await cards.overdue(order);
  await cards.expireOverdue();
  expect((await cards.state(order)).order).toBe('EXPIRED');
};

describe('A card whose bank wants to hear from the customer', () => {
  const challenged = async () => {
    const order = await cards.order();
    const reply = await cards.confirm(order, '4000 0025 0000 3155');
    return { order, reply };
  };

  it('is charged once he has said yes, whoever asks', async () => {
    const { order, reply } = await challenged();
    const url = `/api/test-bank/test_${order.paymentId}`;
    expect([reply.status, reply.body]).toMatchObject([
      200,
      { status: 'PENDING', nextAction: { type: 'TEST_BANK', url } },
    ]);
    expect(await cards.state(order)).toMatchObject({ order: 'PENDING', operations: ['AUTHORIZE PENDING'] });
    expect((await cards.bank(order, true)).status).toBe(200);
    expect(await cards.settled(order)).toMatchObject({
      order: 'CONFIRMED',
      payment: 'CAPTURED',
      captured: PRICE,
      sales: 1,
    });
    expect((await cards.bank(order, true)).status).toBe(404);
  });

  it('is not charged when he says no, and another card may be', async () => {
    const { order } = await challenged();
    await cards.bank(order, false);
    expect(await cards.settled(order)).toMatchObject({
      order: 'PENDING',
      failure: 'card_declined',
      operations: ['AUTHORIZE FAILED'],
    });
    expect((await cards.confirm(order)).status).toBe(200);
    expect(await cards.settled(order)).toMatchObject({ order: 'CONFIRMED', payment: 'CAPTURED' });
  });

  it('tells the same again when it is asked again, and begins nothing anew', async () => {
    const order = await cards.order();
    const key = freshKey();
    const replies = [];
    for (const again of [key, key, freshKey()])
      replies.push(await cards.confirm(order, 'tok_challenge', { key: again }));
    const url = `/api/test-bank/test_${order.paymentId}`;
    for (const { status, body } of replies) expect([status, body]).toMatchObject([200, { nextAction: { url } }]);
    expect((await cards.state(order)).operations).toEqual(['AUTHORIZE PENDING']);
  });

  it('is left for another card', async () => {
    const { order } = await challenged();
    expect((await cards.confirm(order, 'tok_visa')).status).toBe(200);
    expect(await cards.settled(order)).toMatchObject({
      payment: 'CAPTURED',
      operations: ['AUTHORIZE FAILED', 'AUTHORIZE SUCCEEDED', 'CAPTURE SUCCEEDED'],
    });
    expect((await cards.bank(order, true)).status).toBe(404);
  });

  it('is let go when the order expires, and can not be charged after that', async () => {
    const { order } = await challenged();
    await expired(order);
    expect(await cards.settled(order)).toMatchObject({
      ...NOTHING_TAKEN,
      payment: 'VOIDED',
      operations: ['AUTHORIZE FAILED', 'VOID SUCCEEDED'],
    });
    expect(await cards.atProvider(order)).toBe('VOIDED');
    expect((await cards.bank(order, true)).status).toBe(404);
  });
});

describe('A provider that does not answer', () => {
  /** Without its webhooks, which would tell as well. */
  let silent: CardShop;

  beforeAll(async () => {
    silent = await CardShop.open({ LARDER_ROLE: 'api' });
    await silent.captureByHand();
  });
  afterEach(() => verify(silent.sql));
  afterAll(() => silent.close());

  it.each([
    ['though it has done it', '4000 0000 0000 0101'],
    ['and knows nothing of it', '4000 0000 0000 0202'],
  ])('%s, is asked again until it does, and charges once', async (_how, number) => {
    const order = await silent.order();
    const key = freshKey();
    const first = await silent.confirm(order, number, { key });
    const again = await silent.confirm(order, number, { key });
    expect([first, again].map(({ status, body }) => [status, body.status])).toEqual([
      [202, 'PENDING'],
      [202, 'PENDING'],
    ]);
    expect(tally([await silent.confirm(order, 'tok_visa')])).toEqual({ '409 PAYMENT_IN_PROGRESS': 1 });
    await silent.sweep();
    expect((await silent.state(order)).order).toBe('PENDING');
    await silent.hurry(order);
    await silent.sweep();
    expect(await silent.state(order)).toMatchObject({
      order: 'CONFIRMED',
      payment: 'AUTHORIZED',
      operations: ['AUTHORIZE SUCCEEDED'],
    });
    const told = await silent.confirm(order, number, { key });
    expect([told.status, told.body.status]).toEqual([200, 'AUTHORIZED']);
    const { asked } = await silent.shop.row('SELECT asked FROM test_provider_requests WHERE payment_id = $1', [
      order.paymentId,
    ]);
    expect(asked).toBe(2);
  });

  it('is a backlog from when it was asked on; a bank that waits for its customer, from when his order does not', async () => {
    // Not by the metrics: another Larder of this process sets them too.
    const backlog = async () => {
      const [found] = await silent.shop.larder.app.get(Database).query<OperationBacklogRow>(acrossStoresBacklog());
      return [found!.pending, Math.floor(found!.oldest_s)];
    };
    const ago = (order: CardOrder) =>
      silent.sql.query(`UPDATE payment_operations SET created_at = now() - interval '700.5 s' WHERE payment_id = $1`, [
        order.paymentId,
      ]);
    expect(await backlog()).toEqual([0, 0]);
    const challenged = await silent.order();
    await silent.confirm(challenged, '4000 0025 0000 3155');
    await ago(challenged);
    expect(await backlog()).toEqual([0, 0]);
    await silent.sql.query(`UPDATE orders SET expires_at = now() - interval '20.5 s' WHERE id = $1`, [challenged.id]);
    expect(await backlog()).toEqual([1, 20]);
    const unanswered = await silent.order();
    await silent.confirm(unanswered, '4000 0000 0000 0202');
    await ago(unanswered);
    expect(await backlog()).toEqual([2, 700]);
  });
});

describe('A capture that nobody has begun', () => {
  it('is taken back when the order is cancelled, and the card let go', async () => {
    const idle = await CardShop.open({ LARDER_ROLE: 'api' });
    const order = await idle.order();
    await idle.confirm(order);
    expect((await idle.state(order)).operations).toEqual(['AUTHORIZE SUCCEEDED', 'CAPTURE PENDING']);
    expect((await idle.cancel(order)).status).toBe(200);
    await idle.sweep();
    expect(await idle.state(order)).toMatchObject({
      ...NOTHING_TAKEN,
      payment: 'VOIDED',
      operations: ['AUTHORIZE SUCCEEDED', 'CAPTURE FAILED', 'VOID SUCCEEDED'],
    });
    await verify(idle.sql);
    await idle.close();
  });
});

describe('Money that comes too late', () => {
  const SLOW_BANK = '4000 0000 0000 0303';

  it('for an order that has expired is let go by itself', async () => {
    const order = await cards.order();
    expect((await cards.confirm(order, SLOW_BANK)).status).toBe(202);
    await expired(order);
    expect(await cards.state(order)).toMatchObject({ payment: 'VOIDED', operations: ['AUTHORIZE PENDING'] });
    await cards.bank(order, true);
    expect(await cards.settled(order)).toMatchObject({
      ...NOTHING_TAKEN,
      order: 'EXPIRED',
      payment: 'VOIDED',
      operations: ['AUTHORIZE SUCCEEDED', 'VOID SUCCEEDED'],
    });
    expect(await cards.atProvider(order)).toBe('VOIDED');
  });

  it('for an order that was cancelled too; and when it does not come there is nothing to let go', async () => {
    for (const approved of [true, false]) {
      const order = await cards.order();
      const key = freshKey();
      await cards.confirm(order, SLOW_BANK, { key });
      expect((await cards.cancel(order)).status).toBe(200);
      await cards.bank(order, approved);
      await cards.hurry(order);
      expect(await cards.settled(order)).toMatchObject({ ...NOTHING_TAKEN, order: 'CANCELLED', payment: 'VOIDED' });
      expect(await cards.atProvider(order)).toBe(approved ? 'VOIDED' : 'WAITING');
      expect(tally([await cards.confirm(order, SLOW_BANK, { key })])).toEqual({ '409 PAYMENT_CLOSED': 1 });
    }
  });

  it('in time is not late: the order is confirmed when the bank gets round to it', async () => {
    const order = await cards.order();
    await cards.confirm(order, SLOW_BANK);
    await cards.bank(order, true);
    expect(await cards.settled(order)).toMatchObject({ order: 'CONFIRMED', payment: 'CAPTURED', sales: 1 });
  });

  it('comes by itself from the slow bank, once no order waits any more', async () => {
    const order = await cards.order();
    await cards.confirm(order, SLOW_BANK);
    await expired(order);
    await cards.sql.query(
      `UPDATE graphile_worker._private_jobs SET run_at = now() WHERE payload ->> 'data' LIKE '%test_' || $1 || '%'`,
      [order.paymentId],
    );
    await cards.shop.waitUntil(async () => (await cards.state(order)).operations.length === 2);
    expect(await cards.settled(order)).toMatchObject({ ...NOTHING_TAKEN, payment: 'VOIDED' });
  });
});

describe('An order that ends after its card was charged', () => {
  it('gives the money back to the card', async () => {
    const order = await cards.order();
    await cards.confirm(order);
    await cards.settled(order);
    expect((await cards.cancel(order)).status).toBe(200);
    expect(await cards.settled(order)).toMatchObject({
      order: 'CANCELLED',
      payment: 'REFUNDED',
      refunded: PRICE,
      operations: ['AUTHORIZE SUCCEEDED', 'CAPTURE SUCCEEDED', 'REFUND SUCCEEDED'],
      sales: 1,
      refunds: 1,
    });
  });

  it('keeps it, and tells staff, when the provider will never give it back', async () => {
    const order = await cards.order();
    await cards.confirm(order, '4000 0000 0000 5126');
    await cards.settled(order);
    await cards.cancel(order);
    expect(await cards.settled(order)).toMatchObject({ payment: 'CAPTURED', refunded: 0, refunds: 0 });
    const refund = await cards.shop.row('SELECT status FROM refunds WHERE payment_id = $1', [order.paymentId]);
    expect(refund).toEqual({ status: 'FAILED' });
  });
});
