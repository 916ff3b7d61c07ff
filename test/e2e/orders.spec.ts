import { newId } from '../../src/common/ids.js';
import type { OrderResponse } from '../../src/modules/orders/dto/order.dto.js';
import { ADDRESS, freshKey, type TestUser } from '../support/factories.js';
import { orderOf, Shop } from '../support/shop.js';
import { verify } from '../support/verify.js';

const USD = (amount: number) => ({ amount, currency: 'USD' });

let shop: Shop;
let customer: TestUser;

beforeAll(async () => {
  shop = await Shop.open({ deliveryFee: 300 }, { PAYMENT_PROVIDER: 'none' });
});
beforeEach(async () => {
  customer = await shop.make.user(shop.store);
});
afterEach(() => verify(shop.larder.sql));
afterAll(() => shop.close());

const place = (body: object, user = customer, key = freshKey()) => shop.ask('post', '/api/orders', user, { body, key });
const change = (orderId: string, body: object, user = shop.manager) =>
  shop.ask('patch', `/api/orders/${orderId}`, user, { body });
const read = (orderId: string, user = shop.manager) => shop.ask('get', `/api/orders/${orderId}`, user);
const stockOf = (variantId: string) =>
  shop.row('SELECT on_hand, reserved FROM stock_levels WHERE variant_id = $1', [variantId]);
const balanceOf = async (user: TestUser): Promise<number> => {
  const { balance } = await shop.row(`SELECT balance FROM wallets WHERE kind = 'CUSTOMER' AND owner_id = $1`, [
    user.id,
  ]);
  return Number(balance);
};
/** Entries of the store's own wallets, as sums by kind; zero once everything is undone. */
const soldFor = async (orderId: string): Promise<Record<string, number>> => {
  const { rows } = await shop.larder.sql.query<{ kind: string; amount: string }>(
    `SELECT w.kind, sum(e.amount) AS amount
       FROM ledger_transactions t
       JOIN ledger_entries e ON e.store_id = t.store_id AND e.transaction_id = t.id
       JOIN wallets w ON w.store_id = e.store_id AND w.id = e.wallet_id
      WHERE t.reference = $1
         OR t.reference IN (SELECT r.id::text FROM refunds r JOIN payments p ON p.id = r.payment_id WHERE p.order_id = $1::uuid)
      GROUP BY w.kind`,
    [orderId],
  );
  return Object.fromEntries(rows.map(({ kind, amount }) => [kind, Number(amount)]));
};
const countsOf = async () =>
  shop.row(
    `SELECT (SELECT count(*) FROM orders) AS orders, (SELECT count(*) FROM order_lines) AS lines,
            (SELECT count(*) FROM payments) AS payments, (SELECT count(*) FROM ledger_transactions) AS ledger,
            (SELECT count(*) FROM outbox_events) AS events, (SELECT sum(reserved) FROM stock_levels) AS reserved`,
  );

describe('placing an order', () => {
  it('takes prices from the catalog, reserves the stock and owes the cash', async () => {
    const apples = await shop.make.variant(shop.store, { price: 250, onHand: 10 });
    const bread = await shop.make.variant(shop.store, { price: 400, onHand: 3 });
    const lines = [
      { variantId: apples, quantity: 4 },
      { variantId: bread, quantity: 3 },
    ];
    const { body } = await place(orderOf(lines, { note: 'Ring twice' })).expect(201);
    expect(body).toMatchObject({
      number: expect.stringMatching(/^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/),
      customerId: customer.id,
      status: 'CONFIRMED',
      version: 1,
      lines: [
        { ...lines[0], unitPrice: USD(250), total: USD(1000) },
        { ...lines[1], unitPrice: USD(400), total: USD(1200) },
      ],
      subtotal: USD(2200),
      discount: USD(0),
      deliveryFee: USD(300),
      tax: USD(0),
      total: USD(2500),
      payment: { method: 'COD', status: 'PENDING', amount: USD(2500), captured: USD(0), refunded: USD(0) },
      deliveryAddress: ADDRESS,
      deliveryCode: expect.stringMatching(/^[0-9]{6}$/),
      note: 'Ring twice',
      placedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    expect(await stockOf(apples)).toEqual({ on_hand: 10, reserved: 4 });
    expect(await stockOf(bread)).toEqual({ on_hand: 3, reserved: 3 });
    expect(await soldFor(body.id)).toEqual({});
  });

  it('pays from the wallet at once', async () => {
    const tea = await shop.make.variant(shop.store, { price: 700 });
    await shop.make.topUp(shop.store, customer, 5000);
    const order = await shop.placed(customer, [{ variantId: tea, quantity: 2 }], 'WALLET');
    expect(order.payment).toMatchObject({ method: 'WALLET', status: 'CAPTURED', captured: USD(1700) });
    expect(await balanceOf(customer)).toBe(3300);
    expect(await soldFor(order.id)).toEqual({ CUSTOMER: -1700, SALES: 1400, DELIVERY_FEES: 300 });
    const { body } = await shop.ask('get', `/api/payments/${order.payment.id}`, customer).expect(200);
    expect(body).toMatchObject({ orderId: order.id, status: 'CAPTURED', amount: USD(1700), captured: USD(1700) });
    await shop.ask('get', `/api/payments/${order.payment.id}`, await shop.make.user(shop.store)).expect(404);
  });

  it('spends a wallet to the last cent', async () => {
    const tea = await shop.make.variant(shop.store, { price: 700 });
    await shop.make.topUp(shop.store, customer, 1000);
    await shop.placed(customer, [{ variantId: tea, quantity: 1 }], 'WALLET');
    expect(await balanceOf(customer)).toBe(0);
  });

  it('adds up lines of the same variant', async () => {
    const eggs = await shop.make.variant(shop.store, { price: 30, onHand: 12 });
    const order = await shop.placed(customer, [
      { variantId: eggs, quantity: 5 },
      { variantId: eggs, quantity: 7 },
    ]);
    expect(order.lines.map(({ quantity }) => quantity)).toEqual([5, 7]);
    expect(order.subtotal).toEqual(USD(360));
    expect(await stockOf(eggs)).toEqual({ on_hand: 12, reserved: 12 });
  });

  it('is for customers', async () => {
    const eggs = await shop.make.variant(shop.store);
    const body = orderOf([{ variantId: eggs, quantity: 1 }]);
    await place(body, shop.manager).expect(403);
    await place(body, await shop.make.agent(shop.store)).expect(403);
  });
});

describe('an order that is refused', () => {
  const refused = async (body: object, status: number, code: string): Promise<object[]> => {
    const before = await countsOf();
    const answer = await place(body).expect(status);
    expect(answer.body).toMatchObject({ statusCode: status, code, path: '/api/orders', message: expect.any(String) });
    expect(await countsOf()).toEqual(before);
    return answer.body.details as object[];
  };

  it('lists every line that there is too little of, and leaves nothing behind', async () => {
    const [plenty, few, none] = await Promise.all([
      shop.make.variant(shop.store, { onHand: 50 }),
      shop.make.variant(shop.store, { onHand: 2 }),
      shop.make.variant(shop.store, { onHand: 0 }),
    ]);
    const lines = [
      { variantId: none, quantity: 1 },
      { variantId: plenty, quantity: 50 },
      { variantId: few, quantity: 3 },
    ];
    expect(await refused(orderOf(lines), 409, 'INSUFFICIENT_STOCK')).toEqual([
      { code: 'INSUFFICIENT_STOCK', variantId: none, requested: 1, available: 0 },
      { code: 'INSUFFICIENT_STOCK', variantId: few, requested: 3, available: 2 },
    ]);
  });

  it('counts what others have reserved, and lines of the same variant together', async () => {
    const eggs = await shop.make.variant(shop.store, { onHand: 10 });
    await shop.placed(customer, [{ variantId: eggs, quantity: 3 }]);
    const lines = [
      { variantId: eggs, quantity: 4 },
      { variantId: eggs, quantity: 4 },
    ];
    expect(await refused(orderOf(lines), 409, 'INSUFFICIENT_STOCK')).toEqual([
      { code: 'INSUFFICIENT_STOCK', variantId: eggs, requested: 8, available: 7 },
    ]);
  });

  it('is one for a variant that has no stock row at all', async () => {
    const ghost = await shop.make.variant(shop.store, { onHand: 0 });
    await shop.larder.sql.query('DELETE FROM stock_levels WHERE variant_id = $1', [ghost]);
    expect(await refused(orderOf([{ variantId: ghost, quantity: 1 }]), 409, 'INSUFFICIENT_STOCK')).toEqual([
      { code: 'INSUFFICIENT_STOCK', variantId: ghost, requested: 1, available: 0 },
    ]);
  });

  it('lists every product that is not on sale: unpublished, archived, unknown, of another store', async () => {
    const [good, unpublished, archived, gone, elsewhere] = await Promise.all([
      shop.make.variant(shop.store),
      shop.make.variant(shop.store),
      shop.make.variant(shop.store),
      shop.make.variant(shop.store),
      shop.make.store('elsewhere').then((store) => shop.make.variant(store)),
    ]);
    const productOf = '(SELECT product_id FROM variants WHERE id = $1)';
    await shop.larder.sql.query(`UPDATE products SET published = false WHERE id = ${productOf}`, [unpublished]);
    await shop.larder.sql.query(`UPDATE products SET archived_at = now() WHERE id = ${productOf}`, [archived]);
    await shop.larder.sql.query('UPDATE variants SET archived_at = now() WHERE id = $1', [gone]);
    const bad = [unpublished, archived, gone, elsewhere, newId()];
    const lines = [good, ...bad, ...bad].map((variantId) => ({ variantId, quantity: 1 }));
    const details = await refused(orderOf(lines), 409, 'PRODUCT_UNAVAILABLE');
    expect(details).toHaveLength(bad.length);
    expect(details).toEqual(
      expect.arrayContaining(bad.map((variantId) => ({ code: 'PRODUCT_UNAVAILABLE', variantId }))),
    );
  });

  it('may be one for something that is not on sale and more than there is of something else: both are told', async () => {
    const gone = newId();
    const short = await shop.make.variant(shop.store, { onHand: 2 });
    const lines = [short, gone].map((variantId) => ({ variantId, quantity: 3 }));
    expect(await refused(orderOf(lines), 409, 'PRODUCT_UNAVAILABLE')).toEqual([
      { code: 'PRODUCT_UNAVAILABLE', variantId: gone },
      { code: 'INSUFFICIENT_STOCK', variantId: short, requested: 3, available: 2 },
    ]);
  });

  it('tells what is in the wallet and what was needed', async () => {
    const tea = await shop.make.variant(shop.store, { price: 701 });
    await shop.make.topUp(shop.store, customer, 1000);
    const body = orderOf([{ variantId: tea, quantity: 1 }], { paymentMethod: 'WALLET' });
    expect(await refused(body, 409, 'INSUFFICIENT_FUNDS')).toEqual([
      { code: 'INSUFFICIENT_FUNDS', required: USD(1001), available: USD(1000) },
    ]);
    expect(await balanceOf(customer)).toBe(1000);
  });

  it('tells the zip code that is not served', async () => {
    const tea = await shop.make.variant(shop.store);
    const deliveryAddress = { ...ADDRESS, zip: '99999' };
    const body = orderOf([{ variantId: tea, quantity: 1 }], { deliveryAddress });
    expect(await refused(body, 422, 'ZIP_NOT_SERVED')).toEqual([{ code: 'ZIP_NOT_SERVED', zip: '99999' }]);
  });

  it('may be one by card, where nobody charges cards', async () => {
    const tea = await shop.make.variant(shop.store);
    const body = orderOf([{ variantId: tea, quantity: 1 }], { paymentMethod: 'CARD' });
    await refused(body, 422, 'PAYMENT_METHOD_NOT_SUPPORTED');
  });

  it('may be one whose total no JSON number carries', async () => {
    const gold = await shop.make.variant(shop.store, { price: 10_000_000_000, onHand: 1_000_000 });
    const lines = Array.from({ length: 10 }, () => ({ variantId: gold, quantity: 100_000 }));
    await refused(orderOf(lines), 422, 'ORDER_TOTAL_TOO_LARGE');
  });

  it.each([
    ['no lines', { lines: [] }],
    ['a quantity of zero', { lines: [{ variantId: newId(), quantity: 0 }] }],
    ['a fraction of a piece', { lines: [{ variantId: newId(), quantity: 1.5 }] }],
    ['a price from the client', { lines: [{ variantId: newId(), quantity: 1, price: 1 }] }],
    ['an id that is none', { lines: [{ variantId: 'tea', quantity: 1 }] }],
    ['no address', { deliveryAddress: undefined }],
    ['an address in a list', { deliveryAddress: [ADDRESS] }],
    ['lines in lists', { lines: [[{ variantId: newId(), quantity: 1 }]] }],
  ])('may be one with %s', async (_name, changes) => {
    await refused(orderOf([{ variantId: newId(), quantity: 1 }], changes), 400, 'VALIDATION_FAILED');
  });
});

describe('reading orders', () => {
  it('shows the delivery code to its own customer alone', async () => {
    const tea = await shop.make.variant(shop.store);
    const order = await shop.placed(customer, [{ variantId: tea, quantity: 1 }]);
    const own = await read(order.id, customer).expect(200);
    expect(own.body).toEqual(order);
    const managers = await read(order.id).expect(200);
    expect(managers.body).toEqual({ ...order, deliveryCode: null });
    const listed = await shop.ask('get', '/api/orders?limit=1', shop.manager).expect(200);
    expect(listed.body.items).toEqual([{ ...order, deliveryCode: null }]);
  });

  it('is like asking for nothing when the order is another customer’s', async () => {
    const tea = await shop.make.variant(shop.store);
    const order = await shop.placed(customer, [{ variantId: tea, quantity: 1 }]);
    const stranger = await shop.make.user(shop.store);
    for (const id of [order.id, newId(), 'no-id']) {
      await read(id, stranger).expect(404, /"code":"NOT_FOUND"/);
      await shop.ask('get', `/api/orders/${id}/history`, stranger).expect(404, /"code":"NOT_FOUND"/);
      await change(id, { status: 'CANCELLED' }, stranger).expect(404, /"code":"NOT_FOUND"/);
    }
    await read(order.id, await shop.make.agent(shop.store)).expect(403);
    const { body } = await shop.ask('get', '/api/orders', stranger).expect(200);
    expect(body).toEqual({ items: [], nextCursor: null });
  });

  it('walks all of them by cursor, newest first, each once', async () => {
    const tea = await shop.make.variant(shop.store);
    const placed: string[] = [];
    for (let i = 0; i < 5; i++) placed.unshift((await shop.placed(customer, [{ variantId: tea, quantity: 1 }])).id);
    await change(placed[1]!, { status: 'PREPARING' }).expect(200);
    const walk = async (query: string): Promise<string[]> => {
      const found: string[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const page: string = cursor && `&cursor=${cursor}`;
        const { body } = await shop.ask('get', `/api/orders?${query}${page}`, customer).expect(200);
        found.push(...(body.items as OrderResponse[]).map(({ id }) => id));
        cursor = body.nextCursor as string | null;
      }
      return found;
    };
    expect(await walk('limit=2')).toEqual(placed);
    expect(await walk('limit=5')).toEqual(placed);
    expect(await walk('limit=1&status=CONFIRMED')).toEqual(placed.filter((_id, index) => index !== 1));
    expect(await walk('status=PREPARING')).toEqual([placed[1]]);
  });

  it('pages its history, and refuses a cursor of another list', async () => {
    const tea = await shop.make.variant(shop.store);
    const order = await shop.placed(customer, [{ variantId: tea, quantity: 1 }]);
    await change(order.id, { status: 'PREPARING' }).expect(200);
    await change(order.id, { status: 'CANCELLED', reason: 'Out of boxes' }).expect(200);
    const history = `/api/orders/${order.id}/history`;
    const first = await shop.ask('get', `${history}?limit=2`, customer).expect(200);
    expect(first.body.items).toMatchObject([
      { version: 1, from: null, to: 'CONFIRMED', actorId: customer.id, actorRole: 'CUSTOMER', reason: null },
      { version: 2, from: 'CONFIRMED', to: 'PREPARING', actorId: shop.manager.id, actorRole: 'MANAGER' },
    ]);
    const rest = await shop.ask('get', `${history}?limit=2&cursor=${first.body.nextCursor}`, customer).expect(200);
    expect(rest.body).toMatchObject({
      items: [{ version: 3, to: 'CANCELLED', reason: 'Out of boxes' }],
      nextCursor: null,
    });
    const cursor = first.body.nextCursor as string;
    await shop.ask('get', `/api/orders?cursor=${cursor}`, customer).expect(400, /"code":"INVALID_CURSOR"/);
  });
});
