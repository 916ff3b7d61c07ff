import { Jobs } from '../../src/platform/jobs/jobs.service.js';
import { checkout, openCart, setLine, type TestCart } from '../support/carts.js';
import { Shop, tally } from '../support/shop.js';
import { verify } from '../support/verify.js';

let shop: Shop;
let tea: string;

beforeAll(async () => {
  shop = await Shop.open();
  tea = await shop.make.variant(shop.store);
});
afterEach(() => verify(shop.larder.sql));
afterAll(() => shop.close());

/** What the schedule does every hour. */
const clean = () =>
  shop.larder.app.get(Jobs).schedules.get('cart.clean')!.handler({
    at: new Date(),
    signal: new AbortController().signal,
  });
const untouchedFor = (age: string, ...carts: TestCart[]) =>
  shop.larder.sql.query('UPDATE carts SET updated_at = now() - $2::interval WHERE id = ANY ($1)', [
    carts.map(({ id }) => id),
    age,
  ]);
const remaining = async (carts: TestCart[]): Promise<string[]> => {
  const ids = carts.map(({ id }) => id);
  const { rows } = await shop.larder.sql.query<{ id: string }>('SELECT id FROM carts WHERE id = ANY ($1)', [ids]);
  return rows.map(({ id }) => id);
};
const cartWith = (quantity: number) => openCart(shop, [{ variantId: tea, quantity }]);

describe('carts that nobody comes back to', () => {
  it('are removed after thirty days when a guest left them, with their lines, and do not exist then', async () => {
    const carts = [await cartWith(1), await openCart(shop)];
    await untouchedFor('30 days 1 second', ...carts);
    await clean();
    expect(await remaining(carts)).toEqual([]);
    expect(tally([await setLine(shop, carts[0]!, tea, 1), await checkout(shop, carts[0]!)])).toEqual({
      '404 NOT_FOUND': 2,
    });
  });

  it('are kept a day before that, when they were ordered, and when they are of a customer', async () => {
    const [recent, ordered] = [await cartWith(1), await cartWith(1)];
    expect((await checkout(shop, ordered)).status).toBe(201);
    const customer = await shop.make.user(shop.store);
    const own = await openCart(shop, [{ variantId: tea, quantity: 1 }], customer);
    await untouchedFor('29 days', recent);
    await untouchedFor('400 days', ordered, own);
    await clean();
    expect(await remaining([recent, ordered, own])).toHaveLength(3);
  });

  it('are removed when they went into the cart of a customer, which stays', async () => {
    const customer = await shop.make.user(shop.store);
    const guests = await cartWith(1);
    const headers = { 'x-cart-token': guests.token! };
    const { body: own } = await shop.call('post', '/api/carts/merge', customer, { headers });
    await untouchedFor('31 days', guests, { ...guests, id: own.id });
    await clean();
    expect(await remaining([guests, { ...guests, id: own.id }])).toEqual([own.id]);
  });

  it('are left alone while somebody is busy with them, and removed the next time', async () => {
    const [busy, idle] = [await cartWith(1), await cartWith(1)];
    await untouchedFor('31 days', busy, idle);
    const other = await shop.larder.sql.connect();
    await other.query('BEGIN');
    await other.query('SELECT 1 FROM carts WHERE id = $1 FOR NO KEY UPDATE', [busy.id]);
    await clean();
    await other.query('ROLLBACK');
    other.release();
    expect(await remaining([busy, idle])).toEqual([busy.id]);
    await clean();
    expect(await remaining([busy, idle])).toEqual([]);
  });

  it('come back to life by being touched', async () => {
    const cart = await cartWith(1);
    await untouchedFor('31 days', cart);
    await setLine(shop, cart, tea, 2);
    await clean();
    expect(await remaining([cart])).toEqual([cart.id]);
  });

  it('are removed however many they are, in every store', async () => {
    const other = await shop.make.store('other');
    const { rows } = await shop.larder.sql.query<{ id: string }>(
      `INSERT INTO carts (store_id, id, token_hash, updated_at)
       SELECT s.id, uuid_v7(), sha256(n::text::bytea), now() - interval '31 days'
         FROM unnest($1::uuid[]) AS s (id), generate_series(1, 1100) AS n
       RETURNING id`,
      [[shop.store.id, other.id]],
    );
    await clean();
    const { count } = await shop.row('SELECT count(*)::int AS count FROM carts WHERE id = ANY ($1)', [
      rows.map(({ id }) => id),
    ]);
    expect([rows.length, count]).toEqual([2200, 0]);
  });
});
