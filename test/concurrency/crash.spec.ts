import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type Build, buildLarder, type LarderRun } from '../support/built-larder.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { Factory, freshKey, type TestStore, type TestUser } from '../support/factories.js';
import { type CallOptions, callOver, orderOf, PATIENT, type Reply, tally } from '../support/shop.js';
import { verify } from '../support/verify.js';

const AT_ONCE = 50;
/** How many of them have been answered when Larder is killed, round by round. */
const ANSWERED_BEFORE = [0, 1, 10, 25, 40];
const DELIVERIES = 20;
const PRICE = 700;

interface Sending extends CallOptions {
  user: TestUser;
  path: string;
}

let build: Build;
let database: TestDatabase;
let sql: pg.Pool;
let make: Factory;
let store: TestStore;
let manager: TestUser;
let held: string;
let tea: string;
let milk: string;
let larder: LarderRun;
let url: string;

const start = async (): Promise<void> => {
  larder = build.start({ ...PATIENT, DATABASE_URL: database.url, NODE_ENV: 'test' });
  url = await larder.url();
};
const send = ({ path, ...options }: Sending, agent?: http.Agent): Promise<Reply> =>
  callOver(agent ?? http.globalAgent, url + path, 'post', options);

beforeAll(async () => {
  [build, database] = await Promise.all([buildLarder(), createTestDatabase()]);
  sql = new pg.Pool({ connectionString: database.url, max: 3 });
  sql.on('error', () => undefined);
  await start();
  make = new Factory(sql);
  store = await make.store('crash', { agentFee: 250 });
  manager = await make.user(store, 'MANAGER');
  // Older than the others, so that its stock is locked before theirs.
  held = await make.variant(store, { price: PRICE, onHand: 100_000 });
  tea = await make.variant(store, { price: PRICE, onHand: 100_000 });
  milk = await make.variant(store, { price: PRICE, onHand: 100_000 });
});
afterEach(() => verify(sql));
afterAll(async () => {
  await build?.clear();
  await sql?.end();
  await database?.drop();
});

/**
 * Sends all at once and kills Larder when so many have been answered. Who got no answer has undefined: as a rule some, and the one
 * for certain that waits for the row that this SQL locks.
 */
async function sendAndKill(
  sendings: Sending[],
  answered: number,
  [text, value]: [text: string, value: string],
): Promise<(Reply | undefined)[]> {
  const holder = await sql.connect();
  await holder.query('BEGIN');
  await holder.query(text, [value]);
  const agent = new http.Agent({ keepAlive: true });
  let replies = 0;
  const results = sendings.map((sending) =>
    send(sending, agent).then(
      (reply) => {
        if (++replies === answered) larder.child.kill('SIGKILL');
        return reply;
      },
      () => undefined,
    ),
  );
  if (answered === 0) {
    // Once the first of them is in the database, though nobody has heard of it.
    const begun = `
      SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database
       WHERE l.locktype = 'advisory' AND d.datname = current_database()`;
    while ((await sql.query(begun)).rows.length === 0) await sleep(0);
    larder.child.kill('SIGKILL');
  }
  const settled = await Promise.all(results);
  await larder.exited;
  await holder.query('ROLLBACK');
  holder.release();
  agent.destroy();
  return settled;
}

/** What changed nothing and asks to be sent again: still running, or behind others for longer than lock_timeout. */
const AGAIN = new Set(['IDEMPOTENCY_IN_PROGRESS', 'RESOURCE_LOCKED']);

/** As a client does that wants to know: the same request again, until it has its answer. */
async function insist(sending: Sending): Promise<Reply> {
  for (let attempt = 1; ; attempt++) {
    const reply = await send(sending);
    const settled = reply.status < 500 && !AGAIN.has(reply.body.code);
    if (settled || attempt === 50) return reply;
    await sleep(20);
  }
}

const count = async (text: string, values: unknown[]): Promise<number> => {
  const { rows } = await sql.query<{ count: string }>(`SELECT count(*) FROM ${text}`, values);
  return Number(rows[0]?.count);
};

describe(`Larder, killed while ${AT_ONCE} orders are being placed`, () => {
  it.each(ANSWERED_BEFORE)(
    'with %d of them answered, has each key for one order when all are sent again',
    async (answered) => {
      const customers = await Promise.all(Array.from({ length: AT_ONCE }, () => make.user(store)));
      for (const customer of customers) await make.topUp(store, customer, 10 * PRICE);
      const sendings = customers.map((user, index): Sending => {
        const goods = index === 0 ? [held, milk] : [tea, milk];
        const lines = goods.map((variantId) => ({ variantId, quantity: 1 }));
        const paymentMethod = index % 2 ? 'WALLET' : 'COD';
        const body = orderOf(index % 3 ? lines : lines.toReversed(), { paymentMethod });
        return { user, path: '/api/orders', body, key: freshKey() };
      });
      const lockStock = 'SELECT FROM stock_levels WHERE variant_id = $1 FOR UPDATE';
      const first = await sendAndKill(sendings, answered, [lockStock, held]);
      expect(first[0]).toBeUndefined();
      await start();
      const again = await Promise.all(sendings.map(insist));

      expect(tally(again)).toEqual({ 201: AT_ONCE });
      for (const [index, reply] of again.entries()) {
        const before = first[index];
        if (!before) continue;
        expect([before.status, reply.text, reply.headers['idempotency-replayed']]).toEqual([201, before.text, 'true']);
      }
      expect(new Set(again.map(({ body }) => body.id)).size).toBe(AT_ONCE);
      const ids = customers.map(({ id }) => id);
      expect(await count('orders WHERE customer_id = ANY ($1)', [ids])).toBe(AT_ONCE);
      expect(await count('idempotency_keys WHERE key = ANY ($1)', [sendings.map(({ key }) => key)])).toBe(AT_ONCE);
      const paid = await count(`wallets WHERE kind = 'CUSTOMER' AND balance = $2 AND owner_id = ANY ($1)`, [
        ids,
        8 * PRICE,
      ]);
      expect(paid).toBe(AT_ONCE / 2);
    },
  );
});

describe(`Larder, killed while ${DELIVERIES} parcels are being delivered`, () => {
  it.each([1, 8])(
    'with %d of them answered, has taken all cash and paid all fees once when all are sent again',
    async (answered) => {
      const customer = await make.user(store);
      const agent = await make.agent(store);
      const sendings = await Promise.all(
        Array.from({ length: DELIVERIES }, async (): Promise<Sending> => {
          const body = orderOf([{ variantId: tea, quantity: 1 }]);
          const order = await send({ user: customer, path: '/api/orders', body, key: freshKey() });
          const offer = { user: manager, path: '/api/shipping/assignments', body: { orderId: order.body.id } };
          const path = `/api/shipping/assignments/${(await send(offer)).body.id}`;
          for (const step of ['accept', 'pickup']) {
            expect((await send({ user: agent, path: `${path}/${step}` })).status).toBe(200);
          }
          const { deliveryCode: code } = JSON.parse(order.text) as { deliveryCode: string };
          const delivery = { proof: { code }, cashCollected: { amount: PRICE, currency: 'USD' } };
          return { user: agent, path: `${path}/deliver`, body: delivery, key: freshKey() };
        }),
      );
      const lockParcel = 'SELECT FROM shipping_assignments WHERE id = $1 FOR UPDATE';
      const first = await sendAndKill(sendings, answered, [lockParcel, /[0-9a-f-]{36}/.exec(sendings[0]!.path)![0]]);
      expect(first[0]).toBeUndefined();
      await start();
      const again = await Promise.all(sendings.map(insist));

      expect(tally(again)).toEqual({ 200: DELIVERIES });
      for (const [index, reply] of again.entries()) expect(reply.text).toBe(first[index]?.text ?? reply.text);
      const { rows } = await sql.query(
        `SELECT kind, balance::int FROM wallets WHERE owner_id = $1 AND kind LIKE 'AGENT%' ORDER BY kind`,
        [agent.id],
      );
      expect(rows).toEqual([
        { kind: 'AGENT_CASH', balance: -DELIVERIES * PRICE },
        { kind: 'AGENT_EARNINGS', balance: DELIVERIES * 250 },
      ]);
    },
  );
});
