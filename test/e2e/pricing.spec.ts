import fc from 'fast-check';
import pg from 'pg';
import { splitByLargestRemainder } from '../../src/common/money.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { Factory, type TestStore } from '../support/factories.js';

/** What price_order() answers, and the rules of docs/pricing.md worked out a second time, in whole numbers. */
interface Priced {
  discounts: number[] | null;
  taxes: number[] | null;
  totals: number[];
  subtotal: number;
  discount: number;
  delivery_discount: number;
  delivery_tax: number;
  tax: number;
  total: number;
}

const RATES = [0, 1, 70_000, 88_750, 190_000, 1_000_000];
const PRICES = [0, 1, 3, 99, 333, 1999, 10_000_000_000];

let database: TestDatabase;
let sql: pg.Pool;
let store: TestStore;
/** By price and rate. */
const variants = new Map<string, string>();

beforeAll(async () => {
  database = await createTestDatabase();
  sql = new pg.Pool({ connectionString: database.url, max: 1 });
  const make = new Factory(sql);
  store = await make.store();
  for (const rate of RATES) {
    const { rows } = await sql.query<{ id: string }>(
      `INSERT INTO categories (store_id, id, slug, name, tax_rate_ppm) VALUES ($1, uuid_v7(), $2, $2, $3) RETURNING id`,
      [store.id, `rate-${rate}`, rate],
    );
    for (const price of PRICES) {
      const variant = await make.variant(store, { price });
      await sql.query(
        'UPDATE products SET category_id = $2 WHERE id = (SELECT product_id FROM variants WHERE id = $1)',
        [variant, rows[0]!.id],
      );
      variants.set(`${price}/${rate}`, variant);
    }
  }
});

afterAll(async () => {
  await sql.end();
  await database.drop();
});

const baskets = fc.record({
  lines: fc.array(
    fc.record({
      price: fc.constantFrom(...PRICES),
      rate: fc.constantFrom(...RATES),
      quantity: fc.integer({ min: 1, max: 7 }),
    }),
    { minLength: 1, maxLength: 8 },
  ),
  inclusive: fc.boolean(),
  fee: fc.constantFrom(0, 1, 399, 500),
  deliveryRate: fc.constantFrom(...RATES),
  coupon: fc.oneof(
    fc.constant(null),
    fc.record({
      kind: fc.constant('PERCENTAGE'),
      value: fc.integer({ min: 1, max: 1_000_000 }),
      maximum_discount: fc.option(fc.integer({ min: 1, max: 5000 })),
    }),
    fc.record({ kind: fc.constant('FIXED'), value: fc.integer({ min: 1, max: 100_000 }) }),
    fc.constant({ kind: 'FREE_DELIVERY', value: 0 }),
  ),
});
type Basket = typeof baskets extends fc.Arbitrary<infer T> ? T : never;

async function priced({ lines, inclusive, fee, deliveryRate, coupon }: Basket): Promise<Priced> {
  const { rows } = await sql.query<{ priced: Priced }>(
    `SELECT to_jsonb(p) AS priced
       FROM stores s
      CROSS JOIN LATERAL price_order(
        jsonb_populate_record(s, $2), $3::uuid[], $4::int[],
        CASE WHEN $5::jsonb IS NOT NULL THEN jsonb_populate_record(NULL::coupons, $5) END
      ) p
      WHERE s.id = $1`,
    [
      store.id,
      { tax_inclusive: inclusive, delivery_fee: fee, delivery_tax_ppm: deliveryRate },
      lines.map(({ price, rate }) => variants.get(`${price}/${rate}`)),
      lines.map(({ quantity }) => quantity),
      coupon && { ...coupon, id: store.id, store_id: store.id },
    ],
  );
  return rows[0]!.priced;
}

/** Half up, in whole numbers. */
function share(amount: number, numerator: number, denominator: number): number {
  const doubled = 2n * BigInt(amount) * BigInt(numerator) + BigInt(denominator);
  return Number(doubled / (2n * BigInt(denominator)));
}

function taxOf(amount: number, rate: number, inclusive: boolean): number {
  return share(amount, rate, 1_000_000 + (inclusive ? rate : 0));
}

function goodsDiscount({ coupon }: Basket, subtotal: number): number {
  if (coupon?.kind === 'FIXED') return Math.min(coupon.value, subtotal);
  if (coupon?.kind !== 'PERCENTAGE') return 0;
  const maximum = 'maximum_discount' in coupon ? coupon.maximum_discount : null;
  return Math.min(share(subtotal, coupon.value, 1_000_000), maximum ?? Infinity);
}

const sum = (amounts: readonly number[]): number => amounts.reduce((total, amount) => total + amount, 0);

it('is what the rules say, to the cent, and the lines and the delivery add up to the total', async () => {
  await fc.assert(
    fc.asyncProperty(baskets, async (basket) => {
      const { lines, inclusive, fee, deliveryRate, coupon } = basket;
      const found = await priced(basket);
      const totals = lines.map(({ price, quantity }) => price * quantity);
      const subtotal = sum(totals);
      const discount = goodsDiscount(basket, subtotal);
      const discounts = discount === 0 ? totals.map(() => 0) : splitByLargestRemainder(discount, totals);
      const taxes = lines.map(({ rate }, index) => taxOf(totals[index]! - discounts[index]!, rate, inclusive));
      const freed = coupon?.kind === 'FREE_DELIVERY' ? fee : 0;
      const deliveryTax = taxOf(fee - freed, deliveryRate, inclusive);

      expect(found.totals).toEqual(totals);
      expect(found.discounts ?? totals.map(() => 0)).toEqual(discounts);
      expect(found.taxes ?? totals.map(() => 0)).toEqual(taxes);
      expect([found.subtotal, found.discount, found.delivery_discount, found.delivery_tax]).toEqual([
        subtotal,
        discount + freed,
        freed,
        deliveryTax,
      ]);
      expect(found.tax).toBe(sum(taxes) + deliveryTax);
      const charged = totals.map((total, index) => total - discounts[index]! + (inclusive ? 0 : taxes[index]!));
      expect(found.total).toBe(sum(charged) + fee - freed + (inclusive ? 0 : deliveryTax));
      // Nothing is given away, and no tax is more than what it is contained in.
      expect(discounts.every((part, index) => part >= 0 && part <= totals[index]!)).toBe(true);
      if (inclusive) expect(taxes.every((tax, index) => tax <= totals[index]! - discounts[index]!)).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

it('splits an amount in SQL as in TypeScript', async () => {
  const cases = fc.sample(
    fc.record({
      amount: fc.integer({ min: 0, max: 1_000_000 }),
      weights: fc
        .array(fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 10 ** 12 })), {
          minLength: 1,
          maxLength: 9,
        })
        .filter((weights) => weights.some((weight) => weight > 0)),
    }),
    2000,
  );
  const { rows } = await sql.query<{ parts: number[] }>(
    `SELECT split_by_largest_remainder(
              (c.value ->> 'amount')::bigint,
              ARRAY(SELECT w::bigint FROM jsonb_array_elements_text(c.value -> 'weights') WITH ORDINALITY AS x (w, n) ORDER BY n)
            ) AS parts
       FROM jsonb_array_elements($1) WITH ORDINALITY AS c (value, n)
      ORDER BY c.n`,
    [JSON.stringify(cases)],
  );
  expect(rows.map(({ parts }) => parts.map(Number))).toEqual(
    cases.map(({ amount, weights }) => splitByLargestRemainder(amount, weights)),
  );
});
