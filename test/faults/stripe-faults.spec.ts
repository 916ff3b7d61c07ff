import { type CardOrder, CardShop, PRICE } from '../support/card-shop.js';
import type { Intent } from '../support/stripe-protocol.js';
import { type Fault, StripeServer } from '../support/stripe-server.js';
import { verify } from '../support/verify.js';

const FAULTS: Fault[] = [
  'LOST_BEFORE',
  'LOST_AFTER',
  'HANGS_BEFORE',
  'HANGS_AFTER',
  '500_BEFORE',
  '500_AFTER',
  '429',
  'NO_JSON',
];

let stripe: StripeServer;
let cards: CardShop;

// Nothing happens but what the test asks for: no job, no webhook, no schedule.
beforeAll(async () => {
  stripe = await new StripeServer().open();
  cards = await CardShop.open({ ...stripe.settings, LARDER_ROLE: 'api', PAYMENT_TIMEOUT_MS: '500' });
});
afterEach(() => verify(cards.sql));
afterEach(() => {
  stripe.fault = () => undefined;
});
afterAll(async () => {
  await cards.close();
  await stripe.close();
});

const intentsOf = ({ paymentId }: CardOrder): Intent[] =>
  [...stripe.intents.values()].filter(({ metadata }) => metadata.payment === paymentId);
/** The next request whose address ends like this goes wrong; a lost one twice, as the library tries those again by itself. */
const failOnce = (end: RegExp, fault: Fault) => {
  let left = fault.startsWith('LOST') ? 2 : 1;
  stripe.fault = ({ method, path }) =>
    left > 0 && method === 'POST' && end.test(path) && left-- > 0 ? fault : undefined;
};
/** Asks again until nothing is under way, and says how often that took. */
const persist = async (order: CardOrder): Promise<number> => {
  for (let sweeps = 1; sweeps <= 6; sweeps++) {
    await cards.hurry(order);
    await cards.sweep();
    const { operations } = await cards.state(order);
    if (!operations.some((operation) => operation.endsWith('PENDING'))) return sweeps;
  }
  throw new Error(`Still under way: ${JSON.stringify(await cards.state(order))}`);
};
/** As if so much time had gone by since it was asked for the first time. */
const age = (order: CardOrder, interval: string) =>
  cards.sql.query(`UPDATE payment_operations SET created_at = created_at - $2::interval WHERE payment_id = $1`, [
    order.paymentId,
    interval,
  ]);
const held = async (): Promise<CardOrder> => {
  const order = await cards.order();
  expect((await cards.confirm(order, 'pm_card_visa')).status).toBe(200);
  return order;
};

describe.each(FAULTS)('When Stripe answers %s', (fault) => {
  it('a capture is done once', async () => {
    const order = await held();
    failOnce(/capture$/, fault);
    await persist(order);
    expect(await cards.state(order)).toMatchObject({
      order: 'CONFIRMED',
      payment: 'CAPTURED',
      captured: PRICE,
      sales: 1,
    });
    expect(intentsOf(order)).toMatchObject([{ status: 'succeeded', amount_received: PRICE }]);
    expect(stripe.captures.get(intentsOf(order)[0]!.id)).toBe(1);
  });

  it('a refund is paid once', async () => {
    const order = await held();
    await persist(order);
    await cards.cancel(order);
    failOnce(/refunds$/, fault);
    await persist(order);
    expect(await cards.state(order)).toMatchObject({
      order: 'CANCELLED',
      payment: 'REFUNDED',
      refunded: PRICE,
      refunds: 1,
    });
    const made = [...stripe.refunds.values()].filter((refund) => refund.payment_intent === intentsOf(order)[0]?.id);
    expect(made).toMatchObject([{ amount: PRICE }]);
  });

  it('a hold is let go', async () => {
    const order = await cards.order();
    await cards.confirm(order, 'pm_card_challenge');
    await cards.cancel(order);
    failOnce(/cancel$/, fault);
    await persist(order);
    expect(await cards.state(order)).toMatchObject({ order: 'CANCELLED', payment: 'VOIDED', authorized: 0 });
    expect(intentsOf(order)).toMatchObject([{ status: 'canceled' }]);
  });

  it('a card is charged once', async () => {
    const order = await cards.order();
    failOnce(/payment_intents$/, fault);
    expect((await cards.confirm(order, 'pm_card_visa')).status).toBe(202);
    if (fault.startsWith('500')) await age(order, '3 minutes');
    await persist(order);
    // Kept with its key for ever: the request will never be done, and the customer may try again.
    if (fault === '500_BEFORE') {
      expect(await cards.state(order)).toMatchObject({ order: 'PENDING', failure: 'PROVIDER_ERROR' });
      expect((await cards.confirm(order, 'pm_card_visa')).status).toBe(200);
      await persist(order);
    }
    expect(await cards.state(order)).toMatchObject({
      order: 'CONFIRMED',
      payment: 'CAPTURED',
      captured: PRICE,
      sales: 1,
    });
    expect(intentsOf(order)).toMatchObject([{ status: 'succeeded' }]);
  });
});

describe('A request that Stripe keeps answering with an error', () => {
  it('is asked anew under another key, once it is certain that it was not done', async () => {
    const order = await held();
    failOnce(/capture$/, '500_BEFORE');
    expect(await persist(order)).toBeGreaterThan(1);
    const { operations } = await cards.state(order);
    expect(operations).toEqual(['AUTHORIZE SUCCEEDED', 'CAPTURE FAILED', 'CAPTURE SUCCEEDED']);
  });
});

describe('An authorisation that nobody knows the end of', () => {
  it('is not asked for a second time when Stripe has forgotten its key, but looked for', async () => {
    for (const fault of ['LOST_AFTER', 'LOST_BEFORE'] as const) {
      const order = await cards.order();
      failOnce(/payment_intents$/, fault);
      expect((await cards.confirm(order, 'pm_card_visa')).status).toBe(202);
      stripe.forgetKeys();
      await age(order, '25 hours');
      await persist(order);
      expect(intentsOf(order).length).toBe(fault === 'LOST_AFTER' ? 1 : 0);
      expect(await cards.state(order)).toMatchObject(
        fault === 'LOST_AFTER' ? { payment: 'CAPTURED', sales: 1 } : { payment: 'PENDING', failure: 'PROVIDER_ERROR' },
      );
    }
  });

  it('while the order has expired, ends with nothing held', async () => {
    for (const fault of ['LOST_AFTER', 'HANGS_AFTER', 'LOST_BEFORE'] as const) {
      const order = await cards.order();
      failOnce(/payment_intents$/, fault);
      expect((await cards.confirm(order, 'pm_card_visa')).status).toBe(202);
      await cards.overdue(order);
      await cards.expireOverdue();
      await persist(order);
      expect(await cards.state(order)).toMatchObject({
        order: 'EXPIRED',
        payment: 'VOIDED',
        captured: 0,
        authorized: 0,
      });
      expect(intentsOf(order)).toMatchObject([{ status: 'canceled' }]);
    }
  });

  it('of a capture, while the order is cancelled, ends with the money back', async () => {
    for (const fault of ['LOST_AFTER', 'LOST_BEFORE'] as const) {
      const order = await held();
      failOnce(/capture$/, fault);
      await cards.hurry(order);
      await cards.sweep();
      expect((await cards.cancel(order)).status).toBe(200);
      expect(await cards.state(order)).toMatchObject({ order: 'CANCELLED', payment: 'VOIDED' });
      await persist(order);
      expect(await cards.state(order)).toMatchObject({ payment: 'REFUNDED', refunded: PRICE, sales: 1, refunds: 1 });
      expect(stripe.captures.get(intentsOf(order)[0]!.id)).toBe(1);
    }
  });
});

describe('A Stripe that is away', () => {
  it('is asked again at longer and longer intervals, and all is done when it is back', async () => {
    const orders = [];
    for (let n = 0; n < 10; n++) orders.push(await held());
    stripe.fault = () => 'LOST_BEFORE';
    // As it is written: looked at afterwards, it is shorter by what the machine took.
    await cards.sql.query(`
      CREATE TABLE waits (payment_id uuid, seconds float8);
      CREATE FUNCTION keep_wait() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        INSERT INTO waits VALUES (NEW.payment_id, extract(epoch FROM NEW.next_attempt_at - now()));
        RETURN NULL;
      END $$;
      CREATE TRIGGER keep_wait AFTER UPDATE OF failure_code ON payment_operations FOR EACH ROW
        WHEN (NEW.status = 'PENDING') EXECUTE FUNCTION keep_wait()`);
    for (let round = 0; round < 4; round++) {
      await Promise.all(orders.map((order) => cards.hurry(order)));
      await cards.sweep();
    }
    const { waits } = await cards.shop.row<{ waits: number[] }>(
      'SELECT array_agg(seconds) AS waits FROM waits WHERE payment_id = $1',
      [orders[0]!.paymentId],
    );
    expect(waits).toHaveLength(4);
    expect(waits).toEqual([...waits].sort((a, b) => a - b));
    expect(waits[3]).toBeGreaterThan(3 * waits[0]!);
    stripe.fault = () => undefined;
    await Promise.all(orders.map((order) => cards.hurry(order)));
    await cards.sweep();
    for (const order of orders) expect(await cards.state(order)).toMatchObject({ payment: 'CAPTURED', sales: 1 });
  });
});
