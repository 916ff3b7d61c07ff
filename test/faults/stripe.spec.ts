import { type CardOrder, CardShop, PRICE } from '../support/card-shop.js';
import { PATIENT, type Reply } from '../support/shop.js';
import type { Intent } from '../support/stripe-protocol.js';
import { StripeServer } from '../support/stripe-server.js';
import { verify } from '../support/verify.js';

let stripe: StripeServer;
let cards: CardShop;

beforeAll(async () => {
  stripe = await new StripeServer().open();
  cards = await CardShop.open({ ...stripe.settings, ...PATIENT });
});
afterEach(() => verify(cards.sql));
afterAll(async () => {
  await cards.close();
  await stripe.close();
});

const intentOf = ({ paymentId }: CardOrder): Intent => {
  const [intent, ...others] = [...stripe.intents.values()].filter(({ metadata }) => metadata.payment === paymentId);
  if (!intent || others.length > 0) throw new Error(`${others.length + 1} intents of one payment`);
  return intent;
};
/** Stripe's news of an order, in the order in which they happened. */
const newsOf = (order: CardOrder) => stripe.events.filter((event) => event.includes(intentOf(order).id));
const paid = async (source = 'pm_card_visa'): Promise<{ order: CardOrder; reply: Reply }> => {
  const order = await cards.order();
  return { order, reply: await cards.confirm(order, source) };
};

describe('A card charged by Stripe', () => {
  it('is one payment intent, held and captured under the keys of its operations', async () => {
    const { order, reply } = await paid();
    expect([reply.status, reply.body]).toMatchObject([200, { nextAction: null }]);
    expect(await cards.settled(order)).toMatchObject({
      order: 'CONFIRMED',
      payment: 'CAPTURED',
      captured: PRICE,
      sales: 1,
    });
    const intent = intentOf(order);
    expect(intent).toMatchObject({ amount: PRICE, amount_received: PRICE, currency: 'usd', status: 'succeeded' });
    expect(intent.metadata).toMatchObject({ store: cards.shop.store.id, order: order.id, payment: order.paymentId });
    const { rows } = await cards.sql.query<{ id: string }>(
      'SELECT id FROM payment_operations WHERE payment_id = $1 ORDER BY created_at, id',
      [order.paymentId],
    );
    const asked = stripe.asked.filter(({ key }) => rows.some(({ id }) => id === key));
    expect(asked.map(({ path }) => path)).toEqual(['/v1/payment_intents', `/v1/payment_intents/${intent.id}/capture`]);
    expect(asked.map(({ key }) => key)).toEqual(rows.map(({ id }) => id));
  });

  it.each([
    ['pm_card_declined', 'generic_decline'],
    ['pm_card_poor', 'insufficient_funds'],
  ])('may be declined (%s: %s), and another one is charged in the same intent', async (card, failureCode) => {
    const { order, reply } = await paid(card);
    expect([reply.status, reply.body]).toMatchObject([402, { code: 'PAYMENT_DECLINED', details: [{ failureCode }] }]);
    expect((await cards.confirm(order, 'pm_card_visa')).status).toBe(200);
    expect(await cards.settled(order)).toMatchObject({ payment: 'CAPTURED', sales: 1 });
    expect(stripe.captures.get(intentOf(order).id)).toBe(1);
  });

  it('is never given by its number', async () => {
    const order = await cards.order();
    const asked = stripe.asked.length;
    for (const source of ['4242424242424242', 'tok_visa', 'pm_', 'pm_card visa']) {
      expect((await cards.confirm(order, source)).body.code).toBe('PAYMENT_SOURCE_INVALID');
    }
    expect(stripe.asked.length).toBe(asked);
  });

  it('waits for the customer where his bank asks for it, and is charged when Stripe tells', async () => {
    const { order, reply } = await paid('pm_card_challenge');
    const { id, client_secret: clientSecret } = intentOf(order);
    expect([reply.status, reply.body]).toMatchObject([
      200,
      { status: 'PENDING', nextAction: { type: 'CONFIRM_WITH_STRIPE', clientSecret } },
    ]);
    stripe.answerChallenge(id, true);
    expect(await stripe.deliver(cards.shop.larder.url, newsOf(order))).toEqual([200, 200, 200]);
    expect(await cards.settled(order)).toMatchObject({ order: 'CONFIRMED', payment: 'CAPTURED', sales: 1 });
    const kept = await cards.shop.row(
      `SELECT count(*)::int AS answers FROM idempotency_keys WHERE response::text LIKE '%' || $1 || '%'`,
      [clientSecret],
    );
    expect(kept).toEqual({ answers: 0 });
  });

  it('is charged too when Stripe never tells: the sweeper looks', async () => {
    const { order } = await paid('pm_card_challenge');
    stripe.answerChallenge(intentOf(order).id, true);
    await cards.hurry(order);
    expect(await cards.settled(order)).toMatchObject({ order: 'CONFIRMED', payment: 'CAPTURED', sales: 1 });
  });

  it('is not charged when his bank says no', async () => {
    const { order } = await paid('pm_card_challenge');
    stripe.answerChallenge(intentOf(order).id, false);
    await stripe.deliver(cards.shop.larder.url, newsOf(order));
    expect(await cards.settled(order)).toMatchObject({
      order: 'PENDING',
      failure: 'payment_intent_authentication_failure',
      operations: ['AUTHORIZE FAILED'],
    });
  });

  it('whose hold can not be captured any more cancels the order', async () => {
    const { order } = await paid('pm_card_expires');
    expect(await cards.settled(order)).toMatchObject({
      order: 'CANCELLED',
      payment: 'VOIDED',
      captured: 0,
      authorized: 0,
    });
  });
});

describe('A refund through Stripe', () => {
  it('goes back once', async () => {
    const { order } = await paid();
    await cards.settled(order);
    await cards.cancel(order);
    expect(await cards.settled(order)).toMatchObject({
      order: 'CANCELLED',
      payment: 'REFUNDED',
      refunded: PRICE,
      refunds: 1,
    });
    const made = [...stripe.refunds.values()].filter(({ payment_intent: of }) => of === intentOf(order).id);
    expect(made).toMatchObject([{ amount: PRICE, status: 'succeeded' }]);
  });

  it.each(['succeeded', 'failed'] as const)(
    'that takes days is waited for, and has %s when Stripe says so',
    async (how) => {
      const { order } = await paid('pm_card_slow_refund');
      await cards.settled(order);
      await cards.cancel(order);
      await cards.shop.waitFor(
        `SELECT 1 FROM payment_operations WHERE payment_id = $1 AND kind = 'REFUND' AND provider_ref IS NOT NULL`,
        [order.paymentId],
      );
      expect(await cards.state(order)).toMatchObject({ payment: 'CAPTURED', refunded: 0 });
      stripe.finishRefunds(how);
      await stripe.deliver(cards.shop.larder.url, newsOf(order).slice(-1));
      expect(await cards.settled(order)).toMatchObject(
        how === 'succeeded' ? { payment: 'REFUNDED', refunds: 1 } : { payment: 'CAPTURED', refunded: 0, refunds: 0 },
      );
    },
  );
});

describe("What is done in Stripe's own pages", () => {
  beforeAll(() => cards.captureByHand());

  it('is on the books: money taken is a sale', async () => {
    const { order } = await paid();
    stripe.inDashboard(intentOf(order).id, 'capture');
    await stripe.deliver(cards.shop.larder.url, newsOf(order));
    expect(await cards.settled(order)).toMatchObject({
      order: 'CONFIRMED',
      payment: 'CAPTURED',
      captured: PRICE,
      sales: 1,
    });
  });

  it('is on the books: money let go cancels the order', async () => {
    const { order } = await paid();
    stripe.inDashboard(intentOf(order).id, 'cancel');
    await stripe.deliver(cards.shop.larder.url, newsOf(order));
    expect(await cards.settled(order)).toMatchObject({ order: 'CANCELLED', payment: 'VOIDED', authorized: 0 });
  });

  it('after the order was cancelled is given back', async () => {
    const { order } = await paid();
    stripe.fault = ({ path }) => (path.endsWith('/cancel') ? 'LOST_BEFORE' : undefined);
    await cards.cancel(order);
    await cards.shop.waitFor(
      `SELECT 1 FROM payment_operations WHERE payment_id = $1 AND kind = 'VOID' AND failure_code IS NOT NULL`,
      [order.paymentId],
    );
    stripe.inDashboard(intentOf(order).id, 'capture');
    stripe.fault = () => undefined;
    await cards.hurry(order);
    expect(await cards.settled(order)).toMatchObject({
      order: 'CANCELLED',
      payment: 'REFUNDED',
      operations: ['AUTHORIZE SUCCEEDED', 'VOID FAILED', 'CAPTURE SUCCEEDED', 'REFUND SUCCEEDED'],
      sales: 1,
      refunds: 1,
    });
  });
});

describe("Stripe's webhook", () => {
  const send = (body: string, signature?: string) => {
    const request = cards.shop.larder.http
      .post('/api/webhooks/payments/stripe')
      .set('content-type', 'application/json');
    return (signature === undefined ? request : request.set('stripe-signature', signature)).send(body);
  };

  it('is believed with the signature of its exact bytes, not older than five minutes', async () => {
    const { order } = await paid();
    const [body = ''] = newsOf(order);
    const now = Math.floor(Date.now() / 1000);
    const codes = [];
    for (const [text, signature] of [
      [body, undefined],
      [body, 'v1=nonsense'],
      [body, stripe.sign(`${body} `)],
      [JSON.stringify(JSON.parse(body), null, 1), stripe.sign(body)],
      [body, stripe.sign(body, now - 301)],
    ] as const) {
      const answer = await send(text, signature);
      codes.push(`${answer.status} ${answer.body.code}`);
    }
    expect(codes).toEqual([...Array<string>(4).fill('400 WEBHOOK_INVALID'), '400 WEBHOOK_TOO_OLD']);
    expect((await send(body, stripe.sign(body, now - 290))).status).toBe(200);
  });

  it('takes news that are none of its business', async () => {
    const body = JSON.stringify({
      id: 'evt_other',
      object: 'event',
      type: 'customer.created',
      data: { object: { id: 'cus_1' } },
    });
    expect((await send(body, stripe.sign(body))).status).toBe(200);
  });
});
