import { freshKey, type TestUser } from '../support/factories.js';
import { sumOfMetric } from '../support/metrics.js';
import { type Line, orderOf, PATIENT, type Reply, Shop, tally } from '../support/shop.js';
import { verify } from '../support/verify.js';

const CUSTOMERS = 50;
const PIECES = 10;
const ROUNDS = 20;

let shop: Shop;
let customers: TestUser[];

beforeAll(async () => {
  shop = await Shop.open({}, PATIENT);
  customers = await Promise.all(Array.from({ length: CUSTOMERS }, () => shop.make.user(shop.store)));
});
afterEach(() => verify(shop.larder.sql));
afterAll(() => shop.close());

const place = (customer: TestUser, lines: Line[], changes: object = {}): Promise<Reply> =>
  shop.call('post', '/api/orders', customer, { key: freshKey(), body: orderOf(lines, changes) });
const everyCustomer = (linesOf: (index: number) => Line[]): Promise<Reply[]> =>
  Promise.all(customers.map((customer, index) => place(customer, linesOf(index))));
const stockOf = (variantId: string) =>
  shop.row('SELECT on_hand, reserved FROM stock_levels WHERE variant_id = $1', [variantId]);
const SOLD_OUT = { on_hand: PIECES, reserved: PIECES };

describe(`${CUSTOMERS} customers for the last ${PIECES} pieces, ${ROUNDS} rounds`, () => {
  it('get exactly what there is', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const tea = await shop.make.variant(shop.store, { onHand: PIECES });
      const replies = await everyCustomer(() => [{ variantId: tea, quantity: 1 }]);
      expect(tally(replies)).toEqual({ 201: PIECES, '409 INSUFFICIENT_STOCK': CUSTOMERS - PIECES });
      expect(await stockOf(tea)).toEqual(SOLD_OUT);
    }
  });

  it('get exactly what there is when half of them name two products in opposite order', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const tea = await shop.make.variant(shop.store, { onHand: PIECES });
      const milk = await shop.make.variant(shop.store, { onHand: PIECES });
      const lines = [tea, milk].map((variantId) => ({ variantId, quantity: 1 }));
      const replies = await everyCustomer((index) => (index % 2 ? lines : lines.toReversed()));
      expect(tally(replies)).toEqual({ 201: PIECES, '409 INSUFFICIENT_STOCK': CUSTOMERS - PIECES });
      expect([await stockOf(tea), await stockOf(milk)]).toEqual([SOLD_OUT, SOLD_OUT]);
    }
  });

  it('get exactly what there is when each names the same product twice', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const tea = await shop.make.variant(shop.store, { onHand: PIECES });
      const line = { variantId: tea, quantity: 1 };
      const replies = await everyCustomer(() => [line, line]);
      expect(tally(replies)).toEqual({ 201: PIECES / 2, '409 INSUFFICIENT_STOCK': CUSTOMERS - PIECES / 2 });
      expect(await stockOf(tea)).toEqual(SOLD_OUT);
      const { sold } = await shop.row('SELECT sum(quantity)::int AS sold FROM order_lines WHERE variant_id = $1', [
        tea,
      ]);
      expect(sold).toBe(PIECES);
    }
  });

  it('leave no piece behind that both sides of two products could still sell', async () => {
    const tea = await shop.make.variant(shop.store, { onHand: PIECES });
    const milk = await shop.make.variant(shop.store, { onHand: CUSTOMERS });
    const lines = [tea, milk].map((variantId) => ({ variantId, quantity: 1 }));
    const replies = await everyCustomer((index) => (index % 2 ? [lines[1]!] : lines));
    expect(tally(replies)).toEqual({ 201: CUSTOMERS / 2 + PIECES, '409 INSUFFICIENT_STOCK': CUSTOMERS / 2 - PIECES });
    expect(await stockOf(tea)).toEqual(SOLD_OUT);
    expect(await stockOf(milk)).toEqual({ on_hand: CUSTOMERS, reserved: CUSTOMERS / 2 + PIECES });
  });
});

describe('a customer who spends one wallet from many places at once', () => {
  it('spends no more than there is in it', async () => {
    // A product each: orders for the same one would wait for each other's stock before they come to the wallet.
    const price = { price: 1000 };
    const variants = await Promise.all(Array.from({ length: 30 }, () => shop.make.variant(shop.store, price)));
    const customer = await shop.make.user(shop.store);
    await shop.make.topUp(shop.store, customer, 7000);
    const wallet = { paymentMethod: 'WALLET' };
    const replies = await Promise.all(
      variants.map((variantId) => place(customer, [{ variantId, quantity: 1 }], wallet)),
    );
    expect(tally(replies)).toEqual({ 201: 7, '409 INSUFFICIENT_FUNDS': 23 });
    const { balance } = await shop.row(`SELECT balance FROM wallets WHERE owner_id = $1`, [customer.id]);
    expect(balance).toBe('0');
  });
});

describe('500 orders over 5 products in every order of lines, from 32 clients', () => {
  const ORDERS = 500;
  const CLIENTS = 32;

  const retries = () => sumOfMetric(shop.larder, 'larder_db_transaction_retries_total');
  /** The five, begun anywhere, forwards or backwards. */
  const linesOf = (variants: string[], index: number): Line[] => {
    const turned = variants.map((_id, position) => variants[(position + index) % variants.length]!);
    return (index % 2 ? turned : turned.toReversed()).map((variantId) => ({ variantId, quantity: 1 }));
  };

  it('are all placed, and no deadlock is as much as met', async () => {
    const variants = await Promise.all(
      Array.from({ length: 5 }, () => shop.make.variant(shop.store, { onHand: ORDERS })),
    );
    const before = await retries();
    let next = 0;
    const replies: Reply[] = [];
    const client = async (customer: TestUser): Promise<void> => {
      for (let index = next++; index < ORDERS; index = next++)
        replies.push(await place(customer, linesOf(variants, index)));
    };
    await Promise.all(customers.slice(0, CLIENTS).map(client));
    expect(tally(replies)).toEqual({ 201: ORDERS });
    expect((await retries()) - before).toBe(0);
    for (const id of variants) expect(await stockOf(id)).toEqual({ on_hand: ORDERS, reserved: ORDERS });
  });

  it('go through while others are cancelled, shipped and restocked', async () => {
    const variants = await Promise.all(
      Array.from({ length: 5 }, () => shop.make.variant(shop.store, { onHand: ORDERS })),
    );
    const before = await retries();
    let next = 0;
    const replies: Reply[] = [];
    const client = async (customer: TestUser): Promise<void> => {
      for (let index = next++; index < ORDERS / 2; index = next++) {
        const placed = await place(customer, linesOf(variants, index));
        const path = `/api/orders/${placed.body.id}`;
        const steps = [['CANCELLED'], ['SHIPPING', 'RETURNED']][index % 2]!;
        replies.push(placed);
        for (const status of steps) replies.push(await shop.call('patch', path, shop.manager, { body: { status } }));
      }
    };
    await Promise.all(customers.slice(0, CLIENTS).map(client));
    expect(tally(replies)).toEqual({ 201: ORDERS / 2, 200: (ORDERS / 4) * 3 });
    expect((await retries()) - before).toBe(0);
    for (const id of variants) expect(await stockOf(id)).toEqual({ on_hand: ORDERS, reserved: 0 });
  });
});

describe('an order that comes while goods it needs are just being counted in', () => {
  /** Counts pieces in, in a transaction of its own. @returns how it ends */
  const countIn = async (variantId: string, pieces: number) => {
    const holder = await shop.larder.sql.connect();
    await holder.query('BEGIN');
    await holder.query(
      `WITH level AS (
         UPDATE stock_levels SET on_hand = on_hand + $2 WHERE variant_id = $1 RETURNING store_id, variant_id
       )
       INSERT INTO stock_movements (store_id, variant_id, delta, reason) SELECT store_id, variant_id, $2, 'RECEIPT' FROM level`,
      [variantId, pieces],
    );
    return async (end: 'COMMIT' | 'ROLLBACK'): Promise<void> => {
      await holder.query(end);
      holder.release();
    };
  };

  it.each([
    ['COMMIT', { 201: 1 }, { on_hand: 3, reserved: 3 }, { on_hand: 2, reserved: 2 }],
    ['ROLLBACK', { '409 INSUFFICIENT_STOCK': 1 }, { on_hand: 3, reserved: 0 }, { on_hand: 1, reserved: 0 }],
  ] as const)('waits for them, and has all or nothing at their %s', async (end, answered, ofTea, ofMilk) => {
    const tea = await shop.make.variant(shop.store, { onHand: 3 });
    const milk = await shop.make.variant(shop.store, { onHand: 1 });
    const counted = await countIn(milk, 1);
    const reply = place(customers[0]!, [
      { variantId: tea, quantity: 3 },
      { variantId: milk, quantity: 2 },
    ]);
    await shop.waitFor("SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'");
    await counted(end);
    expect(tally([await reply])).toEqual(answered);
    expect([await stockOf(tea), await stockOf(milk)]).toEqual([ofTea, ofMilk]);
  });
});
