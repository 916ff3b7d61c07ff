import { newId } from '../../src/common/ids.js';
import type { CartResponse, OpenedCartResponse } from '../../src/modules/carts/dto/cart.dto.js';
import { cartOf, checkout, linesOf, openCart, removeLine, setLine, type TestCart } from '../support/carts.js';
import { Factory, type TestStore, type TestUser } from '../support/factories.js';
import { Shop, tally } from '../support/shop.js';
import { statementsOf } from '../support/statements.js';
import { verify } from '../support/verify.js';

const USD = (amount: number) => ({ amount, currency: 'USD' });
const IN_OUR_STORE = { 'x-store': 'demo' };

let shop: Shop;
let customer: TestUser;
let tea: string;
let milk: string;

beforeAll(async () => {
  shop = await Shop.open();
  tea = await shop.make.variant(shop.store, { price: 450, onHand: 20 });
  milk = await shop.make.variant(shop.store, { price: 120, onHand: 5 });
});
beforeEach(async () => {
  customer = await shop.make.user(shop.store);
});
afterAll(async () => {
  await verify(shop.larder.sql);
  await shop.close();
});

const unpublish = (variantId: string) =>
  shop.larder.sql.query(
    'UPDATE products SET published = false WHERE id = (SELECT product_id FROM variants WHERE id = $1)',
    [variantId],
  );

describe('opening a cart', () => {
  it('gives a guest a token that nobody guesses, once, and keeps but its hash', async () => {
    const { status, body } = await shop.ask('post', '/api/carts', {});
    const cart = body as OpenedCartResponse;
    expect([status, cart]).toEqual([
      201,
      {
        id: expect.any(String) as string,
        token: expect.stringMatching(/^[\w-]{43}$/) as string,
        customerId: null,
        status: 'OPEN',
        orderId: null,
        mergedIntoId: null,
        lines: [],
        subtotal: USD(0),
        problems: [],
        createdAt: expect.any(String) as string,
        updatedAt: expect.any(String) as string,
      },
    ]);
    const { text } = await shop.call('get', `/api/carts/${cart.id}`, { cartToken: cart.token });
    expect(text).not.toContain(cart.token);
    const { row } = await shop.row('SELECT c::text AS row FROM carts c WHERE id = $1', [cart.id]);
    expect(row).not.toContain(cart.token);
    expect(row).not.toContain(Buffer.from(cart.token ?? '').toString('hex'));
    expect(shop.larder.logLines().filter((line) => JSON.stringify(line).includes(cart.token ?? ''))).toEqual([]);
  });

  it('gives two guests two carts', async () => {
    const [one, other] = await Promise.all([openCart(shop), openCart(shop)]);
    expect(one.id).not.toBe(other.id);
    expect(one.token).not.toBe(other.token);
  });

  it('gives a customer his one open cart, on all of his devices at once', async () => {
    const replies = await Promise.all(Array.from({ length: 20 }, () => shop.call('post', '/api/carts', customer)));
    expect(tally(replies)).toEqual({ 201: 1, 200: 19 });
    expect(new Set(replies.map(({ body }) => body.id)).size).toBe(1);
    expect(replies[0]!.text).not.toContain('token');
    const cart = await openCart(shop, [{ variantId: tea, quantity: 1 }], customer);
    expect(cart.id).toBe(replies[0]!.body.id);
    expect((await shop.call('post', '/api/carts', customer)).text).toContain(tea);
  });

  it('gives a customer a new one when the last was ordered', async () => {
    const first = await openCart(shop, [{ variantId: tea, quantity: 1 }], customer);
    const order = await checkout(shop, first);
    expect(order.status).toBe(201);
    const next = await openCart(shop, [], customer);
    expect(next.id).not.toBe(first.id);
    expect(await cartOf(shop, first)).toMatchObject({ status: 'ORDERED', orderId: order.body.id });
  });

  it('stays ordered when the order is cancelled: what a cart became is told for ever', async () => {
    const cart = await openCart(shop, [{ variantId: tea, quantity: 1 }], customer);
    const { body } = await checkout(shop, cart);
    await shop.ask('patch', `/api/orders/${body.id}`, customer, { body: { status: 'CANCELLED' } }).expect(200);
    expect(await cartOf(shop, cart)).toMatchObject({ status: 'ORDERED', orderId: body.id });
    expect(tally([await checkout(shop, cart), await setLine(shop, cart, tea, 2)])).toEqual({ '409 CART_CLOSED': 2 });
  });
});

describe('what is in a cart', () => {
  it('is told at the prices of today, with what there is of it, in the order in which it was put in', async () => {
    const cart = await openCart(shop, [
      { variantId: tea, quantity: 2 },
      { variantId: milk, quantity: 3 },
    ]);
    const before = await cartOf(shop, cart);
    expect(before.lines.map(({ variantId, quantity, total }) => [variantId, quantity, total])).toEqual([
      [tea, 2, USD(900)],
      [milk, 3, USD(360)],
    ]);
    expect(before).toMatchObject({ subtotal: USD(1260), problems: [] });
    await shop.larder.sql.query('UPDATE variants SET price = 500 WHERE id = $1', [tea]);
    const after = await cartOf(shop, cart);
    expect(after.lines[0]).toMatchObject({ unitPrice: USD(500), total: USD(1000) });
    expect(after.subtotal).toEqual(USD(1360));
    await shop.larder.sql.query('UPDATE variants SET price = 450 WHERE id = $1', [tea]);
  });

  it('says which lines could not be ordered, as the order would', async () => {
    const gone = await shop.make.variant(shop.store);
    const cart = await openCart(shop, [
      { variantId: milk, quantity: 6 },
      { variantId: gone, quantity: 1 },
      { variantId: tea, quantity: 1 },
    ]);
    await unpublish(gone);
    const { problems, lines } = await cartOf(shop, cart);
    expect(lines.find(({ variantId }) => variantId === milk)?.available).toBe(5);
    expect(problems).toEqual([
      { code: 'INSUFFICIENT_STOCK', variantId: milk, requested: 6, available: 5 },
      { code: 'PRODUCT_UNAVAILABLE', variantId: gone },
    ]);
    const refused = await checkout(shop, cart);
    expect(refused.body.code).toBe('PRODUCT_UNAVAILABLE');
    expect(refused.body.details).toEqual(expect.arrayContaining(problems));
    expect(refused.body.details).toHaveLength(problems.length);
  });

  it('is set, not added: the same request twice is as once', async () => {
    const cart = await openCart(shop);
    const [once, twice] = [await setLine(shop, cart, tea, 3), await setLine(shop, cart, tea, 3)];
    expect(twice.text).toBe(once.text);
    await setLine(shop, cart, tea, 7);
    expect(await linesOf(shop, cart)).toEqual([{ variantId: tea, quantity: 7 }]);
  });

  it('can be taken out, by nothing of it or by name, and twice', async () => {
    const cart = await openCart(shop, [
      { variantId: tea, quantity: 1 },
      { variantId: milk, quantity: 1 },
    ]);
    const removed = [
      await setLine(shop, cart, tea, 0),
      await removeLine(shop, cart, milk),
      await removeLine(shop, cart, milk),
    ];
    expect(tally(removed)).toEqual({ 200: 3 });
    expect(await linesOf(shop, cart)).toEqual([]);
  });

  it('can be taken out when it is not sold any more, but not put in', async () => {
    const gone = await shop.make.variant(shop.store);
    const cart = await openCart(shop, [{ variantId: gone, quantity: 1 }]);
    await unpublish(gone);
    const refused = await setLine(shop, cart, gone, 2);
    expect([refused.status, refused.body.code, refused.body.details]).toEqual([
      409,
      'PRODUCT_UNAVAILABLE',
      [{ code: 'PRODUCT_UNAVAILABLE', variantId: gone }],
    ]);
    expect((await removeLine(shop, cart, gone)).status).toBe(200);
    expect(await linesOf(shop, cart)).toEqual([]);
  });

  it.each([-1, 0.5, 100_001, '3', null, undefined])('is never %p pieces', async (quantity) => {
    const cart = await openCart(shop);
    const { body } = await shop.call('put', `${cart.path}/lines/${tea}`, cart.owner, { body: { quantity } });
    expect(body.code).toBe('VALIDATION_FAILED');
    expect(await linesOf(shop, cart)).toEqual([]);
  });

  it('is a thousand different products at most', async () => {
    const cart = await openCart(shop, [{ variantId: tea, quantity: 1 }]);
    await shop.larder.sql.query(
      `WITH product AS (SELECT product_id FROM variants WHERE id = $3), made AS (
         INSERT INTO variants (store_id, id, product_id, sku, price, currency)
         SELECT $1, uuid_v7(), product_id, 'FULL-' || n, 100000000, 'USD' FROM product, generate_series(1, 999) AS n
         RETURNING id
       ), stock AS (
         INSERT INTO stock_levels (store_id, variant_id, on_hand) SELECT $1, id, 0 FROM made
       )
       INSERT INTO cart_lines (store_id, cart_id, variant_id, quantity) SELECT $1, $2, id, 100000 FROM made`,
      [shop.store.id, cart.id, tea],
    );
    expect(tally([await setLine(shop, cart, milk, 1)])).toEqual({ '409 CART_FULL': 1 });
    expect(tally([await setLine(shop, cart, tea, 2)])).toEqual({ 200: 1 });
    const { lines, subtotal, problems } = await cartOf(shop, cart);
    expect([lines.length, subtotal]).toEqual([1000, null]);
    expect(problems.filter(({ code }) => code === 'ORDER_TOTAL_TOO_LARGE')).toHaveLength(1);
    expect(tally([await removeLine(shop, cart, tea), await setLine(shop, cart, milk, 1)])).toEqual({ 200: 2 });
  });

  it('is read, changed and quoted in one statement each', async () => {
    const cart = await openCart(shop, [{ variantId: tea, quantity: 1 }]);
    const asked = [
      () => shop.call('get', cart.path, cart.owner),
      () => setLine(shop, cart, milk, 1),
      () => removeLine(shop, cart, milk),
      () => shop.call('post', `${cart.path}/quote`, cart.owner, { body: { zip: '10001' } }),
    ];
    for (const ask of asked) expect(await statementsOf(ask)).toBe(1);
  });
});

describe("somebody else's cart", () => {
  const attempts = (cart: TestCart, who: Parameters<Shop['call']>[2], headers: Record<string, string> = IN_OUR_STORE) =>
    Promise.all([
      shop.call('get', cart.path, who, { headers }),
      shop.call('put', `${cart.path}/lines/${tea}`, who, { body: { quantity: 9 }, headers }),
      shop.call('delete', `${cart.path}/lines/${tea}`, who, { headers }),
      shop.call('post', `${cart.path}/quote`, who, { body: {}, headers }),
    ]);

  it('does not exist for another guest, another customer, and a customer who sends its token beside his login', async () => {
    const guests = await openCart(shop, [{ variantId: tea, quantity: 1 }]);
    const owned = await openCart(shop, [{ variantId: tea, quantity: 1 }], await shop.make.user(shop.store));
    const other = await openCart(shop);
    for (const cart of [guests, owned]) {
      expect(tally(await attempts(cart, other.owner))).toEqual({ '404 NOT_FOUND': 4 });
      expect(tally(await attempts(cart, customer))).toEqual({ '404 NOT_FOUND': 4 });
      expect(await linesOf(shop, cart)).toEqual([{ variantId: tea, quantity: 1 }]);
    }
    const withLogin = await attempts(guests, customer, { 'x-cart-token': guests.token! });
    expect(tally(withLogin)).toEqual({ '404 NOT_FOUND': 4 });
  });

  it('does not exist in another store, for its own token', async () => {
    const other = await new Factory(shop.larder.sql).store(`other-${newId()}`);
    const cart = await openCart(shop, [{ variantId: tea, quantity: 1 }]);
    expect(tally(await attempts(cart, cart.owner, { 'x-store': other.slug }))).toEqual({ '404 NOT_FOUND': 4 });
  });

  it.each([
    ['nothing', {}],
    ['an empty token', { 'x-cart-token': '' }],
    ['a token longer than any', { 'x-cart-token': 'x'.repeat(257) }],
  ])('needs a login or a token: 401 with %s', async (_what, headers) => {
    const cart = await openCart(shop);
    expect(tally(await attempts(cart, {}, headers))).toEqual({ '401 UNAUTHENTICATED': 4 });
  });

  it.each(['AGENT', 'SUPPORT', 'MANAGER', 'ADMIN'] as const)('is nothing for %s', async (role) => {
    const cart = await openCart(shop);
    const staff = await shop.make.user(shop.store, role);
    expect(tally(await attempts(cart, staff))).toEqual({ '403 FORBIDDEN': 4 });
    expect((await shop.call('post', '/api/carts', staff)).status).toBe(403);
  });

  it("takes no other store's products", async () => {
    const store: TestStore = await shop.make.store(`foreign-${newId()}`);
    const foreign = await shop.make.variant(store);
    const cart = await openCart(shop);
    const replies = [await setLine(shop, cart, foreign, 1), await removeLine(shop, cart, foreign)];
    expect(tally([...replies, await setLine(shop, cart, newId(), 1)])).toEqual({ '404 NOT_FOUND': 3 });
    expect((await cartOf(shop, cart)).lines).toEqual<CartResponse['lines']>([]);
  });
});
