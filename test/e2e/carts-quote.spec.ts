import fc from 'fast-check';
import { newId } from '../../src/common/ids.js';
import type { QuoteResponse } from '../../src/modules/carts/dto/cart.dto.js';
import type { OrderResponse } from '../../src/modules/orders/dto/order.dto.js';
import { type CouponColumns, makeCoupon, makeSlot, type SlotColumns } from '../support/bookings.js';
import { checkout, openCart, quote, type TestCart } from '../support/carts.js';
import { type TestUser, ZIP } from '../support/factories.js';
import { type Line, type Reply, Shop, tally } from '../support/shop.js';
import { verify } from '../support/verify.js';

const USD = (amount: number) => ({ amount, currency: 'USD' });
const RUNS = 200;

let shop: Shop;
let customer: TestUser;
let tea: string;
let zoneId: string;

beforeAll(async () => {
  shop = await Shop.open({ deliveryFee: 300 });
  customer = await shop.make.user(shop.store);
  tea = await shop.make.variant(shop.store, { price: 500, onHand: 1_000_000 });
  zoneId = newId();
  await shop.larder.sql.query('INSERT INTO delivery_zones (store_id, id, name, zip_codes) VALUES ($1, $2, $3, $4)', [
    shop.store.id,
    zoneId,
    'Midtown',
    [ZIP],
  ]);
});
afterEach(() => verify(shop.larder.sql));
afterAll(() => shop.close());

const quoteOf = (reply: Reply) => JSON.parse(reply.text) as QuoteResponse;
const cartWith = (quantity: number, owner?: TestUser) => openCart(shop, [{ variantId: tea, quantity }], owner);

const coupon = (columns: CouponColumns = {}) => makeCoupon(shop, columns);
const slot = (columns: SlotColumns = {}) => makeSlot(shop, zoneId, columns);

describe('a quote', () => {
  const basket = fc.array(
    fc.record({
      price: fc.oneof(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 0, max: 10_000_000 })),
      quantity: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 1000 })),
      ratePpm: fc.option(fc.constantFrom(0, 1, 50_000, 88_750, 190_000, 333_333, 1_000_000)),
    }),
    { minLength: 1, maxLength: 6 },
  );
  const promotion = fc.oneof(
    fc.record({
      kind: fc.constant('PERCENTAGE' as const),
      value: fc.integer({ min: 1, max: 1_000_000 }),
      maximumDiscount: fc.option(fc.integer({ min: 1, max: 10_000 })),
    }),
    fc.record({ kind: fc.constant('FIXED' as const), value: fc.integer({ min: 1, max: 20_000 }) }),
    fc.constant({ kind: 'FREE_DELIVERY' as const, value: 0 }),
  );
  const scenario = fc.record({
    basket,
    promotion: fc.option(promotion),
    fee: fc.nat({ max: 2000 }),
    ratePpm: fc.constantFrom(0, 70_000, 88_750, 200_000),
    deliveryPpm: fc.constantFrom(0, 88_750, 190_000),
    inclusive: fc.boolean(),
    isGuest: fc.boolean(),
    hasSlot: fc.boolean(),
  });

  async function stage(s: typeof scenario extends fc.Arbitrary<infer T> ? T : never): Promise<TestCart> {
    await shop.larder.sql.query(
      `UPDATE stores
          SET delivery_fee = $2, tax_rate_ppm = $3, delivery_tax_ppm = $4, tax_inclusive = $5
        WHERE id = $1`,
      [shop.store.id, s.fee, s.ratePpm, s.deliveryPpm, s.inclusive],
    );
    const cart = await openCart(shop, [], s.isGuest ? undefined : await shop.make.user(shop.store));
    const made = s.basket.map((line) => ({ ...line, variant: newId(), product: newId(), category: newId() }));
    await shop.larder.sql.query(
      `WITH line AS (
         SELECT * FROM jsonb_to_recordset($3)
           AS l (variant uuid, product uuid, category uuid, price bigint, quantity int, "ratePpm" int)
       ), categorised AS (
         INSERT INTO categories (store_id, id, slug, name, tax_rate_ppm)
         SELECT $1, category, 'c-' || category, 'x', "ratePpm" FROM line WHERE "ratePpm" IS NOT NULL
       ), produced AS (
         INSERT INTO products (store_id, id, slug, name, category_id, published, updated_at)
         SELECT $1, product, 'p-' || product, 'x', CASE WHEN "ratePpm" IS NOT NULL THEN category END, true, now() FROM line
       ), varied AS (
         INSERT INTO variants (store_id, id, product_id, sku, price, currency)
         SELECT $1, variant, product, 'S-' || variant, price, 'USD' FROM line
       ), stocked AS (
         INSERT INTO stock_levels (store_id, variant_id, on_hand) SELECT $1, variant, quantity FROM line
       ), moved AS (
         INSERT INTO stock_movements (store_id, variant_id, delta, reason) SELECT $1, variant, quantity, 'RECEIPT' FROM line
       )
       INSERT INTO cart_lines (store_id, cart_id, variant_id, quantity) SELECT $1, $2, variant, quantity FROM line`,
      [shop.store.id, cart.id, JSON.stringify(made)],
    );
    return cart;
  }

  const charged = ({
    lines,
    subtotal,
    discount,
    deliveryFee,
    tax,
    taxInclusive,
    total,
  }: QuoteResponse | OrderResponse) => ({
    lines: lines.map((line) => ({
      variantId: line.variantId,
      quantity: line.quantity,
      unitPrice: line.unitPrice,
      total: line.total,
      discount: line.discount,
      tax: line.tax,
      taxRatePpm: line.taxRatePpm,
    })),
    ...{ subtotal, discount, deliveryFee, tax, taxInclusive, total },
  });

  it(`is what the order then costs, to the cent of every line: ${RUNS} shops, carts, coupons and taxes`, async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (s) => {
        const cart = await stage(s);
        const couponCode = s.promotion ? await coupon(s.promotion) : undefined;
        const slotId = s.hasSlot ? await slot() : undefined;
        const quoted = quoteOf(await quote(shop, cart, { zip: ZIP, couponCode, slotId, paymentMethod: 'COD' }));
        expect(quoted.problems).toEqual([]);
        const order = await checkout(shop, cart, { couponCode, slotId, quote: quoted.quote });
        expect([order.status, order.text]).toEqual([201, order.text]);
        expect(charged(quoted)).toEqual(charged(JSON.parse(order.text) as OrderResponse));
      }),
      { numRuns: RUNS },
    );
    await shop.larder.sql.query(
      'UPDATE stores SET delivery_fee = 300, tax_rate_ppm = 0, delivery_tax_ppm = 0, tax_inclusive = false WHERE id = $1',
      [shop.store.id],
    );
  });

  it('books no place, uses no coupon, reserves no stock and waits for nobody who does', async () => {
    const limited = {
      couponCode: await coupon({ usageLimit: 1, customerLimit: 1 }),
      slotId: await slot({ capacity: 1 }),
    };
    const cart = await cartWith(1, customer);
    const before = await shop.row(
      `SELECT (SELECT sum(booked) FROM delivery_slots) AS booked, (SELECT sum(used) FROM coupon_uses) AS used,
              (SELECT count(*) FROM coupon_uses) AS uses, (SELECT reserved FROM stock_levels WHERE variant_id = $1) AS reserved`,
      [tea],
    );
    const other = await shop.larder.sql.connect();
    await other.query('BEGIN');
    for (const table of ['delivery_slots', 'coupons', 'stock_levels']) {
      await other.query(`SELECT 1 FROM ${table} FOR UPDATE`);
    }
    const replies = await Promise.all(Array.from({ length: 5 }, () => quote(shop, cart, { ...limited, zip: ZIP })));
    await other.query('ROLLBACK');
    other.release();
    expect(tally(replies)).toEqual({ 200: 5 });
    for (const reply of replies) expect(quoteOf(reply)).toMatchObject({ problems: [], total: USD(700) });
    const after = await shop.row(
      `SELECT (SELECT sum(booked) FROM delivery_slots) AS booked, (SELECT sum(used) FROM coupon_uses) AS used,
              (SELECT count(*) FROM coupon_uses) AS uses, (SELECT reserved FROM stock_levels WHERE variant_id = $1) AS reserved`,
      [tea],
    );
    expect(after).toEqual(before);
  });
});

describe('what an order would be refused for', () => {
  const lonely = (columns: Parameters<Shop['make']['variant']>[1]) => shop.make.variant(shop.store, columns);
  /** Takes from the shelf what somebody has in his cart. */
  const unpublish = (variantId: string) =>
    shop.larder.sql.query(
      'UPDATE products SET published = false WHERE id = (SELECT product_id FROM variants WHERE id = $1)',
      [variantId],
    );
  const usedUp = async (columns: CouponColumns) => {
    const couponCode = await coupon(columns);
    expect((await checkout(shop, await cartWith(1, customer), { couponCode })).status).toBe(201);
    return { couponCode };
  };
  const oneOf = (variantId: string, { gone = false } = {}) => ({
    lines: [{ variantId, quantity: 3 }],
    gone: gone ? variantId : undefined,
  });
  /** Ten lines of as much as there can be, at the highest price: 10^16. */
  const fortune = async (): Promise<Line[]> => {
    const variants = Array.from({ length: 10 }, () => lonely({ price: 10_000_000_000, onHand: 100_000 }));
    return (await Promise.all(variants)).map((variantId) => ({ variantId, quantity: 100_000 }));
  };
  const full = async () => {
    const slotId = await slot({ capacity: 1 });
    expect((await checkout(shop, await cartWith(1), { slotId })).status).toBe(201);
    return { slotId };
  };

  const refusals: [string, () => Promise<{ lines?: Line[]; gone?: string; wanted?: object }>][] = [
    ['PRODUCT_UNAVAILABLE', async () => oneOf(await lonely({}), { gone: true })],
    ['INSUFFICIENT_STOCK', async () => oneOf(await lonely({ onHand: 2 }))],
    ['ZIP_NOT_SERVED', () => Promise.resolve({ wanted: { zip: '99999' } })],
    ['PAYMENT_METHOD_NOT_SUPPORTED', () => Promise.resolve({ wanted: { paymentMethod: 'WALLET', isGuest: true } })],
    ['INSUFFICIENT_FUNDS', () => Promise.resolve({ wanted: { paymentMethod: 'WALLET' } })],
    ['SLOT_INVALID', () => Promise.resolve({ wanted: { slotId: newId() } })],
    ['SLOT_CLOSED', async () => ({ wanted: { slotId: await slot({ closed: true }) } })],
    ['SLOT_CLOSED', async () => ({ wanted: { slotId: await slot({ cutoff: '-1 second' }) } })],
    ['SLOT_FULL', async () => ({ wanted: await full() })],
    ['COUPON_INVALID', () => Promise.resolve({ wanted: { couponCode: 'NO-SUCH-CODE' } })],
    ['COUPON_MINIMUM_NOT_MET', async () => ({ wanted: { couponCode: await coupon({ minimum: 100_000 }) } })],
    ['COUPON_USED_UP', async () => ({ wanted: await usedUp({ usageLimit: 1 }) })],
    ['COUPON_USED_BY_CUSTOMER', async () => ({ wanted: await usedUp({ customerLimit: 1 }) })],
    ['ORDER_TOTAL_TOO_LARGE', async () => ({ lines: await fortune() })],
  ];

  it.each(refusals)('is told by the quote with the code and details of the order: %s', async (code, prepare) => {
    const { lines = [{ variantId: tea, quantity: 3 }], gone, wanted = {} } = await prepare();
    const { isGuest, zip = ZIP, ...fields } = wanted as { isGuest?: boolean; zip?: string };
    const cart = await openCart(shop, lines, isGuest ? undefined : customer);
    if (gone) await unpublish(gone);
    const quoted = quoteOf(await quote(shop, cart, { zip, ...fields }));
    expect([quoted.problems.map((problem) => problem.code), quoted.quote, quoted.expiresAt]).toEqual([
      [code],
      null,
      null,
    ]);
    const address = { name: 'Ada', phone: '1', line1: '1 Main Street', city: 'New York', zip };
    const refused = await checkout(shop, cart, { ...fields, deliveryAddress: address });
    expect(refused.body.code).toBe(code);
    // A refusal that has nothing more to say than its code has no details.
    const [problem] = quoted.problems;
    expect(Object.keys(problem ?? {}).length === 1 ? [] : [problem]).toEqual(refused.body.details);
    await shop.larder.sql.query('DELETE FROM cart_lines WHERE cart_id = $1', [cart.id]);
  });

  it('is told all at once, with the amounts of what is left', async () => {
    const [gone, scarce] = [await lonely({}), await lonely({ price: 100, onHand: 1 })];
    const lines = [tea, gone, scarce].map((variantId) => ({ variantId, quantity: 2 }));
    const cart = await openCart(shop, lines);
    await unpublish(gone);
    const wanted = { zip: '99999', couponCode: 'NO-SUCH-CODE', slotId: newId(), paymentMethod: 'WALLET' };
    const quoted = quoteOf(await quote(shop, cart, wanted));
    expect(quoted.problems.map(({ code }) => code).sort()).toEqual([
      'COUPON_INVALID',
      'INSUFFICIENT_STOCK',
      'PAYMENT_METHOD_NOT_SUPPORTED',
      'PRODUCT_UNAVAILABLE',
      'SLOT_INVALID',
      'ZIP_NOT_SERVED',
    ]);
    expect(quoted).toMatchObject({ subtotal: USD(1200), total: USD(1500), couponCode: null, slot: null, quote: null });
    expect(quoted.lines.map(({ variantId }) => variantId)).toEqual([tea, scarce]);
  });

  it('is nothing to be priced when nothing in the cart is sold any more', async () => {
    const gone = await lonely({});
    const cart = await openCart(shop, [{ variantId: gone, quantity: 1 }]);
    await unpublish(gone);
    expect(quoteOf(await quote(shop, cart))).toMatchObject({
      lines: [],
      subtotal: null,
      total: null,
      quote: null,
    });
  });

  it('is a limit per customer for a guest too, when he says who he is', async () => {
    const couponCode = await coupon({ customerLimit: 1 });
    const email = 'Regular@larder.test';
    expect((await checkout(shop, await cartWith(1), { couponCode, email })).status).toBe(201);
    const cart = await cartWith(1);
    const said = quoteOf(await quote(shop, cart, { couponCode, email: 'regular@larder.test' }));
    expect(said.problems).toEqual([{ code: 'COUPON_USED_BY_CUSTOMER' }]);
    expect(quoteOf(await quote(shop, cart, { couponCode })).problems).toEqual([]);
  });

  it('is an error when there is no cart to be quoted', async () => {
    const ordered = await cartWith(1);
    const order = await checkout(shop, ordered);
    const closed = await quote(shop, ordered);
    expect([closed.body.code, closed.body.details]).toEqual([
      'CART_CLOSED',
      [{ code: 'CART_CLOSED', orderId: order.body.id }],
    ]);
    const foreign = { ...(await cartWith(1)), owner: ordered.owner };
    expect(tally([await quote(shop, await openCart(shop)), await quote(shop, foreign)])).toEqual({
      '409 CART_EMPTY': 1,
      '404 NOT_FOUND': 1,
    });
  });
});
