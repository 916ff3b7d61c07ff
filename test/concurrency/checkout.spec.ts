import { setTimeout as sleep } from 'node:timers/promises';
import type { OrderResponse } from '../../src/modules/orders/dto/order.dto.js';
import { checkout, checkoutOf, linesOf, openCart, setLine, type TestCart } from '../support/carts.js';
import { freshKey, type TestUser } from '../support/factories.js';
import { sumOfMetric } from '../support/metrics.js';
import { PATIENT, type Reply, Shop, tally } from '../support/shop.js';
import { verify } from '../support/verify.js';

const AT_ONCE = 50;
const ROUNDS = 50;
/** Of those that are about who comes first. */
const FEWER_ROUNDS = 20;

let shop: Shop;
let tea: string;
let milk: string;

beforeAll(async () => {
  shop = await Shop.open({}, PATIENT);
  tea = await shop.make.variant(shop.store, { price: 100, onHand: 1_000_000 });
  milk = await shop.make.variant(shop.store, { price: 7, onHand: 1_000_000 });
});
afterEach(() => verify(shop.larder.sql));
afterAll(() => shop.close());

const many = <T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_none, index) => make(index)));
const ordersOf = async ({ id }: TestCart): Promise<string[]> => {
  const { rows } = await shop.larder.sql.query<{ id: string }>('SELECT id FROM orders WHERE cart_id = $1', [id]);
  return rows.map((row) => row.id);
};
const deadlocks = () => sumOfMetric(shop.larder, 'larder_db_transaction_retries_total');
const mergeInto = (customer: TestUser, guests: TestCart): Promise<Reply> =>
  shop.call('post', '/api/carts/merge', customer, { headers: { 'x-cart-token': guests.token! } });

/** What the cart became: the one order, told to everyone else. */
async function theOneOrder(cart: TestCart, replies: Reply[]): Promise<OrderResponse> {
  const [placed, ...more] = replies.filter(({ status }) => status === 201);
  expect([more, await ordersOf(cart)]).toEqual([[], [placed?.body.id]]);
  const refused = replies.filter((reply) => reply !== placed);
  expect(tally(refused)).toEqual({ '409 CART_CLOSED': replies.length - 1 });
  for (const { body } of refused) expect(body.details).toEqual([{ code: 'CART_CLOSED', orderId: placed?.body.id }]);
  return JSON.parse(placed?.text ?? '') as OrderResponse;
}

describe(`${AT_ONCE} checkouts of one cart at once, each with a key of its own, ${ROUNDS} rounds`, () => {
  it('are one order, and everyone else is told which', async () => {
    const customer = await shop.make.user(shop.store);
    for (let round = 0; round < ROUNDS; round++) {
      const cart = await openCart(shop, [{ variantId: tea, quantity: 1 }], round % 2 ? customer : undefined);
      const replies = await many(AT_ONCE, () => checkout(shop, cart));
      await theOneOrder(cart, replies);
    }
    expect(await deadlocks()).toBe(0);
  });
});

describe('a cart that is changed while it is ordered', () => {
  it('is ordered as it is at one moment, and can not be changed after it', async () => {
    for (let round = 0; round < FEWER_ROUNDS; round++) {
      const cart = await openCart(shop, [{ variantId: tea, quantity: 1 }]);
      const [replies, changes] = await Promise.all([
        many(10, () => checkout(shop, cart)),
        many(20, (n) => setLine(shop, cart, n % 2 ? tea : milk, 1 + n)),
      ]);
      const order = await theOneOrder(cart, replies);
      const { 200: changed = 0, '409 CART_CLOSED': late = 0 } = tally(changes);
      expect(changed + late).toBe(20);
      // What was answered 200 is in the order, or was overwritten by what is.
      const ordered = order.lines.map(({ variantId, quantity }) => ({ variantId, quantity }));
      expect(ordered).toEqual(await linesOf(shop, cart));
      for (const { variantId, quantity } of ordered) {
        const ofLine = changes.filter((_reply, n) => (n % 2 ? tea : milk) === variantId);
        const wanted = changes.flatMap(({ status }, n) =>
          status === 200 && (n % 2 ? tea : milk) === variantId ? [1 + n] : [],
        );
        expect(ofLine.some(({ status }) => status === 200) ? wanted : [1]).toContain(quantity);
      }
    }
    expect(await deadlocks()).toBe(0);
  });
});

describe("a guest's cart that is merged while it is ordered", () => {
  it('becomes an order or goes into the own cart, never both', async () => {
    const seen = { ordered: 0, merged: 0 };
    for (let round = 0; round < FEWER_ROUNDS; round++) {
      const customer = await shop.make.user(shop.store);
      const guests = await openCart(shop, [{ variantId: tea, quantity: 3 }]);
      // A lead of some milliseconds for the one, then for the other: in between they meet.
      const leadMs = round - FEWER_ROUNDS / 2;
      const [replies, merges] = await Promise.all([
        sleep(Math.max(-leadMs, 0)).then(() => many(5, () => checkout(shop, guests))),
        sleep(Math.max(leadMs, 0)).then(() => many(5, () => mergeInto(customer, guests))),
      ]);
      const orders = await ordersOf(guests);
      const own = await openCart(shop, [], customer);
      const lines = await linesOf(shop, own);
      if (orders.length > 0) {
        seen.ordered += 1;
        await theOneOrder(guests, replies);
        expect([tally(merges), lines]).toEqual([{ '409 CART_CLOSED': 5 }, []]);
      } else {
        seen.merged += 1;
        expect([tally(replies), tally(merges)]).toEqual([{ '409 CART_CLOSED': 5 }, { 200: 5 }]);
        expect(lines).toEqual([{ variantId: tea, quantity: 3 }]);
      }
    }
    // Neither way is the only one that is ever taken.
    expect(Math.min(seen.ordered, seen.merged)).toBeGreaterThan(0);
    expect(await deadlocks()).toBe(0);
  });

  it('and is merged with others into a cart that is ordered meanwhile: no line is lost, none ordered twice', async () => {
    for (let round = 0; round < FEWER_ROUNDS; round++) {
      const customer = await shop.make.user(shop.store);
      const own = await openCart(shop, [{ variantId: milk, quantity: 1 }], customer);
      const variants = await many(4, () => shop.make.variant(shop.store, { price: 10, onHand: 10 }));
      const guests = await Promise.all(variants.map((variantId) => openCart(shop, [{ variantId, quantity: 1 }])));
      const [replies, ...merges] = await Promise.all([
        many(3, () => checkout(shop, own)),
        ...guests.flatMap((cart) => [mergeInto(customer, cart), mergeInto(customer, cart)]),
      ]);
      expect(tally(merges)).toEqual({ 200: 8 });
      const order = await theOneOrder(own, replies);
      const rest = await linesOf(shop, await openCart(shop, [], customer));
      const everywhere = [...order.lines, ...rest].map(({ variantId }) => variantId);
      expect(everywhere.sort()).toEqual([milk, ...variants].sort());
    }
    expect(await deadlocks()).toBe(0);
  });
});

describe('one key for the checkout of one cart, from two of its owners', () => {
  it('is one order and one answer for who has it', async () => {
    for (let round = 0; round < 10; round++) {
      const cart = await openCart(shop, [{ variantId: tea, quantity: 1 }]);
      const thief = await openCart(shop);
      const key = freshKey();
      const body = checkoutOf(cart);
      const replies = await many(20, (n) =>
        shop.call('post', '/api/orders', n % 2 ? thief.owner : cart.owner, { key, body }),
      );
      const {
        201: answered = 0,
        '409 IDEMPOTENCY_IN_PROGRESS': running = 0,
        '404 NOT_FOUND': none = 0,
      } = tally(replies);
      expect([answered + running + none, answered > 0]).toEqual([20, true]);
      for (const { status, body: told } of replies.filter((_reply, n) => n % 2)) {
        expect([status, told.code]).not.toEqual([201, undefined]);
      }
      expect(await ordersOf(cart)).toHaveLength(1);
    }
  });
});
