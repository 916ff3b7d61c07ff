import type { TestUser } from '../support/factories.js';
import { PATIENT, Shop, tally } from '../support/shop.js';
import { verify } from '../support/verify.js';

const ROUNDS = 200;
const PRICE = 700;
const PIECES = 2;
const CONFLICT = 'Order status was updated by another request. Please refresh and try again';

let shop: Shop;
let customer: TestUser;
let agent: TestUser;

const change = (id: string, status: string, by = shop.manager) =>
  shop.call('patch', `/api/orders/${id}`, by, { body: { status } });
/** An order with stock of its own, and what is to be seen of it afterwards. */
const scene = async (paymentMethod: string) => {
  const tea = await shop.make.variant(shop.store, { price: PRICE, onHand: 5 });
  const { id } = await shop.placed(customer, [{ variantId: tea, quantity: PIECES }], paymentMethod);
  const outcome = () =>
    shop.row(
      `SELECT o.status, o.version, p.status AS payment, s.on_hand, s.reserved,
              (SELECT array_agg(h.to_status ORDER BY h.version) FROM order_history h WHERE h.order_id = o.id) AS history
         FROM orders o
         JOIN payments p ON p.order_id = o.id
        CROSS JOIN stock_levels s
        WHERE o.id = $1 AND s.variant_id = $2`,
      [id, tea],
    );
  return { id, outcome };
};
type Scene = Awaited<ReturnType<typeof scene>>;
/** Plays so many rounds, each on an order of its own, five at a time: a loser waits 50 ms before he looks again. */
const rounds = async (paymentMethod: string, count: number, play: (scene: Scene, round: number) => Promise<void>) => {
  let next = 0;
  const player = async (): Promise<void> => {
    for (let round = next++; round < count; round = next++) await play(await scene(paymentMethod), round);
  };
  await Promise.all(Array.from({ length: 5 }, player));
};
const CANCELLED = { status: 'CANCELLED', version: 2, on_hand: 5, reserved: 0, history: ['CONFIRMED', 'CANCELLED'] };
const SHIPPED = { status: 'SHIPPING', version: 2, on_hand: 3, reserved: 0, history: ['CONFIRMED', 'SHIPPING'] };

describe('of two who move one order at once', () => {
  beforeAll(async () => {
    // A pick-up does not try again; on a busy machine the other's commit may take its time.
    shop = await Shop.open({}, PATIENT);
    customer = await shop.make.user(shop.store);
    agent = await shop.make.agent(shop.store);
    await shop.make.topUp(shop.store, customer, 10_000_000);
  });
  afterEach(() => verify(shop.larder.sql));
  afterAll(() => shop.close());

  it.each(['COD', 'WALLET'])(
    `SHIPPING or CANCELLED wins, whole, in ${ROUNDS / 2} rounds paid by %s`,
    async (method) => {
      const won: Record<string, number> = { CANCELLED: 0, SHIPPING: 0 };
      await rounds(method, ROUNDS / 2, async ({ id, outcome }, round) => {
        const requests = [() => change(id, 'SHIPPING'), () => change(id, 'CANCELLED', customer)];
        const inTurn = round % 2 ? requests : requests.toReversed();
        const replies = await Promise.all(inTurn.map((send) => send()));
        const shipped = replies[round % 2 ? 0 : 1]!;
        const cancelled = replies[round % 2 ? 1 : 0]!;
        const state = await outcome();
        if (cancelled.status === 200) {
          expect(tally([shipped])).toEqual({ '400 ORDER_INVALID_TRANSITION': 1 });
          expect(state).toEqual({ ...CANCELLED, payment: method === 'COD' ? 'VOIDED' : 'REFUNDED' });
        } else {
          expect(tally([shipped, cancelled])).toEqual({ 200: 1, '400 ORDER_CANNOT_CANCEL_AFTER_SHIPPING': 1 });
          expect(state).toEqual({ ...SHIPPED, payment: method === 'COD' ? 'PENDING' : 'CAPTURED' });
        }
        won[state.status as string]!++;
      });
      expect([won.CANCELLED! > 0, won.SHIPPING! > 0]).toEqual([true, true]);
    },
  );

  it('one cancels, and the money goes back once', async () => {
    await rounds('WALLET', 50, async ({ id, outcome }) => {
      const replies = await Promise.all([change(id, 'CANCELLED', customer), change(id, 'CANCELLED')]);
      expect(tally(replies)).toEqual({ 200: 1, '400 ORDER_INVALID_TRANSITION': 1 });
      expect(await outcome()).toEqual({ ...CANCELLED, payment: 'REFUNDED' });
    });
  });

  it('the agent picks up or the customer cancels, and the parcel is where its order is', async () => {
    const won: Record<string, number> = { CANCELLED: 0, SHIPPING: 0 };
    await rounds('COD', 50, async ({ id, outcome }, round) => {
      const { path, id: assignment } = await shop.carried(agent, id, 'ACCEPTED');
      const pickUp = () => shop.call('post', `${path}/pickup`, agent);
      const cancel = () => change(id, 'CANCELLED', customer);
      const [first, second] = await Promise.all(round % 2 ? [pickUp(), cancel()] : [cancel(), pickUp()]);
      const state = await outcome();
      const { status } = await shop.row('SELECT status FROM shipping_assignments WHERE id = $1', [assignment]);
      if (state.status === 'SHIPPING') {
        expect(tally([first, second])).toEqual({ 200: 1, '400 ORDER_CANNOT_CANCEL_AFTER_SHIPPING': 1 });
        expect([state, status]).toEqual([{ ...SHIPPED, payment: 'PENDING' }, 'PICKED_UP']);
      } else {
        expect(tally([first, second])).toEqual({ 200: 1, '400 ASSIGNMENT_INVALID_TRANSITION': 1 });
        expect([state, status]).toEqual([{ ...CANCELLED, payment: 'VOIDED' }, 'CANCELLED']);
      }
      won[state.status as string]!++;
    });
    expect([won.CANCELLED! > 0, won.SHIPPING! > 0]).toEqual([true, true]);
  });

  it('the agent delivers or staff take the parcel back, and the cash is in one place', async () => {
    await rounds('COD', 30, async ({ id }, round) => {
      const { path } = await shop.carried(agent, id);
      const { delivery_code: code, total } = await shop.row('SELECT delivery_code, total FROM orders WHERE id = $1', [
        id,
      ]);
      const body = { proof: { code }, cashCollected: { amount: Number(total), currency: 'USD' } };
      const deliver = () => shop.call('post', `${path}/deliver`, agent, { body });
      const takeBack = () => change(id, 'RETURNED');
      await Promise.all(round % 2 ? [deliver(), takeBack()] : [takeBack(), deliver()]);
      const { status } = await shop.row('SELECT status FROM orders WHERE id = $1', [id]);
      expect(['DELIVERED', 'RETURNED']).toContain(status);
    });
  });

  it('ten steps of ten orders each go through without a conflict', async () => {
    const orders = await Promise.all(Array.from({ length: 10 }, () => scene('WALLET')));
    const replies = await Promise.all(
      orders.map(async ({ id }) => {
        const steps = [];
        for (const status of ['PREPARING', 'SHIPPING', 'DELIVERED', 'RETURNED']) steps.push(await change(id, status));
        return steps;
      }),
    );
    expect(tally(replies.flat())).toEqual({ 200: 40 });
  });
});

describe('an order whose row another transaction holds', () => {
  const LOCK_TIMEOUT_MS = 100;

  beforeAll(async () => {
    shop = await Shop.open({}, { LOCK_TIMEOUT_MS: String(LOCK_TIMEOUT_MS) });
    customer = await shop.make.user(shop.store);
  });
  afterEach(() => verify(shop.larder.sql));
  afterAll(() => shop.close());

  const retriesOf = (orderId: string) =>
    shop.larder.logLines().filter((line) => line.event === 'order_status_update_retry' && line.orderId === orderId);
  const hold = async (id: string) => {
    const holder = await shop.larder.sql.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT 1 FROM orders WHERE id = $1 FOR UPDATE', [id]);
    return async (text = 'ROLLBACK', values: unknown[] = []) => {
      if (text !== 'ROLLBACK') await holder.query(text, values);
      await holder.query('COMMIT');
      holder.release();
    };
  };

  it('is tried three times, with backoff, and then refused', async () => {
    const { id, outcome } = await scene('COD');
    const release = await hold(id);
    const reply = await change(id, 'PREPARING');
    await release();
    expect(reply).toMatchObject({
      status: 409,
      body: { statusCode: 409, error: 'Conflict', code: 'ORDER_STATUS_CONFLICT', message: CONFLICT },
    });
    expect(retriesOf(id).map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    // Three waits for the lock, and backoffs of 50 and 100 ms give or take a half.
    expect(reply.ms).toBeGreaterThan(3 * LOCK_TIMEOUT_MS + 75);
    expect(reply.ms).toBeLessThan(3000);
    expect(await outcome()).toMatchObject({ status: 'CONFIRMED', version: 1, reserved: PIECES });
  });

  it('is moved on once it is free again, by the same request', async () => {
    const { id, outcome } = await scene('COD');
    const release = await hold(id);
    const reply = change(id, 'PREPARING');
    await shop.waitUntil(() => retriesOf(id).length > 0);
    await release();
    expect((await reply).status).toBe(200);
    expect(await outcome()).toMatchObject({ status: 'PREPARING', version: 2 });
  });

  it('is looked at anew on each attempt', async () => {
    const { id } = await scene('COD');
    const release = await hold(id);
    const reply = change(id, 'CANCELLED', customer);
    await shop.waitUntil(() => retriesOf(id).length > 0);
    await release(
      `WITH moved AS (UPDATE orders SET status = 'PREPARING', version = 2 WHERE id = $1 RETURNING *), event AS (
         INSERT INTO outbox_events (store_id, aggregate_type, aggregate_id, type, payload)
         SELECT store_id, 'order', id, 'order.preparing', '{}' FROM moved
       )
       INSERT INTO order_history (store_id, order_id, version, from_status, to_status, actor_role)
       SELECT store_id, id, version, 'CONFIRMED', status, 'SYSTEM' FROM moved`,
      [id],
    );
    expect(await reply).toMatchObject({ status: 200, body: { status: 'CANCELLED', version: 3 } });
  });

  it('is refused at once to one who saw an older version', async () => {
    const { id } = await scene('COD');
    expect((await change(id, 'PREPARING')).status).toBe(200);
    const reply = await shop.call('patch', `/api/orders/${id}`, shop.manager, {
      body: { status: 'SHIPPING', version: 1 },
    });
    expect(reply).toMatchObject({ status: 409, body: { code: 'ORDER_STATUS_CONFLICT', message: CONFLICT } });
    expect(retriesOf(id)).toEqual([]);
  });

  it('cannot be picked up meanwhile, and can afterwards', async () => {
    const courier = await shop.make.agent(shop.store);
    const { id } = await scene('COD');
    const { path } = await shop.carried(courier, id, 'ACCEPTED');
    const release = await hold(id);
    const reply = await shop.call('post', `${path}/pickup`, courier);
    await release();
    expect(reply).toMatchObject({ status: 409, body: { code: 'RESOURCE_LOCKED' }, headers: { 'retry-after': '1' } });
    expect((await shop.call('post', `${path}/pickup`, courier)).status).toBe(200);
  });
});
