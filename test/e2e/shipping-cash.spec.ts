import type { OrderResponse } from '../../src/modules/orders/dto/order.dto.js';
import { freshKey, type TestUser } from '../support/factories.js';
import { Shop } from '../support/shop.js';
import { verify } from '../support/verify.js';

const USD = (amount: number) => ({ amount, currency: 'USD' });
const PRICE = 1700;
const DELIVERY_FEE = 300;
const TOTAL = PRICE + DELIVERY_FEE;
const FLOAT_LIMIT = 3 * TOTAL;
/** A store's overpayment limit, when it says nothing else. */
const MOST_ABOVE = 2000;
const SHORT = 'He had no more on him';

let shop: Shop;
let tea: string;
let customer: TestUser;
let agent: TestUser;

beforeAll(async () => {
  shop = await Shop.open({ deliveryFee: DELIVERY_FEE, floatLimit: FLOAT_LIMIT });
  tea = await shop.make.variant(shop.store, { price: PRICE, onHand: 1000 });
});
beforeEach(async () => {
  customer = await shop.make.user(shop.store);
  agent = await shop.make.agent(shop.store);
});
afterEach(async () => {
  await verify(shop.larder.sql);
  await shop.larder.sql.query(`UPDATE delivery_agents SET status = 'OFFLINE'`);
});
afterAll(() => shop.close());

const placed = (paymentMethod = 'COD') => shop.placed(customer, [{ variantId: tea, quantity: 1 }], paymentMethod);
const deliver = (id: string, order: OrderResponse, body: object, key?: string) =>
  shop.ask('post', `/api/shipping/assignments/${id}/deliver`, agent, {
    body: { proof: { code: order.deliveryCode }, ...body },
    key,
  });
const delivered = async (body: object) => {
  const order = await placed();
  const { id } = await shop.carried(agent, order.id);
  const answer = await deliver(id, order, body).expect(200);
  return { order, assignmentId: id, answer };
};
const balance = async (kind: string, ownerId = shop.store.id): Promise<number> => {
  const { sum } = await shop.row(
    `SELECT coalesce(sum(e.amount), 0) AS sum FROM wallets w LEFT JOIN ledger_entries e ON e.wallet_id = w.id
      WHERE w.kind = $1 AND w.owner_id = $2`,
    [kind, ownerId],
  );
  return Number(sum);
};
const books = async () => ({
  cash: await balance('AGENT_CASH', agent.id),
  customer: await balance('CUSTOMER', customer.id),
  owed: await balance('RECEIVABLES'),
  vault: await balance('CASH_VAULT'),
});
type Books = Awaited<ReturnType<typeof books>>;
const moved = async (before: Books) => {
  const after = await books();
  return Object.fromEntries(Object.entries(after).map(([kind, value]) => [kind, value - before[kind as keyof Books]]));
};
const paymentOf = (order: OrderResponse) =>
  shop.row<{ id: string; status: string; captured: number; refunded: number }>(
    `SELECT id, status, captured_amount::int AS captured, refunded_amount::int AS refunded FROM payments WHERE order_id = $1`,
    [order.id],
  );
const settle = (paymentId: string, amount: object, key = freshKey(), user = shop.manager) =>
  shop.ask('post', `/api/payments/${paymentId}/settlements`, user, { body: { amount }, key });

describe('a customer who has not enough', () => {
  it('pays a part at the door, with a reason, and owes the rest', async () => {
    const before = await books();
    const { order, answer } = await delivered({ cashCollected: USD(1500), shortReason: SHORT });
    expect(answer.body).toMatchObject({
      status: 'DELIVERED',
      cashDue: USD(TOTAL),
      cashCollected: USD(1500),
      shortReason: SHORT,
    });
    expect(await moved(before)).toEqual({ cash: -1500, customer: 0, owed: -500, vault: 0 });
    expect(await paymentOf(order)).toMatchObject({ status: 'CAPTURED', captured: 1500 });
    const sales = await shop.row(
      `SELECT sum(e.amount)::int AS sold FROM ledger_transactions t
         JOIN ledger_entries e ON e.store_id = t.store_id AND e.transaction_id = t.id AND e.amount > 0
        WHERE t.type = 'SALE' AND t.reference = $1`,
      [order.id],
    );
    expect(sales).toEqual({ sold: TOTAL });
  });

  it('gets nothing without a reason, and nothing for nothing', async () => {
    const order = await placed();
    const { id } = await shop.carried(agent, order.id);
    for (const body of [{ cashCollected: USD(1500) }, { cashCollected: USD(0), shortReason: SHORT }, {}]) {
      const { body: refusal } = await deliver(id, order, body).expect(400);
      expect(refusal).toMatchObject({ code: 'CASH_MISMATCH', details: [{ due: USD(TOTAL) }] });
    }
    await deliver(id, order, { cashCollected: USD(1), shortReason: '' }).expect(400, /"VALIDATION_FAILED"/);
    expect(await paymentOf(order)).toMatchObject({ status: 'PENDING', captured: 0 });
    // A reason that nothing speaks for isn't kept.
    await deliver(id, order, { cashCollected: USD(TOTAL), shortReason: SHORT }).expect(200, /"shortReason":null/);
  });

  it('brings the rest to the counter, in as many parts as he likes, and not a cent more', async () => {
    const { order } = await delivered({ cashCollected: USD(1500), shortReason: SHORT });
    const { id } = await paymentOf(order);
    const before = await books();
    const key = freshKey();
    const first = await settle(id, USD(200), key).expect(201);
    expect(first.body).toMatchObject({ paymentId: id, orderId: order.id, amount: USD(200), owed: USD(300) });
    await settle(id, USD(200), key).expect(201).expect('idempotency-replayed', 'true');
    const { body: refusal } = await settle(id, USD(301)).expect(409);
    expect(refusal).toMatchObject({ code: 'SETTLEMENT_EXCEEDS_DUE', details: [{ owed: USD(300) }] });
    await settle(id, USD(300)).expect(201);
    await settle(id, USD(1)).expect(409, /"SETTLEMENT_EXCEEDS_DUE"/);
    expect(await moved(before)).toEqual({ cash: 0, customer: 0, owed: 500, vault: -500 });
    expect(await paymentOf(order)).toMatchObject({ status: 'CAPTURED', captured: TOTAL });
    const events = await shop.row(
      `SELECT count(*)::int AS told FROM outbox_events WHERE aggregate_id = $1 AND type = 'payment.settled'`,
      [id],
    );
    expect(events).toEqual({ told: 2 });
  });

  it('settles with a manager only, in the right currency, for what is owed and not for what was paid', async () => {
    const { order } = await delivered({ cashCollected: USD(1500), shortReason: SHORT });
    const { id } = await paymentOf(order);
    for (const user of [customer, agent, await shop.make.user(shop.store, 'SUPPORT')]) {
      await settle(id, USD(1), freshKey(), user).expect(403);
    }
    await settle(id, { amount: 1, currency: 'EUR' }).expect(400, /"CURRENCY_MISMATCH"/);
    await settle(order.id, USD(1)).expect(404);
    const unpaid = await placed();
    await settle((await paymentOf(unpaid)).id, USD(1)).expect(409, /"SETTLEMENT_EXCEEDS_DUE"/);
  });

  it('owes nothing any more once the goods are back; what he paid is in his wallet', async () => {
    const { order } = await delivered({ cashCollected: USD(1500), shortReason: SHORT });
    const before = await books();
    await shop.ask('patch', `/api/orders/${order.id}`, shop.manager, { body: { status: 'RETURNED' } }).expect(200);
    expect(await moved(before)).toEqual({ cash: 0, customer: 1500, owed: 500, vault: 0 });
    await settle((await paymentOf(order)).id, USD(500)).expect(409, /"SETTLEMENT_EXCEEDS_DUE"/);
  });
});

describe('a customer who has no change', () => {
  it('finds what was too much in his wallet', async () => {
    const before = await books();
    const { order, assignmentId, answer } = await delivered({ cashCollected: USD(TOTAL + 350) });
    expect(answer.body).toMatchObject({ cashCollected: USD(TOTAL + 350), shortReason: null });
    expect(await moved(before)).toEqual({ cash: -TOTAL - 350, customer: 350, owed: 0, vault: 0 });
    expect(await paymentOf(order)).toMatchObject({ status: 'CAPTURED', captured: TOTAL });
    const { type } = await shop.row('SELECT type FROM ledger_transactions WHERE reference = $1', [assignmentId]);
    expect(type).toBe('OVERPAYMENT');
  });

  it('gets change for what is above the limit of the store', async () => {
    const order = await placed();
    const { id } = await shop.carried(agent, order.id);
    const { body } = await deliver(id, order, { cashCollected: USD(TOTAL + MOST_ABOVE + 1) }).expect(400);
    expect(body).toMatchObject({
      code: 'CASH_MISMATCH',
      details: [{ due: USD(TOTAL), most: USD(TOTAL + MOST_ABOVE) }],
    });
    await deliver(id, order, { cashCollected: USD(TOTAL + MOST_ABOVE) }).expect(200);
  });

  it('gets change when he is a guest: there is no wallet to keep it in', async () => {
    const order = await placed();
    const { id } = await shop.carried(agent, order.id);
    await shop.larder.sql.query(
      `UPDATE orders SET customer_id = NULL, guest_email = 'guest@larder.test' WHERE id = $1`,
      [order.id],
    );
    const { body } = await deliver(id, order, { cashCollected: USD(TOTAL + 1) }).expect(400);
    expect(body).toMatchObject({ code: 'CASH_MISMATCH', details: [{ due: USD(TOTAL), most: USD(TOTAL) }] });
    await deliver(id, order, { cashCollected: USD(TOTAL) }).expect(200);
  });

  it('pays once for a key, whatever he gave', async () => {
    const order = await placed();
    const { id } = await shop.carried(agent, order.id);
    const key = freshKey();
    const body = { cashCollected: USD(TOTAL + 5) };
    const first = await deliver(id, order, body, key).expect(200);
    const again = await deliver(id, order, body, key).expect(200).expect('idempotency-replayed', 'true');
    expect(again.text).toBe(first.text);
    expect(await balance('CUSTOMER', customer.id)).toBe(5);
  });
});

const another = () => shop.make.agent(shop.store);

describe('the float limit', () => {
  const offered = async (paymentMethod = 'COD') => {
    const order = await placed(paymentMethod);
    const offer = await shop.carried(agent, order.id, 'OFFERED');
    return { order, ...offer };
  };
  const accept = (path: string, user = agent) => shop.ask('post', `${path}/accept`, user);

  it('counts the cash that is under way, and never the parcel that is asked about', async () => {
    const parcels = [await offered(), await offered(), await offered(), await offered()];
    const [first, second, third, fourth] = parcels as [(typeof parcels)[0], ...typeof parcels];
    await accept(first.path).expect(200);
    await accept(second!.path).expect(200);
    // 4000 under way of 6000: one more may go above the limit.
    await accept(third!.path).expect(200);
    await accept(fourth!.path).expect(403, /"FLOAT_LIMIT_REACHED"/);
    const direct = await placed();
    const offer = { body: { orderId: direct.id, agentId: agent.id } };
    await shop.ask('post', '/api/shipping/assignments', shop.manager, offer).expect(403, /"FLOAT_LIMIT_REACHED"/);
  });

  it('stops no delivery that is under way, and lets him go on once cash is handed in or a parcel is given back', async () => {
    const parcels = [await offered(), await offered(), await offered()];
    for (const { path } of parcels) {
      await accept(path).expect(200);
      await shop.ask('post', `${path}/pickup`, agent).expect(200);
    }
    const [first, second] = parcels;
    await deliver(first!.id, first!.order, { cashCollected: USD(TOTAL) }).expect(200);
    const next = await offered();
    await accept(next.path).expect(403, /"FLOAT_LIMIT_REACHED"/);
    await shop
      .ask('post', `/api/shipping/agents/${agent.id}/remittances`, shop.manager, {
        body: { amount: USD(1) },
        key: freshKey(),
      })
      .expect(201);
    await accept(next.path).expect(200);
    const last = await offered();
    await accept(last.path).expect(403, /"FLOAT_LIMIT_REACHED"/);
    for (const { path } of [next, second!]) {
      await shop.ask('post', `${path}/fail`, agent, { body: { reason: 'Nobody there' } }).expect(200);
    }
    await accept(last.path).expect(200);
  });

  it('does not count parcels that are paid', async () => {
    await shop.make.topUp(shop.store, customer, 10 * TOTAL);
    for (let i = 0; i < 3; i++) await accept((await offered()).path).expect(200);
    await accept((await offered('WALLET')).path).expect(403, /"FLOAT_LIMIT_REACHED"/);
    agent = await another();
    for (let i = 0; i < 5; i++) await accept((await offered('WALLET')).path).expect(200);
    await accept((await offered()).path).expect(200);
  });
});

describe('what happens to a parcel', () => {
  const told = async (id: string) => {
    const { rows } = await shop.larder.sql.query<{ type: string; payload: object }>(
      `SELECT type, payload FROM outbox_events WHERE aggregate_type = 'assignment' AND aggregate_id = $1 ORDER BY id`,
      [id],
    );
    return rows;
  };

  it('is told to the rest of the world, each step once', async () => {
    const { order, assignmentId } = await delivered({ cashCollected: USD(TOTAL) });
    const ids = { assignmentId, orderId: order.id, agentId: agent.id };
    expect(await told(assignmentId)).toEqual([
      { type: 'assignment.offered', payload: { assignmentId, orderId: order.id } },
      { type: 'assignment.accepted', payload: ids },
      { type: 'assignment.picked_up', payload: ids },
      { type: 'assignment.delivered', payload: { ...ids, cashCollected: USD(TOTAL) } },
    ]);
  });

  it('is told when it fails, is taken back, or ends with its order', async () => {
    const types = async (id: string) => (await told(id)).map(({ type }) => type).slice(-1);
    const order = await placed();
    const failed = await shop.carried(agent, order.id);
    await shop.ask('post', `${failed.path}/fail`, agent, { body: { reason: 'Nobody there' } }).expect(200);
    expect(await types(failed.id)).toEqual(['assignment.failed']);
    const withdrawn = await shop.carried(agent, order.id, 'ACCEPTED');
    await shop.ask('post', `${withdrawn.path}/cancel`, shop.manager, { body: { reason: 'Ill' } }).expect(200);
    expect(await types(withdrawn.id)).toEqual(['assignment.cancelled']);
    const other = await placed();
    const ended = await shop.carried(agent, other.id, 'ACCEPTED');
    await shop.ask('patch', `/api/orders/${other.id}`, customer, { body: { status: 'CANCELLED' } }).expect(200);
    expect(await types(ended.id)).toEqual(['assignment.cancelled']);
  });
});
