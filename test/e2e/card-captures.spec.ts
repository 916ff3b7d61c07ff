import { freshKey } from '../support/factories.js';
import { type CardOrder, CardShop, PRICE } from '../support/card-shop.js';
import { tally } from '../support/shop.js';
import { verify } from '../support/verify.js';

let cards: CardShop;

beforeAll(async () => {
  cards = await CardShop.open();
  await cards.captureByHand();
});
afterEach(() => verify(cards.sql));
afterAll(() => cards.close());

const authorized = async (source?: string, by = cards): Promise<CardOrder> => {
  const order = await by.order();
  const reply = await by.confirm(order, source);
  if (reply.body.status !== 'AUTHORIZED') throw new Error(reply.text);
  return order;
};

describe('A store that captures by hand', () => {
  it('holds the money until the parcel leaves', async () => {
    const order = await authorized();
    expect(await cards.settled(order)).toMatchObject({
      order: 'CONFIRMED',
      payment: 'AUTHORIZED',
      authorized: PRICE,
      sales: 0,
    });
    expect((await cards.step(order, 'PREPARING')).status).toBe(200);
    expect((await cards.settled(order)).payment).toBe('AUTHORIZED');
    expect((await cards.step(order, 'SHIPPING')).status).toBe(200);
    expect(await cards.settled(order)).toMatchObject({
      order: 'SHIPPING',
      payment: 'CAPTURED',
      captured: PRICE,
      sales: 1,
    });
  });

  it('has it captured by staff, once', async () => {
    const order = await authorized();
    const key = freshKey();
    const first = await cards.act(order, 'capture', undefined, key);
    expect([first.status, first.body.status]).toEqual([200, 'CAPTURED']);
    const again = await cards.act(order, 'capture', undefined, key);
    expect([again.status, again.text, again.headers['idempotency-replayed']]).toEqual([200, first.text, 'true']);
    expect(tally([await cards.act(order, 'capture')])).toEqual({ '400 PAYMENT_INVALID_TRANSITION': 1 });
    await cards.step(order, 'SHIPPING');
    expect(await cards.settled(order)).toMatchObject({ captured: PRICE, sales: 1 });
  });

  it('lets it go with the order', async () => {
    const order = await authorized();
    expect((await cards.cancel(order)).status).toBe(200);
    expect(await cards.settled(order)).toMatchObject({
      order: 'CANCELLED',
      payment: 'VOIDED',
      authorized: 0,
      operations: ['AUTHORIZE SUCCEEDED', 'VOID SUCCEEDED'],
      sales: 0,
    });
    expect(await cards.atProvider(order)).toBe('VOIDED');
  });

  it('lets it go, and the order with it, by staff', async () => {
    const order = await authorized();
    const key = freshKey();
    const first = await cards.act(order, 'void', undefined, key);
    expect([first.status, first.body.status]).toEqual([200, 'VOIDED']);
    expect((await cards.act(order, 'void', undefined, key)).headers['idempotency-replayed']).toBe('true');
    expect(await cards.settled(order)).toMatchObject({ order: 'CANCELLED', payment: 'VOIDED', authorized: 0 });
    expect(tally([await cards.act(order, 'void'), await cards.act(order, 'capture')])).toEqual({
      '400 PAYMENT_INVALID_TRANSITION': 2,
    });
  });
});

describe('Capturing and voiding', () => {
  it('are for managers', async () => {
    const order = await authorized();
    const support = await cards.shop.make.user(cards.shop.store, 'SUPPORT');
    const replies = [];
    for (const user of [support, order.customer]) {
      for (const step of ['capture', 'void'] as const) replies.push(await cards.act(order, step, user));
    }
    expect(tally(replies)).toEqual({ '403 FORBIDDEN': 4 });
  });

  it('are refused where nothing is held, and with a parcel on its way nothing is let go', async () => {
    const waiting = await cards.order();
    const shipped = await authorized('tok_capture_fails');
    await cards.step(shipped, 'SHIPPING');
    await cards.settled(shipped);
    const replies = [await cards.act(waiting, 'capture'), await cards.act(shipped, 'void')];
    expect(tally(replies)).toEqual({
      '400 PAYMENT_INVALID_TRANSITION': 1,
      '400 ORDER_CANNOT_CANCEL_AFTER_SHIPPING': 1,
    });
  });
});

describe('Money that is held and can not be taken', () => {
  const EXPIRED_CARD = '4000 0000 0000 0404';
  /** Without its webhooks, which tell the same as the answer but for the reason, and may come before it. */
  let silent: CardShop;

  beforeAll(async () => {
    silent = await CardShop.open({ LARDER_ROLE: 'api' });
    await silent.captureByHand();
  });
  afterEach(() => verify(silent.sql));
  afterAll(() => silent.close());

  it('is told when staff try', async () => {
    const order = await authorized(EXPIRED_CARD, silent);
    const reply = await silent.act(order, 'capture');
    expect([reply.status, reply.body]).toMatchObject([
      409,
      { code: 'PAYMENT_CAPTURE_FAILED', details: [{ failureCode: 'authorization_expired' }] },
    ]);
    await silent.sweep();
    expect(await silent.state(order)).toMatchObject({
      order: 'CANCELLED',
      payment: 'VOIDED',
      authorized: 0,
      sales: 0,
    });
  });

  it('cancels an order that is still in the shop, and says why', async () => {
    await silent.sql.query(`UPDATE stores SET card_capture = 'AUTOMATIC'`);
    const order = await silent.order();
    expect((await silent.confirm(order, EXPIRED_CARD)).status).toBe(200);
    await silent.sweep();
    expect(await silent.state(order)).toMatchObject({
      order: 'CANCELLED',
      payment: 'VOIDED',
      failure: 'authorization_expired',
      captured: 0,
    });
    const step = await silent.shop.row(
      `SELECT actor_role, reason FROM order_history WHERE order_id = $1 AND to_status = 'CANCELLED'`,
      [order.id],
    );
    expect(step).toEqual({ actor_role: 'SYSTEM', reason: 'The card could not be charged: authorization_expired' });
    await silent.captureByHand();
  });

  it('is for staff to settle when the parcel is on its way: they are told, and may try again', async () => {
    const order = await authorized(EXPIRED_CARD, silent);
    await silent.step(order, 'SHIPPING');
    await silent.sweep();
    expect(await silent.state(order)).toMatchObject({
      order: 'SHIPPING',
      payment: 'AUTHORIZED',
      failure: 'authorization_expired',
    });
    const told = await silent.shop.row(
      `SELECT payload -> 'code' AS code FROM outbox_events WHERE aggregate_id = $1 AND type = 'payment.capture_failed'`,
      [order.paymentId],
    );
    expect(told).toEqual({ code: 'authorization_expired' });
    expect(tally([await silent.act(order, 'capture')])).toEqual({ '409 PAYMENT_CAPTURE_FAILED': 1 });
    expect((await silent.step(order, 'RETURNED')).status).toBe(200);
    await silent.sweep();
    expect(await silent.state(order)).toMatchObject({ order: 'RETURNED', payment: 'VOIDED', authorized: 0, sales: 0 });
  });
});
