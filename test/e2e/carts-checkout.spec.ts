import { newId } from '../../src/common/ids.js';
import type { QuoteResponse } from '../../src/modules/carts/dto/cart.dto.js';
import type { OrderResponse } from '../../src/modules/orders/dto/order.dto.js';
import { Jobs } from '../../src/platform/jobs/jobs.service.js';
import { checkout, checkoutOf, openCart, quote, setLine, type TestCart } from '../support/carts.js';
import { ADDRESS, freshKey, type TestUser } from '../support/factories.js';
import { servedRoutes } from '../support/routes.js';
import { type Caller, type Reply, Shop, tally } from '../support/shop.js';
import { statementsOf } from '../support/statements.js';
import { verify } from '../support/verify.js';

const USD = (amount: number) => ({ amount, currency: 'USD' });

let shop: Shop;
let customer: TestUser;
let tea: string;

beforeAll(async () => {
  shop = await Shop.open({ deliveryFee: 300 });
  tea = await shop.make.variant(shop.store, { price: 500, onHand: 100_000 });
});
beforeEach(async () => {
  customer = await shop.make.user(shop.store);
});
afterEach(() => verify(shop.larder.sql));
afterAll(() => shop.close());

const cartWith = (quantity: number, owner?: TestUser) => openCart(shop, [{ variantId: tea, quantity }], owner);
const orderOf = (reply: Reply) => JSON.parse(reply.text) as OrderResponse;
const read = (orderId: string, who: Caller) => shop.call('get', `/api/orders/${orderId}`, who);
const statusOf = async ({ id }: TestCart) => (await shop.row('SELECT status FROM carts WHERE id = $1', [id])).status;

describe('ordering a cart', () => {
  it("makes a customer's cart an order of all that is in it, in its order", async () => {
    const milk = await shop.make.variant(shop.store, { price: 150 });
    const cart = await cartWith(2, customer);
    await setLine(shop, cart, milk, 4);
    expect(orderOf(await checkout(shop, cart))).toMatchObject({
      customerId: customer.id,
      email: null,
      cartId: cart.id,
      lines: [
        { variantId: tea, quantity: 2, unitPrice: USD(500) },
        { variantId: milk, quantity: 4, unitPrice: USD(150) },
      ],
      subtotal: USD(1600),
      total: USD(1900),
    });
    expect(await statusOf(cart)).toBe('ORDERED');
  });

  it('charges the prices of the moment in which it is ordered', async () => {
    const bread = await shop.make.variant(shop.store, { price: 400 });
    const cart = await openCart(shop, [{ variantId: bread, quantity: 1 }], customer);
    await shop.larder.sql.query('UPDATE variants SET price = 450 WHERE id = $1', [bread]);
    expect(orderOf(await checkout(shop, cart)).subtotal).toEqual(USD(450));
  });

  it('looks at the stock of that moment, and leaves a cart that is refused open', async () => {
    const bread = await shop.make.variant(shop.store, { onHand: 3 });
    const cart = await openCart(shop, [{ variantId: bread, quantity: 3 }], customer);
    await shop.placed(await shop.make.user(shop.store), [{ variantId: bread, quantity: 1 }]);
    const refused = await checkout(shop, cart);
    expect([refused.body.code, refused.body.details]).toEqual([
      'INSUFFICIENT_STOCK',
      [{ code: 'INSUFFICIENT_STOCK', variantId: bread, requested: 3, available: 2 }],
    ]);
    expect(await statusOf(cart)).toBe('OPEN');
    await setLine(shop, cart, bread, 2);
    expect((await checkout(shop, cart)).status).toBe(201);
  });

  it('happens once: who comes later is told which order it became', async () => {
    const cart = await cartWith(1, customer);
    const order = await checkout(shop, cart);
    const later = await checkout(shop, cart);
    expect([later.status, later.body.code, later.body.details]).toEqual([
      409,
      'CART_CLOSED',
      [{ code: 'CART_CLOSED', orderId: order.body.id }],
    ]);
  });

  it('happens once in the database too, whatever a program does', async () => {
    const cart = await cartWith(1, customer);
    const { body } = await checkout(shop, cart);
    const copy = shop.larder.sql.query(
      `INSERT INTO orders SELECT (jsonb_populate_record(o, jsonb_build_object('id', uuid_v7(), 'number', 'A-COPY'))).*
         FROM orders o
        WHERE o.id = $1`,
      [body.id],
    );
    await expect(copy).rejects.toMatchObject({ code: '23505', constraint: 'orders_cart_key' });
  });

  it('is nothing for an empty cart, nor for a cart that is not there or not his', async () => {
    const others = await cartWith(1, await shop.make.user(shop.store));
    const guests = await cartWith(1);
    const replies = [
      await checkout(shop, await openCart(shop, [], customer)),
      await checkout(shop, { ...others, owner: customer }),
      await checkout(shop, { ...guests, owner: customer }),
      await checkout(shop, { ...guests, id: newId() }),
      await checkout(shop, { ...others, owner: guests.owner, token: guests.token }),
    ];
    expect(tally(replies)).toEqual({ '409 CART_EMPTY': 1, '404 NOT_FOUND': 4 });
  });

  it('is one statement, with a quote too', async () => {
    for (const isQuoted of [false, true]) {
      const cart = await cartWith(1, customer);
      const told = isQuoted ? (JSON.parse((await quote(shop, cart)).text) as QuoteResponse).quote : undefined;
      expect(await statementsOf(() => checkout(shop, cart, { quote: told }))).toBe(1);
      expect(await statusOf(cart)).toBe('ORDERED');
    }
  });

  it('takes a cart or lines, and says so when there are both or neither', async () => {
    const cart = await cartWith(1, customer);
    const lines = [{ variantId: tea, quantity: 1 }];
    const bodies = [{ lines, cartId: cart.id }, {}, { cartId: null }, { cartId: null, lines: [] }, { cartId: 'mine' }];
    for (const body of bodies) {
      const whole = { paymentMethod: 'COD', deliveryAddress: ADDRESS, ...body };
      const { body: told } = await shop.call('post', '/api/orders', customer, { key: freshKey(), body: whole });
      expect(told.code).toBe('VALIDATION_FAILED');
    }
    expect(await statusOf(cart)).toBe('OPEN');
  });
});

describe('a guest', () => {
  it('orders with an e-mail and the token of his cart, and sees his order by it, with the code for the door', async () => {
    const cart = await cartWith(2);
    const order = orderOf(await checkout(shop, cart, { email: ' Guest@Larder.TEST' }));
    expect(order).toMatchObject({
      customerId: null,
      email: 'guest@larder.test',
      cartId: cart.id,
      status: 'CONFIRMED',
      deliveryCode: expect.stringMatching(/^[0-9]{6}$/) as string,
      total: USD(1300),
    });
    expect(JSON.parse((await read(order.id, cart.owner)).text)).toEqual(order);
    const staffs = JSON.parse((await read(order.id, shop.manager)).text) as OrderResponse;
    expect(staffs).toEqual({ ...order, deliveryCode: null });
    const { history } = await shop.row(
      'SELECT json_agg(actor_role) AS history FROM order_history WHERE order_id = $1',
      [order.id],
    );
    expect(history).toEqual(['GUEST']);
  });

  it("sees no other's order, and nobody without the token sees his", async () => {
    const cart = await cartWith(1);
    const { body: order } = await checkout(shop, cart);
    const { body: customers } = await checkout(shop, await cartWith(1, customer));
    const another = await cartWith(1);
    await checkout(shop, another);
    const replies = [
      await read(order.id, another.owner),
      await read(order.id, customer),
      await read(customers.id, cart.owner),
      await read(order.id, {}),
      await shop.call('get', `/api/orders/${order.id}`, customer, { headers: { 'x-cart-token': cart.token! } }),
    ];
    expect(tally(replies)).toEqual({ '404 NOT_FOUND': 4, '401 UNAUTHENTICATED': 1 });
  });

  it('gives no order to the account that has his e-mail, nor any right to it', async () => {
    const cart = await cartWith(1);
    const order = orderOf(await checkout(shop, cart, { email: customer.email }));
    expect(order.customerId).toBeNull();
    const { text } = await shop.call('get', '/api/orders', customer);
    expect(text).not.toContain(order.id);
    const cancelling = await shop.call('patch', `/api/orders/${order.id}`, customer, { body: { status: 'CANCELLED' } });
    expect(cancelling.status).toBe(404);
  });

  it('has no wallet to pay from, needs an e-mail and a cart of his own', async () => {
    const cart = await cartWith(1);
    const lines = { cartId: undefined, lines: [{ variantId: tea, quantity: 1 }] };
    const replies = [
      await checkout(shop, cart, { paymentMethod: 'WALLET' }),
      await checkout(shop, cart, { email: undefined }),
      await checkout(shop, cart, { email: 'nobody' }),
      await checkout(shop, cart, lines),
      await shop.call('post', '/api/orders', {}, { key: freshKey(), body: checkoutOf(cart) }),
    ];
    expect(tally(replies)).toEqual({
      '422 PAYMENT_METHOD_NOT_SUPPORTED': 1,
      '400 VALIDATION_FAILED': 3,
      '401 UNAUTHENTICATED': 1,
    });
    expect(await statusOf(cart)).toBe('OPEN');
  });

  it('pays by card with the token of his cart, and nobody pays with another', async () => {
    const cart = await cartWith(1);
    const order = orderOf(await checkout(shop, cart, { paymentMethod: 'CARD' }));
    expect(order).toMatchObject({ status: 'PENDING', payment: { status: 'PENDING' } });
    const pay = (who: Caller) => {
      const options = { key: freshKey(), body: { source: 'tok_visa' } };
      return shop.call('post', `/api/payments/${order.payment.id}/confirm`, who, options);
    };
    const strangers = [await pay((await openCart(shop)).owner), await pay(customer), await pay({})];
    expect(tally(strangers)).toEqual({ '404 NOT_FOUND': 2, '401 UNAUTHENTICATED': 1 });
    expect((await pay(cart.owner)).status).toBe(200);
    const paid = JSON.parse((await read(order.id, cart.owner)).text) as OrderResponse;
    expect(paid).toMatchObject({ status: 'CONFIRMED', payment: { status: 'AUTHORIZED' } });
  });

  it('who does not pay in time opens a new cart: the old one stays what it became', async () => {
    const cart = await cartWith(1);
    const { body: order } = await checkout(shop, cart, { paymentMethod: 'CARD' });
    await shop.larder.sql.query(`UPDATE orders SET expires_at = now() - interval '1 second' WHERE id = $1`, [order.id]);
    const expire = shop.larder.app.get(Jobs).schedules.get('orders.expire')!;
    await expire.handler({ at: new Date(), signal: new AbortController().signal });
    expect((await read(order.id, cart.owner)).body.status).toBe('EXPIRED');
    expect(await statusOf(cart)).toBe('ORDERED');
    expect((await checkout(shop, cart)).body.details).toEqual([{ code: 'CART_CLOSED', orderId: order.id }]);
    expect((await checkout(shop, await cartWith(1))).status).toBe(201);
  });

  it('who has logged in orders as who he is: the token counts for nothing then', async () => {
    const cart = await cartWith(1, customer);
    const headers = { 'x-cart-token': (await cartWith(1)).token! };
    const body = checkoutOf(cart, { email: 'guest@larder.test' });
    const reply = await shop.call('post', '/api/orders', customer, { key: freshKey(), body, headers });
    expect(orderOf(reply)).toMatchObject({ customerId: customer.id, email: null });
  });

  it('gets the same answer again for the same key, and nobody else gets it who knows key and cart', async () => {
    const cart = await cartWith(1);
    const key = freshKey();
    const first = await checkout(shop, cart, {}, key);
    const again = await checkout(shop, cart, {}, key);
    expect([again.status, again.text, again.headers['idempotency-replayed']]).toEqual([201, first.text, 'true']);
    const thief = await openCart(shop);
    expect(tally([await checkout(shop, { ...cart, owner: thief.owner }, {}, key)])).toEqual({ '404 NOT_FOUND': 1 });
    const other = await cartWith(1);
    const others = await checkout(shop, other, {}, key);
    expect([others.status, others.headers['idempotency-replayed']]).toEqual([201, undefined]);
  });

  it('comes to nothing but his cart, his order and its payment by his token', async () => {
    const cart = await cartWith(1);
    const open: string[] = [];
    for (const name of servedRoutes(shop.larder.app)) {
      const [method, template] = name.split(' ') as ['GET' | 'POST', string];
      const url = template.replace(/\{\w+\}/g, newId());
      const [nobody, guest] = [{}, { 'x-cart-token': cart.token! }].map((headers) =>
        shop.larder.app.inject({ method, url, headers: { ...headers, 'idempotency-key': freshKey() } }),
      );
      if ((await nobody!).statusCode === 401 && (await guest!).statusCode !== 401) open.push(name);
    }
    expect(open.sort()).toEqual([
      'DELETE /api/carts/{id}/lines/{variantId}',
      'GET /api/carts/{id}',
      'GET /api/orders/{id}',
      'POST /api/carts/{id}/quote',
      'POST /api/orders',
      'POST /api/payments/{id}/confirm',
      'PUT /api/carts/{id}/lines/{variantId}',
    ]);
  });
});
