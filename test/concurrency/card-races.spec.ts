import { setTimeout as sleep } from 'node:timers/promises';
import { freshKey } from '../support/factories.js';
import { type CardOrder, CardShop, type CardState, PRICE } from '../support/card-shop.js';
import { raceRounds } from '../support/race-rounds.js';
import { PATIENT, type Reply, tally } from '../support/shop.js';
import type { Intent } from '../support/stripe-protocol.js';
import { StripeServer } from '../support/stripe-server.js';
import { verify } from '../support/verify.js';

const ROUNDS = raceRounds(500);
const FEWER = raceRounds(200);
/** Rounds that are played at the same time, each on an order of its own. */
const AT_ONCE = 8;

let stripe: StripeServer;
let cards: CardShop;

beforeAll(async () => {
  stripe = await new StripeServer().open();
  stripe.delayMs = 20;
  cards = await CardShop.open({ ...stripe.settings, ...PATIENT, JOBS_AT_ONCE: '10' });
});
afterEach(() => verify(cards.sql));
afterAll(async () => {
  await cards.close();
  await stripe.close();
});

const rounds = async (count: number, play: (round: number) => Promise<void>): Promise<void> => {
  let next = 0;
  const player = async (): Promise<void> => {
    for (let round = next++; round < count; round = next++) await play(round);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, player));
};
const shuffled = <T>(items: T[]): T[] =>
  items
    .map((item) => [Math.random(), item] as const)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);
const intentsOf = ({ paymentId }: CardOrder): Intent[] =>
  [...stripe.intents.values()].filter(({ metadata }) => metadata.payment === paymentId);
/** Until nothing is under way any more, of all orders. */
const calm = async (): Promise<void> => {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(50)) {
    const { rows } = await cards.sql.query(
      `SELECT 1 FROM payment_operations WHERE status = 'PENDING'
        UNION ALL
       SELECT 1 FROM graphile_worker._private_jobs j JOIN graphile_worker._private_tasks t ON t.id = j.task_id
        WHERE t.identifier LIKE 'payments.%' LIMIT 1`,
    );
    if (rows.length === 0) return;
  }
  throw new Error('Not calm within a minute');
};

/**
 * Meanwhile and all the time: what waits for its answer is asked for again at once by two sweepers, though it is not lost, and
 * Stripe's news come twice and in any order.
 */
const stirring = (): (() => Promise<void>) => {
  let stopped = false;
  let delivered = stripe.events.length;
  const stir = async (): Promise<void> => {
    while (!stopped) {
      await cards.sql.query(`UPDATE payment_operations SET next_attempt_at = now() WHERE status = 'PENDING'`);
      const news = stripe.events.slice(delivered);
      delivered += news.length;
      const answers = stripe.deliver(cards.shop.larder.url, shuffled([...news, ...news]));
      await Promise.all([cards.sweep(), cards.sweep(), answers]);
      expect(new Set(await answers)).toEqual(news.length > 0 ? new Set([200]) : new Set());
    }
  };
  const running = stir();
  return async () => {
    stopped = true;
    await running;
  };
};

it(`webhook, confirmation and sweeper meet on one payment: one capture, in ${ROUNDS} rounds`, async () => {
  const stop = stirring();
  const orders: CardOrder[] = [];
  const replies: Reply[] = [];
  const play = async (round: number): Promise<void> => {
    const order = await cards.order();
    const challenged = round % 5 === 0;
    const key = freshKey();
    const source = challenged ? 'pm_card_challenge' : 'pm_card_visa';
    const confirmed = await Promise.all([cards.confirm(order, source, { key }), cards.confirm(order, source, { key })]);
    if (challenged) {
      const [intent] = intentsOf(order);
      if (intent) stripe.answerChallenge(intent.id, true);
      confirmed.push(await cards.confirm(order, source, { key }));
    }
    orders.push(order);
    replies.push(...confirmed);
  };
  // Twice asked is what makes it a race: it goes on until that has come about often enough, as a rule at once.
  const askedAgain = async (): Promise<number> =>
    (await cards.shop.row<{ n: number }>('SELECT count(*)::int AS n FROM payment_operations WHERE attempts > 1')).n;
  for (let turn = 0; turn < 5 && (await askedAgain()) <= ROUNDS / 10; turn++) await rounds(ROUNDS, play);
  await stop();
  await calm();

  const refusals = Object.keys(tally(replies)).filter(
    (kind) => !/^20[02]$|^409 (IDEMPOTENCY|RESOURCE|TRANSACTION)/.test(kind),
  );
  expect(refusals).toEqual([]);
  for (const order of orders) {
    const state = await cards.state(order);
    expect(state).toMatchObject({
      order: 'CONFIRMED',
      payment: 'CAPTURED',
      captured: PRICE,
      refunded: 0,
      sales: 1,
      refunds: 0,
    });
    expect(state.operations).toEqual(['AUTHORIZE SUCCEEDED', 'CAPTURE SUCCEEDED']);
    const intents = intentsOf(order);
    expect(intents).toMatchObject([{ status: 'succeeded', amount_received: PRICE }]);
    expect(stripe.captures.get(intents[0]!.id)).toBe(1);
  }
  expect(await askedAgain()).toBeGreaterThan(ROUNDS / 10);
}, 300_000);

it(`a payment expires or is confirmed, in ${FEWER} rounds: nothing is kept of an order that is not`, async () => {
  const ended: Record<string, number> = { CONFIRMED: 0, EXPIRED: 0 };
  const orders: CardOrder[] = [];
  await rounds(FEWER, async (round) => {
    const order = await cards.order();
    // From before the card is asked to after it was charged: once each for certain, however busy the machine.
    const leftMs = [0, 3_600_000][round] ?? 10 ** (1 + 2 * Math.random());
    await cards.sql.query(`UPDATE orders SET expires_at = now() + $2 * interval '1 millisecond' WHERE id = $1`, [
      order.id,
      leftMs,
    ]);
    let answered = false;
    const expiring = (async () => {
      while (!answered) {
        await sleep(10 + 20 * Math.random());
        await cards.expireOverdue();
      }
      // It is not to wait for the end of the test.
      await cards.overdue(order);
      await cards.expireOverdue();
    })();
    const confirming = cards.confirm(order, 'pm_card_visa').finally(() => (answered = true));
    const [reply] = await Promise.all([confirming, expiring]);
    expect(Object.keys(tally([reply]))[0]).toMatch(/^20[02]$|^409 (PAYMENT_CLOSED|RESOURCE_LOCKED)$/);
    orders.push(order);
  });
  // Who expired while nobody knew may still hear of his card.
  await cards.sql.query(`UPDATE payment_operations SET next_attempt_at = now() WHERE status = 'PENDING'`);
  await calm();
  for (const order of orders) {
    const state = await cards.state(order);
    const [intent, ...others] = intentsOf(order);
    expect(others).toEqual([]);
    if (state.order === 'CONFIRMED') {
      expect(state).toMatchObject({ payment: 'CAPTURED', captured: PRICE, sales: 1 });
      expect(intent?.status).toBe('succeeded');
    } else {
      expect(state).toMatchObject({ order: 'EXPIRED', payment: 'VOIDED', authorized: 0, captured: 0, sales: 0 });
      expect(intent?.status ?? 'canceled').toBe('canceled');
    }
    ended[state.order]!++;
  }
  expect([ended.CONFIRMED! > 0, ended.EXPIRED! > 0]).toEqual([true, true]);
}, 300_000);

describe('held money', () => {
  beforeAll(() => cards.captureByHand());

  it(`is captured or let go, in ${FEWER} rounds, whoever asks first`, async () => {
    const won: Record<string, number> = { CAPTURED: 0, VOIDED: 0 };
    const settled: [CardOrder, CardState][] = [];
    await rounds(FEWER, async (round) => {
      const order = await cards.order();
      expect((await cards.confirm(order, 'pm_card_visa')).body.status).toBe('AUTHORIZED');
      const wishes = [() => cards.act(order, 'capture'), () => cards.act(order, 'void')];
      const inTurn = round % 2 ? wishes : wishes.toReversed();
      const replies = await Promise.all(inTurn.map((wish) => sleep(3 * Math.random()).then(wish)));
      const [captured, voided] = round % 2 ? replies : replies.toReversed();
      const state = await cards.settled(order);
      expect([captured!.status === 200, voided!.status === 200]).toEqual([
        state.payment === 'CAPTURED',
        state.payment === 'VOIDED',
      ]);
      const [lost] = [captured!, voided!].filter(({ status }) => status !== 200);
      expect(Object.keys(tally([lost!]))[0]).toMatch(/^409 PAYMENT_IN_PROGRESS$|^400 PAYMENT_INVALID_TRANSITION$/);
      settled.push([order, state]);
      won[state.payment]!++;
    });
    for (const [order, state] of settled) {
      const [intent] = intentsOf(order);
      const isTaken = state.payment === 'CAPTURED';
      expect([state.order, state.sales, intent?.status]).toEqual(
        isTaken ? ['CONFIRMED', 1, 'succeeded'] : ['CANCELLED', 0, 'canceled'],
      );
    }
    expect([won.CAPTURED! > 0, won.VOIDED! > 0]).toEqual([true, true]);
  }, 300_000);

  it('is captured while the customer cancels, in 100 rounds: taken and given back, or let go', async () => {
    await rounds(100, async () => {
      const order = await cards.order();
      await cards.confirm(order, 'pm_card_visa');
      const [, cancelled] = await Promise.all([cards.act(order, 'capture'), cards.cancel(order)]);
      expect(cancelled.status).toBe(200);
      const state = await cards.settled(order);
      const [intent] = intentsOf(order);
      expect([state.order, state.payment, state.sales - state.refunds, state.captured - state.refunded]).toEqual([
        'CANCELLED',
        intent?.status === 'succeeded' ? 'REFUNDED' : 'VOIDED',
        0,
        0,
      ]);
    });
  }, 300_000);
});
