import { ADDRESS, freshKey, type TestUser } from '../support/factories.js';
import { orderOf, Shop } from '../support/shop.js';
import { verify } from '../support/verify.js';

const REPLAYED = 'idempotency-replayed';

let shop: Shop;
let tea: string;
let customer: TestUser;

beforeAll(async () => {
  // One test makes a request wait for a lock, for longer than it may on a busy machine.
  shop = await Shop.open({ agentFee: 250 }, { LOCK_TIMEOUT_MS: '2500', PAYMENT_PROVIDER: 'none' });
  tea = await shop.make.variant(shop.store, { price: 700 });
});
beforeEach(async () => {
  customer = await shop.make.user(shop.store);
});
afterEach(() => verify(shop.larder.sql));
afterAll(() => shop.close());

const place = (body: object, key?: string, user = customer) => shop.ask('post', '/api/orders', user, { body, key });
const ordersOf = async (user: TestUser): Promise<number> => {
  const { count } = await shop.row('SELECT count(*)::int AS count FROM orders WHERE customer_id = $1', [user.id]);
  return count as number;
};
const keysLike = async (key: string): Promise<number> => {
  const { count } = await shop.row('SELECT count(*)::int AS count FROM idempotency_keys WHERE key = $1', [key]);
  return count as number;
};

describe('placing an order with an Idempotency-Key', () => {
  const oneTea = (changes: object = {}) => orderOf([{ variantId: tea, quantity: 1 }], changes);

  it.each([
    ['missing', undefined],
    ['too short', 'x'.repeat(15)],
    ['too long', 'x'.repeat(256)],
    ['blank inside', 'sixteen and more characters'],
    ['not of ASCII', 'schlüssel-schlüssel'],
  ])('is refused when the key is %s', async (_name, key) => {
    const { body } = await place(oneTea(), key).expect(400);
    expect(body.code).toBe('IDEMPOTENCY_KEY_REQUIRED');
    expect(await ordersOf(customer)).toBe(0);
  });

  it.each([16, 255])('takes a key of %d characters', async (length) => {
    await place(oneTea(), freshKey().padEnd(length, '~').slice(-length)).expect(201);
  });

  it('answers a repeated request with the same bytes, and says so', async () => {
    const key = freshKey();
    const first = await place(oneTea(), key).expect(201);
    expect(first.headers).not.toHaveProperty(REPLAYED);
    for (let i = 0; i < 3; i++) {
      const again = await place(oneTea(), key).expect(201).expect(REPLAYED, 'true');
      expect(again.text).toBe(first.text);
      expect(again.headers['content-type']).toBe(first.headers['content-type']);
    }
    expect(await ordersOf(customer)).toBe(1);
  });

  it('answers as it did then, whatever has become of the order and its product', async () => {
    const gone = await shop.make.variant(shop.store);
    const key = freshKey();
    const body = orderOf([{ variantId: gone, quantity: 1 }]);
    const first = await place(body, key).expect(201);
    const cancelled = { body: { status: 'CANCELLED' } };
    await shop.ask('patch', `/api/orders/${first.body.id}`, customer, cancelled).expect(200);
    await shop.larder.sql.query('UPDATE variants SET archived_at = now() WHERE id = $1', [gone]);
    expect((await place(body, key).expect(201)).text).toBe(first.text);
  });

  it('does not care in which order a body names its fields', async () => {
    const key = freshKey();
    const { name, phone, line1, city, zip } = ADDRESS;
    const lines = [{ variantId: tea, quantity: 1 }];
    const first = await place({ lines, paymentMethod: 'COD', deliveryAddress: ADDRESS }, key).expect(201);
    const turned = { deliveryAddress: { zip, city, line1, phone, name }, paymentMethod: 'COD', lines };
    expect((await place(turned, key).expect(201)).text).toBe(first.text);
  });

  it('refuses another body under the same key, and changes nothing', async () => {
    const key = freshKey();
    await place(oneTea(), key).expect(201);
    for (const other of [orderOf([{ variantId: tea, quantity: 2 }]), oneTea({ note: 'Please' })]) {
      await place(other, key).expect(422, /"code":"IDEMPOTENCY_KEY_REUSED"/);
    }
    expect(await ordersOf(customer)).toBe(1);
  });

  it('keeps the keys of customers, and of stores, apart', async () => {
    const key = freshKey();
    const other = await shop.make.user(shop.store);
    const store = await shop.make.store(`other-${key}`);
    const elsewhere = await shop.make.variant(store);
    const stranger = await shop.make.user(store);
    const first = await place(oneTea(), key).expect(201);
    const second = await place(oneTea(), key, other).expect(201);
    const third = await place(orderOf([{ variantId: elsewhere, quantity: 1 }]), key, stranger).expect(201);
    expect(new Set([first.body.id, second.body.id, third.body.id]).size).toBe(3);
    for (const { headers } of [first, second, third]) expect(headers).not.toHaveProperty(REPLAYED);
  });

  it.each([
    ['INSUFFICIENT_STOCK', 409, { lines: 'scarce' }],
    ['PRODUCT_UNAVAILABLE', 409, { lines: 'unknown' }],
    ['INSUFFICIENT_FUNDS', 409, { paymentMethod: 'WALLET' }],
    ['ZIP_NOT_SERVED', 422, { deliveryAddress: { ...ADDRESS, zip: '99999' } }],
    ['PAYMENT_METHOD_NOT_SUPPORTED', 422, { paymentMethod: 'CARD' }],
  ])('keeps the refusal %s and tells it again, even when it would go now', async (code, status, changes) => {
    const scarce = await shop.make.variant(shop.store, { onHand: 1 });
    const lines = {
      scarce: [{ variantId: scarce, quantity: 2 }],
      unknown: [{ variantId: customer.id, quantity: 1 }],
    };
    const chosen = 'lines' in changes ? { lines: lines[changes.lines as keyof typeof lines] } : changes;
    const key = freshKey();
    const first = await place(oneTea(chosen), key).expect(status);
    expect(first.headers).not.toHaveProperty(REPLAYED);
    await shop.make.topUp(shop.store, customer, 5000);
    const restock = { body: { delta: 10, reason: 'RECEIPT' } };
    await shop.ask('post', `/api/inventory/${scarce}/adjustments`, shop.manager, restock).expect(201);
    const again = await place(oneTea(chosen), key).expect(status).expect(REPLAYED, 'true');
    const told = ({ code, message, details }: Record<string, unknown>) => ({ code, message, details });
    expect(told(again.body)).toEqual({ ...told(first.body), code });
    await place(oneTea({ ...chosen, note: 'now' }), key).expect(422, /"code":"IDEMPOTENCY_KEY_REUSED"/);
    expect(await ordersOf(customer)).toBe(0);
    expect(await keysLike(key)).toBe(1);
  });

  it('keeps nothing of a request that was not valid, not allowed or not authenticated', async () => {
    const key = freshKey();
    await place({ lines: [] }, key).expect(400, /"code":"VALIDATION_FAILED"/);
    await place(oneTea(), key, shop.manager).expect(403);
    await place(oneTea(), key, { ...customer, bearer: 'Bearer forged' }).expect(401);
    expect(await keysLike(key)).toBe(0);
    await place(oneTea(), key).expect(201);
  });

  it('says that the same request is still running, and when to come back', async () => {
    const key = freshKey();
    const scarce = await shop.make.variant(shop.store);
    const body = orderOf([{ variantId: scarce, quantity: 1 }]);
    const holder = await shop.larder.sql.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT 1 FROM stock_levels WHERE variant_id = $1 FOR UPDATE', [scarce]);
    const first = place(body, key).expect(201).then();
    await shop.waitFor(
      `SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database
        WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.granted`,
    );
    const second = await place(body, key).expect(409).expect('retry-after', '1');
    expect(second.body.code).toBe('IDEMPOTENCY_IN_PROGRESS');
    await holder.query('ROLLBACK');
    holder.release();
    const { text } = await first;
    expect((await place(body, key).expect(201)).text).toBe(text);
  });
});

describe('delivering with an Idempotency-Key', () => {
  let agent: TestUser;
  beforeEach(async () => {
    agent = await shop.make.agent(shop.store);
  });

  const onTheWay = async () => {
    const order = await shop.placed(customer, [{ variantId: tea, quantity: 1 }]);
    const { path } = await shop.carried(agent, order.id);
    const body = { proof: { code: order.deliveryCode }, cashCollected: order.total };
    const wrong = { ...body, proof: { code: order.deliveryCode === '000000' ? '111111' : '000000' } };
    const deliver = (key?: string, sent: object = body) =>
      shop.ask('post', `${path}/deliver`, agent, { body: sent, key });
    return { order, deliver, wrong };
  };
  const cashOf = async (user: TestUser): Promise<number> => {
    const { balance } = await shop.row(`SELECT balance FROM wallets WHERE kind = 'AGENT_CASH' AND owner_id = $1`, [
      user.id,
    ]);
    return Number(balance);
  };

  it('repeats the answer that was lost, and takes cash and fee once', async () => {
    const { order, deliver } = await onTheWay();
    const key = freshKey();
    const first = await deliver(key).expect(200);
    expect(first.body).toMatchObject({ status: 'DELIVERED', cashCollected: order.total });
    expect(first.headers).not.toHaveProperty(REPLAYED);
    const again = await deliver(key).expect(200).expect(REPLAYED, 'true');
    expect(again.text).toBe(first.text);
    expect(await cashOf(agent)).toBe(-order.total.amount);
    await deliver().expect(400, /"code":"ASSIGNMENT_INVALID_TRANSITION"/);
    await deliver(freshKey()).expect(400, /"code":"ASSIGNMENT_INVALID_TRANSITION"/);
  });

  it('does without a key', async () => {
    const { deliver } = await onTheWay();
    expect((await deliver().expect(200)).headers).not.toHaveProperty(REPLAYED);
  });

  it('keeps a refusal with its key, leaving the parcel with the agent', async () => {
    const { order, deliver, wrong } = await onTheWay();
    const key = freshKey();
    const first = await deliver(key, wrong).expect(400);
    expect(first.body.code).toBe('PROOF_INVALID');
    await deliver(key, wrong)
      .expect(400, /"code":"PROOF_INVALID"/)
      .expect(REPLAYED, 'true');
    await deliver(key).expect(422, /"code":"IDEMPOTENCY_KEY_REUSED"/);
    expect(await cashOf(agent)).toBe(0);
    await deliver(freshKey()).expect(200);
    expect(await cashOf(agent)).toBe(-order.total.amount);
  });

  it('tells a bad key from none', async () => {
    const { deliver } = await onTheWay();
    await deliver('short').expect(400, /"code":"IDEMPOTENCY_KEY_REQUIRED"/);
    await deliver().expect(200);
  });

  it('delivers once when the same request comes ten times at once', async () => {
    const { order } = await onTheWay();
    const { id } = await shop.row('SELECT id FROM shipping_assignments WHERE order_id = $1', [order.id]);
    const body = { proof: { code: order.deliveryCode }, cashCollected: order.total };
    const key = freshKey();
    const path = `/api/shipping/assignments/${String(id)}/deliver`;
    const replies = await Promise.all(Array.from({ length: 10 }, () => shop.call('post', path, agent, { body, key })));
    const delivered = replies.filter(({ status }) => status === 200);
    const others = replies.filter(({ status }) => status !== 200);
    expect(new Set(delivered.map(({ text }) => text)).size).toBe(1);
    expect(delivered.filter(({ headers }) => !(REPLAYED in headers))).toHaveLength(1);
    for (const { status, body: told } of others) {
      expect([status, told.code]).toEqual([409, 'IDEMPOTENCY_IN_PROGRESS']);
    }
    expect(await cashOf(agent)).toBe(-order.total.amount);
  });
});
