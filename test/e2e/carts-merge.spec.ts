import type { SessionResponse } from '../../src/modules/auth/dto/auth.dto.js';
import { cartOf, checkout, linesOf, openCart, setLine, type TestCart } from '../support/carts.js';
import { newId } from '../../src/common/ids.js';
import type { TestUser } from '../support/factories.js';
import { type Reply, Shop, tally } from '../support/shop.js';
import { verify } from '../support/verify.js';

const PASSWORD = 'correct horse battery';

let shop: Shop;
let tea: string;
let milk: string;
let eggs: string;

beforeAll(async () => {
  shop = await Shop.open();
  [tea, milk, eggs] = [
    await shop.make.variant(shop.store),
    await shop.make.variant(shop.store),
    await shop.make.variant(shop.store),
  ];
});
afterAll(async () => {
  await verify(shop.larder.sql);
  await shop.close();
});

interface Account extends TestUser {
  cartId?: string;
}

/** Opens an account, or logs into it, with a guest's cart or none. */
async function enter(way: 'register' | 'login', email: string, cartToken?: string): Promise<Account> {
  const body = { email, password: PASSWORD, ...(way === 'register' ? { name: 'Ada' } : {}) };
  const reply = await shop.ask('post', `/api/auth/${way}`, { cartToken }, { body }).expect(way === 'login' ? 200 : 201);
  const { accessToken, user, cartId } = reply.body as SessionResponse;
  return { id: user.id, email, bearer: `Bearer ${accessToken}`, cartId };
}

const anEmail = () => `ada-${newId()}@larder.test`;
const merge = (customer: TestUser, cart: TestCart): Promise<Reply> =>
  shop.call('post', '/api/carts/merge', customer, { headers: { 'x-cart-token': cart.token! } });
const line = (variantId: string, quantity: number) => ({ variantId, quantity });

describe('logging in with a cart filled as a guest', () => {
  it('puts its lines into the own cart; of what is in both the larger quantity stays', async () => {
    const email = anEmail();
    const account = await enter('register', email);
    const own = await openCart(shop, [line(tea, 2), line(milk, 5)], account);
    const guests = await openCart(shop, [line(tea, 3), line(milk, 1), line(eggs, 6)]);
    const { cartId, ...session } = await enter('login', email, guests.token);
    expect(cartId).toBe(own.id);
    expect(await linesOf(shop, { ...own, owner: session })).toEqual([line(tea, 3), line(milk, 5), line(eggs, 6)]);
    expect(await cartOf(shop, guests)).toMatchObject({ status: 'MERGED', mergedIntoId: own.id });
    const later = [await setLine(shop, guests, tea, 9), await checkout(shop, guests)];
    expect(tally(later)).toEqual({ '409 CART_CLOSED': 2 });
  });

  it('opens a cart for who has none, as opening an account does', async () => {
    const email = anEmail();
    const first = await openCart(shop, [line(tea, 1)]);
    const account = await enter('register', email, first.token);
    const own = { id: account.cartId!, path: `/api/carts/${account.cartId}`, owner: account, token: undefined };
    expect(await linesOf(shop, own)).toEqual([line(tea, 1)]);
    expect((await checkout(shop, own)).status).toBe(201);
    const second = await openCart(shop, [line(milk, 2)]);
    const { cartId } = await enter('login', email, second.token);
    expect(cartId).not.toBe(own.id);
    expect(await linesOf(shop, { ...own, path: `/api/carts/${cartId}` })).toEqual([line(milk, 2)]);
  });

  it('keeps lines in the order in which they were put in, into either cart', async () => {
    const account = await enter('register', anEmail());
    const guests = await openCart(shop, [line(eggs, 1), line(milk, 1)]);
    const own = await openCart(shop, [line(tea, 1)], account);
    expect((await merge(account, guests)).status).toBe(200);
    expect(await linesOf(shop, own)).toEqual([line(eggs, 1), line(milk, 1), line(tea, 1)]);
  });

  it.each([
    ['unknown', () => Promise.resolve('x'.repeat(43))],
    [
      'of a cart that was ordered',
      async () => {
        const cart = await openCart(shop, [line(tea, 1)]);
        expect((await checkout(shop, cart)).status).toBe(201);
        return cart.token!;
      },
    ],
    [
      "of a cart that went into somebody else's",
      async () => {
        const cart = await openCart(shop, [line(tea, 1)]);
        await merge(await shop.make.user(shop.store), cart);
        return cart.token!;
      },
    ],
  ])('is a login and nothing else when the token is %s', async (_what, tokenOf) => {
    const email = anEmail();
    await enter('register', email);
    const { cartId, ...account } = await enter('login', email, await tokenOf());
    expect(cartId).toBeUndefined();
    expect(await linesOf(shop, await openCart(shop, [], account))).toEqual([]);
  });

  it('merges nothing with a wrong password, and nothing into the account of an agent', async () => {
    const email = anEmail();
    const { id } = await enter('register', email);
    const guests = await openCart(shop, [line(tea, 1)]);
    const wrong = { body: { email, password: 'another password' } };
    await shop.ask('post', '/api/auth/login', guests.owner, wrong).expect(401);
    await shop.larder.sql.query(`UPDATE users SET roles = ARRAY['AGENT'] WHERE id = $1`, [id]);
    expect((await enter('login', email, guests.token)).cartId).toBeUndefined();
    expect((await cartOf(shop, guests)).status).toBe('OPEN');
  });

  it('keeps nobody out whose cart is being ordered for too long: it can be merged by hand later', async () => {
    const email = anEmail();
    const account = await enter('register', email);
    const guests = await openCart(shop, [line(tea, 1)]);
    const other = await shop.larder.sql.connect();
    await other.query('BEGIN');
    await other.query('SELECT 1 FROM carts WHERE id = $1 FOR NO KEY UPDATE', [guests.id]);
    const { cartId } = await enter('login', email, guests.token);
    const waited = await merge(account, guests);
    await other.query('ROLLBACK');
    other.release();
    expect([cartId, waited.body.code]).toEqual([undefined, 'RESOURCE_LOCKED']);
    expect(shop.larder.logLines().filter(({ event }) => event === 'cart_merge_failed')).toHaveLength(1);
    expect((await merge(account, guests)).status).toBe(200);
  });

  it('keeps nobody out whose carts together are too much, and leaves both as they are', async () => {
    const email = anEmail();
    const account = await enter('register', email);
    const own = await openCart(shop, [line(tea, 1)], account);
    const guests = await openCart(shop, [line(milk, 1)]);
    const product = await shop.row('SELECT product_id FROM variants WHERE id = $1', [tea]);
    await shop.larder.sql.query(
      `WITH made AS (
         INSERT INTO variants (store_id, id, product_id, sku, price, currency)
         SELECT $1, uuid_v7(), $3, 'MERGE-' || n, 1, 'USD' FROM generate_series(1, 999) AS n
         RETURNING id
       ), stock AS (
         INSERT INTO stock_levels (store_id, variant_id, on_hand) SELECT $1, id, 0 FROM made
       )
       INSERT INTO cart_lines (store_id, cart_id, variant_id, quantity) SELECT $1, $2, id, 1 FROM made`,
      [shop.store.id, own.id, product.product_id],
    );
    expect((await enter('login', email, guests.token)).cartId).toBeUndefined();
    expect(tally([await merge(account, guests)])).toEqual({ '409 CART_FULL': 1 });
    expect((await cartOf(shop, own)).lines).toHaveLength(1000);
    expect(await cartOf(shop, guests)).toMatchObject({ status: 'OPEN', lines: [{ variantId: milk }] });
  });
});

describe('merging by hand', () => {
  it('is done once, however often it is asked for, and leaves alone what was changed since', async () => {
    const account = await shop.make.user(shop.store);
    const guests = await openCart(shop, [line(tea, 4)]);
    const own = await openCart(shop, [line(milk, 1)], account);
    expect((await merge(account, guests)).body.id).toBe(own.id);
    await setLine(shop, own, tea, 1);
    const again = await merge(account, guests);
    expect([again.status, again.body.id]).toEqual([200, own.id]);
    expect(await linesOf(shop, own)).toEqual([line(tea, 1), line(milk, 1)]);
  });

  it("is refused for a cart that became an order, with the order's id, and for one that is another's now", async () => {
    const account = await shop.make.user(shop.store);
    const ordered = await openCart(shop, [line(tea, 1)]);
    const { body: order } = await checkout(shop, ordered);
    const taken = await openCart(shop, [line(tea, 1)]);
    await merge(await shop.make.user(shop.store), taken);
    expect([(await merge(account, ordered)).body.details, (await merge(account, taken)).body.details]).toEqual([
      [{ code: 'CART_CLOSED', orderId: order.id }],
      undefined,
    ]);
    expect(tally([await merge(account, ordered), await merge(account, taken)])).toEqual({ '409 CART_CLOSED': 2 });
  });

  it('needs a login and the token of a cart that there is', async () => {
    const guests = await openCart(shop, [line(tea, 1)]);
    const account = await shop.make.user(shop.store);
    const replies = [
      await shop.call('post', '/api/carts/merge', guests.owner),
      await shop.call('post', '/api/carts/merge', account),
      await merge(account, { ...guests, token: 'nobody knows this one' }),
      await merge(shop.manager, guests),
    ];
    expect(tally(replies)).toEqual({ '401 UNAUTHENTICATED': 1, '404 NOT_FOUND': 2, '403 FORBIDDEN': 1 });
  });
});
