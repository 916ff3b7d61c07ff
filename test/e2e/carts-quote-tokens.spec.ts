import { SignJWT } from 'jose';
import { DEVELOPMENT_SECRET } from '../../src/config/config.js';
import { newId } from '../../src/common/ids.js';
import type { QuoteResponse } from '../../src/modules/carts/dto/cart.dto.js';
import { checkout, openCart, quote, type TestCart } from '../support/carts.js';
import { later } from '../support/clock.js';
import { freshKey, type TestUser } from '../support/factories.js';
import { Shop, tally } from '../support/shop.js';
import { verify } from '../support/verify.js';

const USD = (amount: number) => ({ amount, currency: 'USD' });
const QUARTER_OF_AN_HOUR_MS = 15 * 60_000;

let shop: Shop;
let tea: string;

beforeAll(async () => {
  shop = await Shop.open({ deliveryFee: 300 });
  tea = await shop.make.variant(shop.store, { price: 500, onHand: 100_000 });
});
afterEach(() => verify(shop.larder.sql));
afterAll(() => shop.close());

const cartWith = (quantity: number, owner?: TestUser) => openCart(shop, [{ variantId: tea, quantity }], owner);
const tokenOf = async (cart: TestCart): Promise<string> => {
  const reply = await quote(shop, cart, { zip: '10001' });
  return (JSON.parse(reply.text) as QuoteResponse).quote ?? '';
};
const setPrice = (price: number) => shop.larder.sql.query('UPDATE variants SET price = $2 WHERE id = $1', [tea, price]);

/** A quote as Larder signs it, but for what is said otherwise. */
function signed(
  cartId: string,
  { total = 800, store = shop.store.id, audience = 'larder-quote', secret = DEVELOPMENT_SECRET, ageS = 0 } = {},
): Promise<string> {
  const nowS = Math.floor(Date.now() / 1000);
  return new SignJWT({ store, total })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(cartId)
    .setIssuer('larder')
    .setAudience(audience)
    .setExpirationTime(nowS + 900 - ageS)
    .sign(new TextEncoder().encode(secret));
}

describe('a quote that goes with an order', () => {
  it('holds for a quarter of an hour and is what is charged', async () => {
    const cart = await cartWith(2);
    const before = Date.now();
    const { quote: token, expiresAt, total } = JSON.parse((await quote(shop, cart)).text) as QuoteResponse;
    const signedMs = Date.parse(expiresAt ?? '') - QUARTER_OF_AN_HOUR_MS;
    expect(signedMs).toBeGreaterThan(before - 1000);
    expect(signedMs).toBeLessThanOrEqual(Date.now());
    const order = await checkout(shop, cart, { quote: token });
    expect(JSON.parse(order.text)).toMatchObject({ total });
  });

  it('is refused when the total is another one now, with both; nothing is ordered, and a new quote goes through', async () => {
    const cart = await cartWith(1);
    const token = await tokenOf(cart);
    await setPrice(550);
    const changed = await checkout(shop, cart, { quote: token });
    expect([changed.status, changed.body.code, changed.body.details]).toEqual([
      409,
      'QUOTE_CHANGED',
      [{ code: 'QUOTE_CHANGED', quoted: USD(800), total: USD(850) }],
    ]);
    expect((await checkout(shop, cart, { quote: await tokenOf(cart) })).status).toBe(201);
    await setPrice(500);
  });

  it('is refused when the cart was changed, or the coupon left out, and so costs something else', async () => {
    const cart = await cartWith(1);
    const token = await tokenOf(cart);
    await shop.call('put', `${cart.path}/lines/${tea}`, cart.owner, { body: { quantity: 2 } });
    expect((await checkout(shop, cart, { quote: token })).body.code).toBe('QUOTE_CHANGED');
  });

  it('has expired after a quarter of an hour, and orders nothing then', async () => {
    const cart = await cartWith(1);
    const late = await checkout(shop, cart, { quote: await signed(cart.id, { ageS: 901 }) });
    expect([late.status, late.body.code]).toEqual([409, 'QUOTE_EXPIRED']);
    expect((await checkout(shop, cart, { quote: await signed(cart.id, { ageS: 890 }) })).status).toBe(201);
  });

  it('may have expired when the answer to an order placed in time is asked for again', async () => {
    for (const owner of [undefined, await shop.make.user(shop.store)]) {
      const cart = await cartWith(1, owner);
      const token = await signed(cart.id, { ageS: 600 });
      const key = freshKey();
      const placed = await checkout(shop, cart, { quote: token }, key);
      expect(placed.status).toBe(201);
      expect((await checkout(shop, cart, { quote: token })).body.code).toBe('CART_CLOSED');
      await later(301_000, async () => {
        expect((await checkout(shop, cart, { quote: token })).body.code).toBe('QUOTE_EXPIRED');
        const replayed = await checkout(shop, cart, { quote: token }, key);
        expect([replayed.status, replayed.text]).toEqual([201, placed.text]);
      });
    }
  });

  it.each<[string, (cart: TestCart) => Promise<string>]>([
    ['of another cart', () => signed(newId())],
    ['of another store', (cart) => signed(cart.id, { store: newId() })],
    ['signed with another key', (cart) => signed(cart.id, { secret: 'x'.repeat(32) })],
    ['signed with another key, and old', (cart) => signed(cart.id, { secret: 'x'.repeat(32), ageS: 1000 })],
    ['of another cart, and old', () => signed(newId(), { ageS: 1000 })],
    ['of another store, and old', (cart) => signed(cart.id, { store: newId(), ageS: 1000 })],
    ['an access token', (cart) => signed(cart.id, { audience: 'larder-api' })],
    ['half a cent', (cart) => signed(cart.id, { total: 800.5 })],
    [
      'without a signature',
      async (cart) => {
        const [, payload] = (await signed(cart.id)).split('.');
        return `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`;
      },
    ],
    [
      'with a total put in by hand',
      async (cart) => {
        const [header, payload, signature] = (await signed(cart.id)).split('.');
        const claims = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString()) as object;
        return `${header}.${Buffer.from(JSON.stringify({ ...claims, total: 1 })).toString('base64url')}.${signature}`;
      },
    ],
    ['no token at all', () => Promise.resolve('800')],
  ])('is none when it is %s', async (_what, forge) => {
    const cart = await cartWith(1);
    const refused = await checkout(shop, cart, { quote: await forge(cart) });
    expect([refused.status, refused.body.code]).toEqual([400, 'QUOTE_INVALID']);
    expect((await checkout(shop, cart)).status).toBe(201);
  });

  it('is for a cart: with lines alone it is none', async () => {
    const cart = await cartWith(1, await shop.make.user(shop.store));
    const lines = [{ variantId: tea, quantity: 1 }];
    const reply = await checkout(shop, cart, { cartId: undefined, lines, quote: await tokenOf(cart) });
    expect(reply.body.code).toBe('QUOTE_INVALID');
  });

  it('lets nobody in as an access token', async () => {
    const cart = await cartWith(1);
    const reply = await shop.call('get', '/api/auth/me', { bearer: `Bearer ${await tokenOf(cart)}` });
    expect(reply.status).toBe(401);
  });
});

describe('guessing coupons', () => {
  const guess = (n: number) => ({ couponCode: `GUESS-${n}` });

  it('ends after twenty an hour, by quotes and orders together; ordering without one goes on', async () => {
    for (const owner of [undefined, await shop.make.user(shop.store)]) {
      const cart = await cartWith(1, owner);
      const codes: string[] = [];
      for (let n = 0; n < 10; n++) {
        const quoted = JSON.parse((await quote(shop, cart, guess(n))).text) as QuoteResponse;
        codes.push(quoted.problems[0]?.code ?? '', (await checkout(shop, cart, guess(n))).body.code);
      }
      expect(new Set(codes)).toEqual(new Set(['COUPON_INVALID']));
      await shop.larder.sql.query(
        `INSERT INTO coupons (store_id, id, code, kind, value) VALUES ($1, uuid_v7(), 'RIGHT', 'FIXED', 100)
         ON CONFLICT DO NOTHING`,
        [shop.store.id],
      );
      const right = { couponCode: 'right' };
      const ended = [await quote(shop, cart, right), await checkout(shop, cart, right)];
      expect(tally(ended)).toEqual({ '429 COUPON_ATTEMPTS_EXCEEDED': 2 });
      for (const { headers } of ended) expect(headers['retry-after']).toBe('3600');
      expect((await quote(shop, cart)).status).toBe(200);
      await shop.larder.sql.query(`UPDATE coupon_failures SET since = since - interval '61 minutes'`);
      const key = freshKey();
      expect((await checkout(shop, cart, right, key)).status).toBe(201);
    }
  });

  it('is not held against others', async () => {
    const cart = await cartWith(1);
    for (let n = 0; n < 20; n++) await quote(shop, cart, guess(n));
    expect((await quote(shop, cart, guess(0))).status).toBe(429);
    expect((await quote(shop, await cartWith(1, await shop.make.user(shop.store)), guess(0))).status).toBe(200);
  });

  it('that is refused for now is not remembered as the answer to its key', async () => {
    const cart = await cartWith(1);
    for (let n = 0; n < 20; n++) await quote(shop, cart, guess(n));
    const key = freshKey();
    expect((await checkout(shop, cart, { couponCode: 'RIGHT' }, key)).status).toBe(429);
    await shop.larder.sql.query(`UPDATE coupon_failures SET since = since - interval '61 minutes'`);
    expect((await checkout(shop, cart, { couponCode: 'RIGHT' }, key)).status).toBe(201);
  });
});
