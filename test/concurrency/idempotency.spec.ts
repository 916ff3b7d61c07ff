import { freshKey, type TestUser } from '../support/factories.js';
import { orderOf, PATIENT, type Reply, Shop, tally } from '../support/shop.js';
import { verify } from '../support/verify.js';

const AT_ONCE = 30;
const ROUNDS = 30;
const REPLAYED = 'idempotency-replayed';

let shop: Shop;
let customer: TestUser;
let tea: string;

beforeAll(async () => {
  shop = await Shop.open({}, PATIENT);
  customer = await shop.make.user(shop.store);
  tea = await shop.make.variant(shop.store, { price: 100, onHand: 100_000 });
  await shop.make.topUp(shop.store, customer, 10_000_000);
});
afterEach(() => verify(shop.larder.sql));
afterAll(() => shop.close());

const place = (key: string, body: object): Promise<Reply> => shop.call('post', '/api/orders', customer, { key, body });
const atOnce = (key: string, bodyOf: (index: number) => object): Promise<Reply[]> =>
  Promise.all(Array.from({ length: AT_ONCE }, (_none, index) => place(key, bodyOf(index))));
const total = async (): Promise<number> => {
  const { count } = await shop.row('SELECT count(*)::int AS count FROM orders');
  return count as number;
};

describe(`the same key ${AT_ONCE} times at once, ${ROUNDS} rounds`, () => {
  it.each(['COD', 'WALLET'])(
    'is one order by %s: the same answer to all, or that it is still running',
    async (method) => {
      const body = orderOf([{ variantId: tea, quantity: 1 }], { paymentMethod: method });
      for (let round = 0; round < ROUNDS; round++) {
        const key = freshKey();
        const before = await total();
        const replies = await atOnce(key, () => body);
        const { 201: answered = 0, '409 IDEMPOTENCY_IN_PROGRESS': running = 0 } = tally(replies);
        expect([answered + running, answered > 0]).toEqual([AT_ONCE, true]);
        const answers = replies.filter(({ status }) => status === 201);
        expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
        expect(answers.filter(({ headers }) => !(REPLAYED in headers))).toHaveLength(1);
        for (const { status, headers } of replies) if (status === 409) expect(headers['retry-after']).toBe('1');
        expect((await total()) - before).toBe(1);
        expect((await place(key, body)).text).toBe(answers[0]!.text);
      }
    },
  );

  it('with two bodies is one order, of one of them', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const key = freshKey();
      const before = await total();
      const replies = await atOnce(key, (index) => orderOf([{ variantId: tea, quantity: 1 + (index % 2) }]));
      const { 201: answered = 0, '409 IDEMPOTENCY_IN_PROGRESS': running = 0, ...others } = tally(replies);
      const { '422 IDEMPOTENCY_KEY_REUSED': reused = 0, ...unexpected } = others;
      expect([answered + running + reused, unexpected]).toEqual([AT_ONCE, {}]);
      expect(new Set(replies.filter(({ status }) => status === 201).map(({ text }) => text)).size).toBe(1);
      expect((await total()) - before).toBe(1);
    }
  });

  it('is one refusal where it is refused', async () => {
    const scarce = await shop.make.variant(shop.store, { onHand: 1 });
    const body = orderOf([{ variantId: scarce, quantity: 2 }]);
    for (let round = 0; round < ROUNDS; round++) {
      const key = freshKey();
      const replies = await atOnce(key, () => body);
      const { '409 INSUFFICIENT_STOCK': refused = 0, '409 IDEMPOTENCY_IN_PROGRESS': running = 0 } = tally(replies);
      expect([refused + running, refused > 0]).toEqual([AT_ONCE, true]);
      const fresh = replies.filter(
        ({ body: told, headers }) => told.code === 'INSUFFICIENT_STOCK' && !(REPLAYED in headers),
      );
      expect(fresh).toHaveLength(1);
      const { count } = await shop.row('SELECT count(*)::int AS count FROM idempotency_keys WHERE key = $1', [key]);
      expect(count).toBe(1);
    }
  });

  it('is as many orders as there are customers', async () => {
    const key = freshKey();
    const customers = await Promise.all(Array.from({ length: AT_ONCE }, () => shop.make.user(shop.store)));
    const body = orderOf([{ variantId: tea, quantity: 1 }]);
    const replies = await Promise.all(customers.map((user) => shop.call('post', '/api/orders', user, { key, body })));
    expect(tally(replies)).toEqual({ 201: AT_ONCE });
    expect(new Set(replies.map(({ body: order }) => order.id)).size).toBe(AT_ONCE);
  });
});
