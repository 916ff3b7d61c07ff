import { Jobs } from '../../src/platform/jobs/jobs.service.js';
import { freshKey, type TestUser } from '../support/factories.js';
import { orderOf, type Reply, Shop, tally } from '../support/shop.js';
import { verify } from '../support/verify.js';

const FROM = '203.0.113.7';
const ELSEWHERE = '198.51.100.4';

let shop: Shop;
let tea: string;

beforeAll(async () => {
  shop = await Shop.open({}, { TRUSTED_PROXIES: '127.0.0.1' });
  tea = await shop.make.variant(shop.store);
  await shop.make.coupon(shop.store, 'SECRET');
});
afterEach(async () => {
  await verify(shop.larder.sql);
  await shop.larder.sql.query('DELETE FROM coupon_failures');
});
afterAll(() => shop.close());

/** An order that came through the proxy from this address; the client says something of its own before it. */
const order = (customer: TestUser, couponCode: string, address?: string): Promise<Reply> =>
  shop.call('post', '/api/orders', customer, {
    key: freshKey(),
    body: orderOf([{ variantId: tea, quantity: 1 }], { couponCode }),
    headers: address ? { 'x-forwarded-for': `10.9.8.7, ${address}` } : {},
  });

async function guess(customer: TestUser, times: number, address?: string): Promise<Record<string, number>> {
  const replies: Reply[] = [];
  for (let n = 0; n < times; n++) replies.push(await order(customer, `GUESS-${n}`, address));
  return tally(replies);
}

it('end for an address with the hundredth, whoever sends them, and for nobody elsewhere', async () => {
  for (let person = 0; person < 5; person++) {
    expect(await guess(await shop.make.user(shop.store), 20, FROM)).toEqual({ '422 COUPON_INVALID': 20 });
  }
  const somebody = await shop.make.user(shop.store);
  expect(tally([await order(somebody, 'SECRET', FROM), await order(somebody, 'SECRET', ELSEWHERE)])).toEqual({
    201: 1,
    '429 COUPON_ATTEMPTS_EXCEEDED': 1,
  });
});

it('are not counted for an address that any client may have', async () => {
  for (let person = 0; person < 6; person++) {
    expect(await guess(await shop.make.user(shop.store), 19, '10.0.0.1')).toEqual({ '422 COUPON_INVALID': 19 });
  }
  const { rows } = await shop.larder.sql.query(`SELECT 1 FROM coupon_failures WHERE principal LIKE 'address %'`);
  expect(rows).toEqual([]);
  expect((await order(await shop.make.user(shop.store), 'SECRET', '10.0.0.1')).status).toBe(201);
});

it('are twenty and few more, however many are sent at once', async () => {
  const guesser = await shop.make.user(shop.store);
  const replies = await Promise.all(Array.from({ length: 100 }, (_, n) => order(guesser, `GUESS-${n}`)));
  const { '422 COUPON_INVALID': invalid = 0, ...others } = tally(replies);
  expect(Object.keys(others)).toEqual(['429 COUPON_ATTEMPTS_EXCEEDED']);
  // Who asked before the twentieth was counted: as many as there are connections.
  expect(invalid).toBeLessThanOrEqual(20 + shop.larder.config.POOL_SIZE);
  expect((await order(guesser, 'SECRET')).status).toBe(429);
});

it('are forgotten after an hour, and then removed', async () => {
  const guesser = await shop.make.user(shop.store);
  await guess(guesser, 20, FROM);
  expect((await order(guesser, 'SECRET')).status).toBe(429);
  const clean = () =>
    shop.larder.app.get(Jobs).schedules.get('promotions.clean')!.handler({
      at: new Date(),
      signal: new AbortController().signal,
    });
  await clean();
  expect((await order(guesser, 'SECRET')).status).toBe(429);
  await shop.larder.sql.query(`UPDATE coupon_failures SET since = since - interval '61 minutes'`);
  expect((await order(guesser, 'SECRET')).status).toBe(201);
  await clean();
  expect((await shop.larder.sql.query('SELECT 1 FROM coupon_failures')).rows).toEqual([]);
});
