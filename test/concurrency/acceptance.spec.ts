import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Database } from '../../src/platform/prisma/database.js';
import { startApp } from '../support/app.js';
import type { TestUser } from '../support/factories.js';
import { sumOfMetric } from '../support/metrics.js';
import { callOver, PATIENT, quantile, type Reply, Shop, tally } from '../support/shop.js';
import { verify } from '../support/verify.js';

const AGENTS = 200;
const ROUNDS = 50;
const LOCKED_CALLS = 50;
const LOCKED_BELOW_MS = 50;

let shop: Shop;
let customer: TestUser;
let agents: TestUser[];
let tea: string;

beforeAll(async () => {
  shop = await Shop.open({}, PATIENT);
  customer = await shop.make.user(shop.store);
  tea = await shop.make.variant(shop.store, { onHand: 1000 });
  agents = [];
  for (let i = 0; i < AGENTS; i++) agents.push(await shop.make.agent(shop.store));
});
afterEach(() => verify(shop.larder.sql));
afterAll(() => shop.close());

const openOffer = async (): Promise<string> => {
  const order = await shop.placed(customer, [{ variantId: tea, quantity: 1 }]);
  return (await shop.carried(agents[0]!, order.id, 'OFFERED')).id;
};
const accept = (id: string, agent: TestUser) => shop.call('post', `/api/shipping/assignments/${id}/accept`, agent);
const raceFor = (id: string) => Promise.all(agents.map((agent) => accept(id, agent)));
const assignment = (id: string) =>
  shop.row('SELECT status, agent_id, accepted_at FROM shipping_assignments WHERE id = $1', [id]);

/** Runs with the assignment's row held by an open transaction of the test. */
const whileHeld = async <T>(id: string, run: () => Promise<T>): Promise<T> => {
  const holder = await shop.larder.sql.connect();
  await holder.query('BEGIN');
  await holder.query('SELECT 1 FROM shipping_assignments WHERE id = $1 FOR UPDATE', [id]);
  try {
    return await run();
  } finally {
    await holder.query('ROLLBACK');
    holder.release();
  }
};
const lostTo = (reply: Reply, code: string, message: string) =>
  expect(reply).toMatchObject({ status: 409, body: { statusCode: 409, error: 'Conflict', code, message } });
const PROCESSED = 'This assignment is being processed by another request';

describe(`${AGENTS} agents who race for one open assignment`, () => {
  it(`have exactly one winner in each of ${ROUNDS} rounds, all others 409`, async () => {
    const winners = new Set<string>();
    for (let round = 0; round < ROUNDS; round++) {
      const id = await openOffer();
      const replies = await raceFor(id);
      const won = replies.flatMap(({ status }, index) => (status === 200 ? [agents[index]!.id] : []));
      const { 200: ok = 0, '409 ASSIGNMENT_CONFLICT': locked = 0, '409 ASSIGNMENT_TAKEN': taken = 0 } = tally(replies);
      expect([ok, locked + taken]).toEqual([1, AGENTS - 1]);
      expect(await assignment(id)).toEqual({ status: 'ACCEPTED', agent_id: won[0], accepted_at: expect.any(Date) });
      winners.add(won[0]!);
    }
    const { events } = await shop.row(
      `SELECT count(*)::int AS events FROM outbox_events WHERE type = 'assignment.accepted'`,
    );
    expect(events).toBe(ROUNDS);
    expect(winners.size).toBeGreaterThan(0);
  });

  it('are all refused at once while another transaction holds it, and one wins afterwards', async () => {
    const id = await openOffer();
    const replies = await whileHeld(id, () => raceFor(id));
    expect(tally(replies)).toEqual({ '409 ASSIGNMENT_CONFLICT': AGENTS });
    for (const reply of replies) lostTo(reply, 'ASSIGNMENT_CONFLICT', PROCESSED);
    expect(tally(await raceFor(id))['200']).toBe(1);
  });
});

describe('an assignment whose row another transaction holds', () => {
  it(`is refused within ${LOCKED_BELOW_MS} ms, and the log says so`, async () => {
    const id = await openOffer();
    const replies: Reply[] = [];
    const times = () => replies.slice(-LOCKED_CALLS).map(({ ms }) => ms);
    const isFast = () => quantile(times(), 0.9) < LOCKED_BELOW_MS && Math.max(...times()) < 5 * LOCKED_BELOW_MS;
    await whileHeld(id, async () => {
      await accept(id, agents[0]!);
      // A test may share its two cores with others, which may stop it at any moment, but hardly five times.
      for (let turn = 0; turn === 0 || (turn < 5 && !isFast()); turn++) {
        for (let i = 0; i < LOCKED_CALLS; i++) {
          replies.push(await accept(id, agents[i]!));
          await sleep(2);
        }
      }
    });
    for (const reply of replies) lostTo(reply, 'ASSIGNMENT_CONFLICT', PROCESSED);
    expect(isFast()).toBe(true);
    const lines = shop.larder
      .logLines()
      .filter(({ event, assignmentId }) => event === 'shipping_assignment_conflict' && assignmentId === id);
    expect(lines).toHaveLength(replies.length + 1);
    expect(lines[1]).toMatchObject({ agentId: agents[0]!.id, reason: 'locked', requestId: expect.any(String) });
    expect(await assignment(id)).toMatchObject({ status: 'OFFERED', agent_id: null });
  });
});

describe('an instance with one connection, which all agents wait for', () => {
  it('tells the winner as soon as he has won, not after all who have lost', async () => {
    const narrow = await startApp({
      ...PATIENT,
      DATABASE_URL: shop.larder.config.DATABASE_URL ?? '',
      POOL_SIZE: '1',
    });
    try {
      const id = await openOffer();
      const sockets = new http.Agent({ keepAlive: true });
      const { pool } = narrow.app.get(Database);
      const only = await pool.connect();
      let told = 0;
      const asked = agents.map(async (user) => {
        const path = `${narrow.url}/api/shipping/assignments/${id}/accept`;
        const reply = await callOver(sockets, path, 'post', { user });
        return { status: reply.status, place: ++told };
      });
      await shop.waitUntil(() => pool.waitingCount >= AGENTS);
      only.release();
      const places = await Promise.all(asked);
      sockets.destroy();
      const winner = places.find(({ status }) => status === 200);
      expect(winner?.place).toBeLessThan(AGENTS / 4);
    } finally {
      await narrow.close();
    }
  });
});

describe('an agent who is offered an assignment directly', () => {
  it('gets it once, however often he taps, and is told so whenever he asks again', async () => {
    const order = await shop.placed(customer, [{ variantId: tea, quantity: 1 }]);
    const body = { orderId: order.id, agentId: agents[0]!.id };
    const { id } = (await shop.call('post', '/api/shipping/assignments', shop.manager, { body })).body;
    const replies = await Promise.all(Array.from({ length: 20 }, () => accept(id, agents[0]!)));
    const { 200: ok = 0, '409 ASSIGNMENT_CONFLICT': locked = 0 } = tally(replies);
    expect([ok > 0, ok + locked]).toEqual([true, 20]);

    const before = await assignment(id);
    const again = await accept(id, agents[0]!);
    expect(again).toMatchObject({ status: 200, body: { id, status: 'ACCEPTED' } });
    expect(await assignment(id)).toEqual(before);
    expect(tally([await accept(id, agents[1]!)])).toEqual({ '409 ASSIGNMENT_TAKEN': 1 });
    const told = await shop.row(
      `SELECT count(*)::int AS events FROM outbox_events WHERE type = 'assignment.accepted' AND aggregate_id = $1`,
      [id],
    );
    expect(told.events).toBe(1);
  });
});

describe('an order that many dispatchers offer at once', () => {
  it('has one offer, also when an older one has just run out', async () => {
    for (let round = 0; round < 20; round++) {
      const order = await shop.placed(customer, [{ variantId: tea, quantity: 1 }]);
      const first = await shop.carried(agents[0]!, order.id, 'OFFERED');
      await shop.larder.sql.query('UPDATE shipping_assignments SET offer_expires_at = now() WHERE id = $1', [first.id]);
      const body = { orderId: order.id };
      const replies = await Promise.all(
        Array.from({ length: 10 }, () => shop.call('post', '/api/shipping/assignments', shop.manager, { body })),
      );
      expect(tally(replies)).toEqual({ 201: 1, '409 ASSIGNMENT_ACTIVE': 9 });
    }
  });

  it('is never offered and cancelled by two who wait for each other', async () => {
    const retries = () => sumOfMetric(shop.larder, 'larder_db_transaction_retries_total');
    const before = await retries();
    for (let round = 0; round < 50; round++) {
      const order = await shop.placed(customer, [{ variantId: tea, quantity: 1 }]);
      const first = await shop.carried(agents[0]!, order.id, 'OFFERED');
      await shop.larder.sql.query('UPDATE shipping_assignments SET offer_expires_at = now() WHERE id = $1', [first.id]);
      const [offered, cancelled] = await Promise.all([
        shop.call('post', '/api/shipping/assignments', shop.manager, { body: { orderId: order.id } }),
        shop.call('patch', `/api/orders/${order.id}`, customer, { body: { status: 'CANCELLED' } }),
      ]);
      expect(cancelled.status).toBe(200);
      expect(['201', '400 ORDER_NOT_SHIPPABLE']).toEqual(expect.arrayContaining(Object.keys(tally([offered]))));
    }
    expect((await retries()) - before).toBe(0);
  });
});
