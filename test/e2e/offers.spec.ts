import { runInContext } from '../../src/common/request-context.js';
import type { OrderResponse } from '../../src/modules/orders/dto/order.dto.js';
import { OfferAgain } from '../../src/modules/shipping/offer-again.js';
import { Database } from '../../src/platform/prisma/database.js';
import type { TestUser } from '../support/factories.js';
import { Shop } from '../support/shop.js';
import { verify } from '../support/verify.js';

const PRICE = 1000;
const ROUNDS = 3;

interface Offer {
  id: string;
  agent: string | null;
  status: string;
  round: number;
}

let shop: Shop;
let customer: TestUser;
let tea: string;
let ann: TestUser;
let bob: TestUser;
let cleo: TestUser;

beforeAll(async () => {
  shop = await Shop.open({ floatLimit: 10 * PRICE });
  await shop.larder.sql.query('UPDATE stores SET offer_rounds = $2 WHERE id = $1', [shop.store.id, ROUNDS]);
  customer = await shop.make.user(shop.store);
  tea = await shop.make.variant(shop.store, { price: PRICE, onHand: 100_000 });
});
beforeEach(async () => {
  [ann, bob, cleo] = [
    await shop.make.agent(shop.store),
    await shop.make.agent(shop.store),
    await shop.make.agent(shop.store),
  ];
});
afterEach(async () => {
  await verify(shop.larder.sql);
  await shop.larder.sql.query(`UPDATE delivery_agents SET status = 'OFFLINE'`);
  await shop.larder.sql.query(
    `UPDATE shipping_assignments SET status = 'CANCELLED', closed_at = now() WHERE status IN ('OFFERED', 'ACCEPTED')`,
  );
});
afterAll(() => shop.close());

const placed = () => shop.placed(customer, [{ variantId: tea, quantity: 1 }]);
const offer = async (order: OrderResponse, agent?: TestUser): Promise<string> => {
  const body = { orderId: order.id, agentId: agent?.id };
  const answer = await shop.ask('post', '/api/shipping/assignments', shop.manager, { body }).expect(201);
  return (answer.body as { id: string }).id;
};
const step = (id: string, name: string, agent: TestUser) =>
  shop.ask('post', `/api/shipping/assignments/${id}/${name}`, agent);
const offersOf = async (order: OrderResponse): Promise<Offer[]> => {
  const { rows } = await shop.larder.sql.query<Offer>(
    `SELECT id, agent_id AS agent, status, round::int FROM shipping_assignments WHERE order_id = $1 ORDER BY offered_at, id`,
    [order.id],
  );
  return rows;
};
const latest = async (order: OrderResponse): Promise<Offer> => (await offersOf(order)).at(-1)!;
/** As if the offer's time were up, and the schedule came by. */
const expire = async (...orders: OrderResponse[]): Promise<void> => {
  await shop.larder.sql.query(
    `UPDATE shipping_assignments SET offer_expires_at = now() WHERE status = 'OFFERED' AND order_id = ANY ($1)`,
    [orders.map(({ id }) => id)],
  );
  await sweep();
};
const inStore = <T>(run: () => Promise<T>): Promise<T> =>
  runInContext({ requestId: 'offers', storeId: shop.store.id }, run);
const sweep = () => inStore(() => shop.larder.app.get(OfferAgain).expireDue());
const goOn = (assignmentId: string) =>
  inStore(() =>
    shop.larder.app.get(Database).transaction((tx) => shop.larder.app.get(OfferAgain).afterRejection(tx, assignmentId)),
  );
/** The job that a rejection leaves behind. */
const goOnAfterRejection = async (): Promise<void> => {
  const { rows } = await shop.larder.sql.query<{ id: string; data: { assignmentId: string } }>(
    `SELECT id::text, payload -> 'data' AS data FROM graphile_worker._private_jobs`,
  );
  for (const { id, data } of rows) {
    await goOn(data.assignmentId);
    await shop.larder.sql.query('DELETE FROM graphile_worker._private_jobs WHERE id = $1', [id]);
  }
};
const newsOf = async (order: OrderResponse): Promise<string[]> => {
  const { rows } = await shop.larder.sql.query<{ type: string }>(
    `SELECT type FROM outbox_events WHERE aggregate_type = 'assignment' AND payload ->> 'orderId' = $1 ORDER BY id`,
    [order.id],
  );
  return rows.map(({ type }) => type.replace('assignment.', ''));
};

describe('an offer to one agent', () => {
  it('goes to the next when he does not answer in time, and is his no more', async () => {
    const order = await placed();
    const first = await offer(order, ann);
    await expire(order);
    const [expired, next] = await offersOf(order);
    expect(expired).toEqual({ id: first, agent: ann.id, status: 'EXPIRED', round: 1 });
    expect(next).toMatchObject({ status: 'OFFERED', round: 2 });
    expect([bob.id, cleo.id]).toContain(next!.agent);
    await step(first, 'accept', ann).expect(409, /"ASSIGNMENT_TAKEN"/);
    await step(next!.id, 'accept', next!.agent === bob.id ? bob : cleo).expect(200);
    expect(await newsOf(order)).toEqual(['offered', 'expired', 'offered', 'accepted']);
  });

  it('goes to the next by a job when he turns it down; the job is there exactly when he has', async () => {
    const order = await placed();
    const id = await offer(order, ann);
    await step(id, 'reject', ann).expect(204);
    await step(id, 'reject', ann).expect(400, /"ASSIGNMENT_INVALID_TRANSITION"/);
    const jobs = await shop.row(
      `SELECT count(*)::int AS jobs FROM graphile_worker._private_jobs WHERE payload -> 'data' ->> 'assignmentId' = $1`,
      [id],
    );
    expect(jobs).toEqual({ jobs: 1 });
    await goOnAfterRejection();
    const [rejected, next] = await offersOf(order);
    expect(rejected).toMatchObject({ agent: ann.id, status: 'REJECTED' });
    expect([bob.id, cleo.id]).toContain(next!.agent);
    expect(await newsOf(order)).toEqual(['offered', 'rejected', 'offered']);
  });

  it('asks each agent once, then all of them', async () => {
    const order = await placed();
    await offer(order, ann);
    await expire(order);
    await expire(order);
    await expire(order);
    const offers = await offersOf(order);
    expect(offers.map(({ round }) => round)).toEqual([1, 2, 3, 1]);
    expect(new Set(offers.map(({ agent }) => agent))).toEqual(new Set([ann.id, bob.id, cleo.id, null]));
  });

  it(`asks no more than ${ROUNDS} of them before it asks all`, async () => {
    for (let i = 0; i < 5; i++) await shop.make.agent(shop.store);
    const order = await placed();
    await offer(order, ann);
    for (let i = 0; i < ROUNDS; i++) await expire(order);
    const offers = await offersOf(order);
    expect(offers.filter(({ agent }) => agent !== null)).toHaveLength(ROUNDS);
    expect(offers.at(-1)).toMatchObject({ agent: null, round: 1 });
  });

  it('passes over who is offline, elsewhere, holds too much cash, or had this parcel before', async () => {
    const [offline, elsewhere, rich, failed] = [cleo, await shop.make.agent(shop.store), bob, ann];
    const { sql } = shop.larder;
    await sql.query(`UPDATE delivery_agents SET status = 'OFFLINE' WHERE id = $1`, [offline.id]);
    await sql.query(`UPDATE delivery_agents SET service_zip_codes = '{99999}' WHERE id = $1`, [elsewhere.id]);
    await sql.query('UPDATE stores SET agent_float_limit = $2 WHERE id = $1', [shop.store.id, PRICE]);
    await shop.carried(rich, (await placed()).id, 'ACCEPTED');
    const order = await placed();
    const parcel = await shop.carried(failed, order.id);
    await shop.ask('post', `${parcel.path}/fail`, failed, { body: { reason: 'Nobody there' } }).expect(200);
    const asked = await shop.make.agent(shop.store);
    await offer(order, asked);
    await expire(order);
    expect(await latest(order)).toMatchObject({ agent: null, status: 'OFFERED' });
    await sql.query('UPDATE stores SET agent_float_limit = $2 WHERE id = $1', [shop.store.id, 10 * PRICE]);
  });

  it('goes to who has the fewest parcels, and of these to who has had none for longest', async () => {
    const busy = await placed();
    await offer(busy, bob);
    const order = await placed();
    await offer(order, ann);
    await expire(order);
    expect(await latest(order)).toMatchObject({ agent: cleo.id });
    // Bob and Cleo have one each, now nobody has; Cleo's ended last.
    await shop.larder.sql.query(
      `UPDATE shipping_assignments SET status = 'CANCELLED', closed_at = clock_timestamp() WHERE agent_id = $1 AND status = 'OFFERED'`,
      [bob.id],
    );
    await shop.larder.sql.query(
      `UPDATE shipping_assignments SET status = 'CANCELLED', closed_at = clock_timestamp() WHERE agent_id = $1 AND status = 'OFFERED'`,
      [cleo.id],
    );
    const later = await placed();
    await offer(later, ann);
    await expire(later);
    expect(await latest(later)).toMatchObject({ agent: bob.id });
  });

  it('is spread over the agents when many run out at once', async () => {
    const dora = await shop.make.agent(shop.store);
    const orders = [await placed(), await placed(), await placed()];
    for (const order of orders) await offer(order, ann);
    await expire(...orders);
    const asked = await Promise.all(orders.map(async (order) => (await latest(order)).agent));
    expect(new Set(asked)).toEqual(new Set([bob.id, cleo.id, dora.id]));
  });
});

describe('an offer to all', () => {
  it(`is made ${ROUNDS} times; then staff are told, once`, async () => {
    const order = await placed();
    await offer(order);
    for (let i = 0; i < ROUNDS + 2; i++) await expire(order);
    expect(await offersOf(order)).toMatchObject([1, 2, 3].map((round) => ({ agent: null, status: 'EXPIRED', round })));
    expect((await newsOf(order)).filter((type) => type === 'unclaimed')).toHaveLength(1);
    expect((await newsOf(order)).at(-1)).toBe('unclaimed');
  });

  it('begins anew when staff offer it again', async () => {
    const order = await placed();
    await offer(order);
    for (let i = 0; i < ROUNDS; i++) await expire(order);
    await offer(order);
    await expire(order);
    expect(await latest(order)).toMatchObject({ agent: null, status: 'OFFERED', round: 2 });
  });

  it('stays open when somebody turns it down, and is shown to him again in the next round', async () => {
    const order = await placed();
    const id = await offer(order);
    await step(id, 'reject', ann).expect(204);
    expect(await latest(order)).toMatchObject({ id, status: 'OFFERED' });
    await expire(order);
    const { body } = await shop.ask('get', '/api/shipping/assignments?status=OFFERED', ann).expect(200);
    expect((body as { items: { orderId: string }[] }).items.map(({ orderId }) => orderId)).toContain(order.id);
  });
});

describe('what is not offered by itself', () => {
  it('an order that was never offered, or that staff took back', async () => {
    const never = await placed();
    const withdrawn = await placed();
    const id = await offer(withdrawn, ann);
    await shop
      .ask('post', `/api/shipping/assignments/${id}/cancel`, shop.manager, { body: { reason: 'Wait' } })
      .expect(200);
    await sweep();
    expect(await offersOf(never)).toEqual([]);
    expect(await offersOf(withdrawn)).toMatchObject([{ status: 'CANCELLED' }]);
  });

  it('an order that ended before the job came', async () => {
    const order = await placed();
    await step(await offer(order, ann), 'reject', ann).expect(204);
    await shop.ask('patch', `/api/orders/${order.id}`, customer, { body: { status: 'CANCELLED' } }).expect(200);
    await goOnAfterRejection();
    expect(await offersOf(order)).toMatchObject([{ status: 'REJECTED' }]);
  });

  it('an order that staff have offered before the job came; nor one for which the job comes twice', async () => {
    const order = await placed();
    const id = await offer(order, ann);
    await step(id, 'reject', ann).expect(204);
    await offer(order, bob);
    await goOnAfterRejection();
    expect(await offersOf(order)).toMatchObject([{ status: 'REJECTED' }, { agent: bob.id, status: 'OFFERED' }]);
    await goOn(id);
    expect(await offersOf(order)).toHaveLength(2);
  });
});
