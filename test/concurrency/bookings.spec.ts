import { checkout, openCart } from '../support/carts.js';
import { freshKey, type TestUser } from '../support/factories.js';
import { sumOfMetric } from '../support/metrics.js';
import { orderOf, PATIENT, type Reply, Shop, tally } from '../support/shop.js';
import { verify } from '../support/verify.js';

const ORDERS = 100;
const LAST = 5;
const ROUNDS = 20;

let shop: Shop;
let customers: TestUser[];
let tea: string;

beforeAll(async () => {
  shop = await Shop.open({ deliveryFee: 500 }, PATIENT);
  customers = await Promise.all(Array.from({ length: ORDERS }, () => shop.make.user(shop.store)));
  tea = await shop.make.variant(shop.store, { price: 1000, onHand: 1_000_000 });
});
afterEach(() => verify(shop.larder.sql));
afterAll(() => shop.close());

const place = (customer: TestUser, changes: object, variantId = tea): Promise<Reply> =>
  shop.call('post', '/api/orders', customer, {
    key: freshKey(),
    body: orderOf([{ variantId, quantity: 1 }], changes),
  });
const everyCustomer = (changes: object): Promise<Reply[]> =>
  Promise.all(customers.map((customer) => place(customer, changes)));
const cancel = (customer: TestUser, orderId: string): Promise<Reply> =>
  shop.call('patch', `/api/orders/${orderId}`, customer, { body: { status: 'CANCELLED' } });
const bookedOf = async (slot: string): Promise<unknown> =>
  (await shop.row('SELECT booked FROM delivery_slots WHERE id = $1', [slot])).booked;
const usedOf = async (coupon: string): Promise<unknown> =>
  (await shop.row("SELECT used FROM coupon_uses WHERE coupon_id = $1 AND used_by = ''", [coupon])).used;

describe(`${ORDERS} orders for the last ${LAST}, ${ROUNDS} rounds`, () => {
  it('places of a delivery window: exactly so many book it', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const { slot } = await shop.make.slot(shop.store, { capacity: LAST });
      expect(tally(await everyCustomer({ slotId: slot }))).toEqual({ 201: LAST, '409 SLOT_FULL': ORDERS - LAST });
      expect(await bookedOf(slot)).toBe(LAST);
    }
  });

  it('uses of a coupon: exactly so many have it', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const coupon = await shop.make.coupon(shop.store, `LAST${round}`, { usage_limit: LAST });
      expect(tally(await everyCustomer({ couponCode: `last${round}` }))).toEqual({
        201: LAST,
        '409 COUPON_USED_UP': ORDERS - LAST,
      });
      expect(await usedOf(coupon)).toBe(LAST);
    }
  });
});

describe.each([1, 2])('a coupon for %i of the orders of each customer, ordered with at once', (limit) => {
  const AT_ONCE = 12;
  /** What was counted for each customer, and which orders stand for it. */
  const usesOf = async (coupon: string): Promise<object[]> => {
    const { rows } = await shop.larder.sql.query<object>(
      `SELECT u.used_by, u.used, count(*)::int AS orders
         FROM coupon_uses u
         JOIN orders o ON o.store_id = u.store_id AND o.coupon_id = u.coupon_id
        WHERE u.coupon_id = $1 AND o.status <> 'CANCELLED' AND coalesce(o.customer_id::text, o.guest_email) = u.used_by
        GROUP BY u.used_by, u.used`,
      [coupon],
    );
    return rows;
  };
  const exactly = { 201: limit, '409 COUPON_USED_BY_CUSTOMER': AT_ONCE - limit };

  it('serves a customer so often, from lines and from his cart', async () => {
    const customer = customers[limit]!;
    for (let round = 0; round < ROUNDS; round++) {
      const couponCode = `HIS-${limit}-${round}`;
      const coupon = await shop.make.coupon(shop.store, couponCode, { customer_limit: limit });
      const cart = await openCart(shop, [{ variantId: tea, quantity: 1 }], customer);
      const replies = await Promise.all([
        checkout(shop, cart, { couponCode }),
        ...Array.from({ length: AT_ONCE - 1 }, () => place(customer, { couponCode })),
      ]);
      expect(tally(replies)).toEqual(exactly);
      expect(await usesOf(coupon)).toEqual([{ used_by: customer.id, used: limit, orders: limit }]);
    }
  });

  it('serves a guest so often, whom his e-mail tells in capitals or not, from as many carts', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const couponCode = `GUEST-${limit}-${round}`;
      const coupon = await shop.make.coupon(shop.store, couponCode, { customer_limit: limit });
      const line = [{ variantId: tea, quantity: 1 }];
      const carts = await Promise.all(Array.from({ length: AT_ONCE }, () => openCart(shop, line)));
      const emails = ['ada@larder.test', 'Ada@Larder.test', 'ADA@LARDER.TEST'];
      const replies = await Promise.all(
        carts.map((cart, n) => checkout(shop, cart, { couponCode, email: emails[n % emails.length] })),
      );
      expect(tally(replies)).toEqual(exactly);
      expect(await usesOf(coupon)).toEqual([{ used_by: 'ada@larder.test', used: limit, orders: limit }]);
    }
  });
});

it('gives places and uses back once, while others want them, and never more than there are', async () => {
  const { slot } = await shop.make.slot(shop.store, { capacity: LAST });
  const coupon = await shop.make.coupon(shop.store, 'BACK', { usage_limit: LAST, customer_limit: 2 });
  const booking = { slotId: slot, couponCode: 'BACK' };
  let placed = (await everyCustomer(booking)).filter(({ status }) => status === 201);
  expect(placed).toHaveLength(LAST);
  for (let round = 0; round < ROUNDS; round++) {
    const ownerOf = (reply: Reply): TestUser =>
      customers.find(({ id }) => id === (JSON.parse(reply.text) as { customerId: string }).customerId)!;
    // Each cancelled twice at once, while twenty others order.
    const cancelling = placed.flatMap((reply) => [0, 1].map(() => cancel(ownerOf(reply), reply.body.id)));
    const others = customers.slice(round, round + 20).map((customer) => place(customer, booking));
    await Promise.all(cancelling);
    const raced = (await Promise.all(others)).filter(({ status }) => status === 201);
    expect(await bookedOf(slot)).toBe(raced.length);
    expect(await usedOf(coupon)).toBe(raced.length);
    const late = (await Promise.all(customers.slice(50, 80).map((customer) => place(customer, booking)))).filter(
      ({ status }) => status === 201,
    );
    placed = [...raced, ...late];
    expect(placed).toHaveLength(LAST);
  }
});

it('serves a storm of orders for the same window, coupon and scarce goods without a deadlock', async () => {
  const scarce = await shop.make.variant(shop.store, { price: 700, onHand: 30 });
  const { slot } = await shop.make.slot(shop.store, { capacity: 40 });
  await shop.make.coupon(shop.store, 'STORM', { usage_limit: 35, customer_limit: 1 });
  const before = await sumOfMetric(shop.larder, 'larder_db_transaction_retries_total');
  const replies = await Promise.all(
    customers.flatMap((customer) => [
      place(customer, { slotId: slot, couponCode: 'STORM' }, scarce),
      place(customer, { couponCode: 'STORM', slotId: slot }),
    ]),
  );
  expect(await sumOfMetric(shop.larder, 'larder_db_transaction_retries_total')).toBe(before);
  expect(replies.filter(({ status }) => status === 201)).toHaveLength(35);
  expect(replies.filter(({ status }) => status >= 500)).toEqual([]);
});

it('refuses a window that closed or a coupon that ended while orders were coming, and none that came before', async () => {
  const { slot } = await shop.make.slot(shop.store, { capacity: ORDERS });
  const closing = everyCustomer({ slotId: slot });
  const closed = await shop.call('patch', `/api/slots/${slot}`, shop.manager, { body: { closed: true } });
  expect(closed.status).toBe(200);
  const replies = await closing;
  const booked = replies.filter(({ status }) => status === 201).length;
  expect(tally(replies)).toEqual({
    ...(booked > 0 && { 201: booked }),
    ...(booked < ORDERS && { '409 SLOT_CLOSED': ORDERS - booked }),
  });
  expect(await bookedOf(slot)).toBe(booked);
  expect(tally([await place(customers[0]!, { slotId: slot })])).toEqual({ '409 SLOT_CLOSED': 1 });
});

it('follows a capacity that is changed while orders are coming, up and down, and never below what is booked', async () => {
  for (let round = 0; round < 5; round++) {
    const { slot } = await shop.make.slot(shop.store, { capacity: LAST });
    const ordering = everyCustomer({ slotId: slot });
    const resize = (capacity: number) => shop.call('patch', `/api/slots/${slot}`, shop.manager, { body: { capacity } });
    const sizes = [await resize(30), await resize(10), await resize(20)];
    const booked = (await ordering).filter(({ status }) => status === 201).length;
    expect(await bookedOf(slot)).toBe(booked);
    expect(booked).toBeGreaterThanOrEqual(LAST);
    expect(booked).toBeLessThanOrEqual(30);
    // Growing never fails; shrinking fails when more have booked by then.
    expect(sizes[0]!.status).toBe(200);
    for (const size of sizes)
      expect(tally([size])).toEqual(size.status === 200 ? { 200: 1 } : { '409 SLOT_BELOW_BOOKED': 1 });
    const { capacity } = await shop.row('SELECT capacity FROM delivery_slots WHERE id = $1', [slot]);
    const rest = await everyCustomer({ slotId: slot });
    expect(rest.filter(({ status }) => status === 201)).toHaveLength((capacity as number) - booked);
  }
});

it('counts the orders that use a coupon already when a limit is set among them', async () => {
  for (let round = 0; round < 5; round++) {
    const coupon = await shop.make.coupon(shop.store, `LATER${round}`);
    const replies = everyCustomer({ couponCode: `LATER${round}` });
    const limited = await shop.call('patch', `/api/coupons/${coupon}`, shop.manager, { body: { usageLimit: 60 } });
    const used = (await replies).filter(({ status }) => status === 201).length;
    // Too late for so few, or they are all there may be.
    expect(tally([limited])).toEqual(limited.status === 409 ? { '409 COUPON_LIMIT_BELOW_USED': 1 } : { 200: 1 });
    if (limited.status === 409) expect(used).toBe(ORDERS);
    else expect([used, await usedOf(coupon)]).toEqual([60, 60]);
    const { orders } = await shop.row('SELECT count(*)::int AS orders FROM orders WHERE coupon_id = $1', [coupon]);
    expect(orders).toBe(used);
  }
});
