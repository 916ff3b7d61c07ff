import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type Build, buildLarder, type LarderRun } from '../support/built-larder.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { Factory, freshKey, type TestStore, type TestUser } from '../support/factories.js';
import { callOver, orderOf, type Reply } from '../support/shop.js';
import { type Asked, type Fault, StripeServer } from '../support/stripe-server.js';
import { verify } from '../support/verify.js';

const PRICE = 990;
const AT_ONCE = 10;
const JOBS_AT_ONCE = 5;
/** How many requests of twenty orders Stripe has seen when Larder is killed. */
const SEEN_BEFORE = [7, 21, 35];

interface Attempt {
  orderId: string;
  paymentId: string;
  user: TestUser;
  key: string;
}

let build: Build;
let database: TestDatabase;
let sql: pg.Pool;
let make: Factory;
let store: TestStore;
let tea: string;
let stripe: StripeServer;
let larder: LarderRun;
let url: string;

const start = async (): Promise<void> => {
  // The workers of those who were killed are missed soon.
  const settings = {
    DATABASE_URL: database.url,
    NODE_ENV: 'test',
    JOBS_WORKER_LOST_MS: '2000',
    PAYMENT_TIMEOUT_MS: '2000',
  };
  larder = build.start({ ...settings, ...stripe.settings });
  url = await larder.url();
};

beforeAll(async () => {
  [build, database, stripe] = await Promise.all([buildLarder(), createTestDatabase(), new StripeServer().open()]);
  sql = new pg.Pool({ connectionString: database.url, max: 3 });
  sql.on('error', () => undefined);
  await start();
  make = new Factory(sql);
  store = await make.store('crash');
  tea = await make.variant(store, { price: PRICE, onHand: 100_000 });
});
afterEach(() => verify(sql));
afterAll(async () => {
  await build?.clear();
  await stripe?.close();
  await sql?.end();
  await database?.drop();
});

const place = async (): Promise<Attempt> => {
  const user = await make.user(store);
  const body = orderOf([{ variantId: tea, quantity: 1 }], { paymentMethod: 'CARD' });
  const reply = await callOver(http.globalAgent, `${url}/api/orders`, 'post', { user, body, key: freshKey() });
  const { id, payment } = JSON.parse(reply.text) as { id: string; payment: { id: string } };
  return { orderId: id, paymentId: payment.id, user, key: freshKey() };
};
const confirm = ({ paymentId, user, key }: Attempt): Promise<Reply> => {
  const options = { user, key, body: { source: 'pm_card_visa' } };
  return callOver(http.globalAgent, `${url}/api/payments/${paymentId}/confirm`, 'post', options);
};
/** As a client does that wants to know. */
const insist = async (attempt: Attempt): Promise<Reply> => {
  for (let time = 1; ; time++) {
    const reply = await confirm(attempt);
    if (reply.status === 200 || time === 400) return reply;
    await sleep(100);
  }
};
const kill = async (): Promise<void> => {
  larder.child.kill('SIGKILL');
  await larder.exited;
};
/** Until all of them are paid; what was begun is due at once. */
const allCaptured = async (attempts: Attempt[]): Promise<void> => {
  const ids = attempts.map(({ paymentId }) => paymentId);
  await sql.query(`UPDATE payment_operations SET next_attempt_at = now() WHERE status = 'PENDING'`);
  for (const deadline = Date.now() + 60_000; ; await sleep(50)) {
    const { rows } = await sql.query(`SELECT status FROM payments WHERE id = ANY ($1) AND status <> 'CAPTURED'`, [ids]);
    if (rows.length === 0) return;
    if (Date.now() > deadline) throw new Error(`Not captured: ${JSON.stringify(rows)}`);
  }
};
const expectOnce = (attempts: Attempt[]): void => {
  for (const { paymentId } of attempts) {
    const intents = [...stripe.intents.values()].filter(({ metadata }) => metadata.payment === paymentId);
    expect(intents).toMatchObject([{ status: 'succeeded', amount_received: PRICE }]);
    expect(stripe.captures.get(intents[0]!.id)).toBe(1);
  }
};

describe(`Larder, killed while Stripe is asked for ${AT_ONCE} payments`, () => {
  it.each<[string, RegExp, Fault]>([
    ['that it has not begun to authorise', /payment_intents$/, 'HANGS_BEFORE'],
    ['that it has authorised', /payment_intents$/, 'HANGS_AFTER'],
    ['that it has not begun to capture', /capture$/, 'HANGS_BEFORE'],
    ['that it has captured', /capture$/, 'HANGS_AFTER'],
  ])('%s, finishes them when it is back, each once', async (_stage, step, fault) => {
    const attempts = await Promise.all(Array.from({ length: AT_ONCE }, place));
    let begun = 0;
    let hanging = 0;
    stripe.fault = ({ path }: Asked) => {
      if (path.endsWith('payment_intents')) begun++;
      if (!step.test(path)) return undefined;
      hanging++;
      return fault;
    };
    const replies = attempts.map((attempt) => confirm(attempt).catch(() => undefined));
    // Captures wait for a place at the worker. A payment that nobody has begun is nobody's to finish.
    while (begun < AT_ONCE || hanging < (step.source.startsWith('capture') ? JOBS_AT_ONCE : AT_ONCE)) await sleep(5);
    await kill();
    stripe.fault = () => undefined;
    await Promise.all(replies);
    await start();
    await allCaptured(attempts);
    expectOnce(attempts);
    const again = await Promise.all(attempts.map(insist));
    expect(again.map(({ status, body }) => [status, body.status])).toEqual(attempts.map(() => [200, 'CAPTURED']));
  });
});

describe('Larder, killed while twenty customers pay by card', () => {
  it.each(SEEN_BEFORE)('after %d requests to Stripe, has charged each card once when all insist', async (seen) => {
    const attempts = await Promise.all(Array.from({ length: 20 }, place));
    const before = stripe.asked.length;
    const replies = attempts.map((attempt) => confirm(attempt).catch(() => undefined));
    while (stripe.asked.length < before + seen) await sleep(0);
    await kill();
    await Promise.all(replies);
    await start();
    await sql.query(`UPDATE payment_operations SET next_attempt_at = now() WHERE status = 'PENDING'`);
    const insisted = await Promise.all(attempts.map(insist));
    expect(insisted.map(({ status }) => status)).toEqual(attempts.map(() => 200));
    await allCaptured(attempts);
    expectOnce(attempts);
  });
});
