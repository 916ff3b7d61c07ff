import fc from 'fast-check';
import { freshKey, type TestUser } from '../support/factories.js';
import { orderOf, Shop } from '../support/shop.js';
import { verify } from '../support/verify.js';
import { Refunds } from './refunds.scene.js';

let shop: Shop;
let refunds: Refunds;
let customer: TestUser;
let shelf: string[];

beforeAll(async () => {
  shop = await Shop.open({ deliveryFee: 299 });
  refunds = new Refunds(shop);
  customer = await shop.make.user(shop.store);
  await shop.make.topUp(shop.store, customer, 1_000_000_000);
  shelf = [];
  for (const price of [1, 3, 7, 99, 1001]) {
    shelf.push(await shop.make.variant(shop.store, { price, onHand: 1_000_000 }));
  }
  await shop.larder.sql.query('UPDATE stores SET refund_approval_threshold = 1000000000');
});
afterAll(() => shop.close());

interface Sale {
  lines: { variant: number; quantity: number }[];
  inclusive: boolean;
  taxPpm: number;
  discountPpm: number;
}

type Step =
  | { do: 'pieces'; line: number; quantity: number }
  | { do: 'amount'; share: number }
  | { do: 'answer'; refund: number; how: 'succeeded' | 'failed' };

const sales: fc.Arbitrary<Sale> = fc.record({
  lines: fc.array(fc.record({ variant: fc.nat(4), quantity: fc.integer({ min: 1, max: 9 }) }), {
    minLength: 1,
    maxLength: 4,
  }),
  inclusive: fc.boolean(),
  taxPpm: fc.constantFrom(0, 70_000, 88_750, 333_333),
  discountPpm: fc.constantFrom(0, 0, 100_000, 333_333, 666_667, 990_000),
});

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('pieces' as const),
        line: fc.nat(3),
        quantity: fc.integer({ min: 1, max: 4 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('amount' as const), share: fc.integer({ min: 1, max: 30 }) }) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('answer' as const),
        refund: fc.nat(30),
        how: fc.constantFrom('succeeded' as const, 'failed' as const),
      }),
    },
  ),
  { maxLength: 24 },
);

/** Two pieces asked back after a third of the money was: more than is left of it, which random steps seldom ask for. */
const TOO_MUCH: [Sale, Step[]] = [
  { lines: [{ variant: 4, quantity: 2 }], inclusive: true, taxPpm: 0, discountPpm: 0 },
  [
    { do: 'amount', share: 30 },
    { do: 'pieces', line: 0, quantity: 2 },
  ],
];

/** A shipped order paid by card, so that refunds wait for an answer that may be no. */
async function sold({ lines, inclusive, taxPpm, discountPpm }: Sale): Promise<{ id: string; total: number }> {
  const { sql } = shop.larder;
  await sql.query('UPDATE stores SET tax_inclusive = $1, tax_rate_ppm = $2, delivery_tax_ppm = $2', [
    inclusive,
    taxPpm,
  ]);
  const couponCode = `C${freshKey().slice(-12).toUpperCase()}`;
  await sql.query(
    `INSERT INTO coupons (store_id, id, code, kind, value) VALUES ($1, uuid_v7(), $2, 'PERCENTAGE', $3)`,
    [shop.store.id, couponCode, Math.max(1, discountPpm)],
  );
  const wanted = lines.map(({ variant, quantity }) => ({ variantId: shelf[variant]!, quantity }));
  const body = orderOf(wanted, { paymentMethod: 'WALLET', ...(discountPpm ? { couponCode } : {}) });
  const { body: order } = await shop.ask('post', '/api/orders', customer, { key: freshKey(), body }).expect(201);
  await refunds.step(order.id, 'SHIPPING');
  await refunds.paidByCard(order.id);
  return { id: order.id, total: order.total.amount };
}

/** Asks in SQL, as the service does. @returns the refund, or the code of the refusal */
async function ask(orderId: string, amount: number | null, line?: { variantId: string; quantity: number }) {
  return shop.row<{ outcome: string; id: string | null }>(
    `SELECT outcome, response ->> 'id' AS id
       FROM request_refund($1, $2, $3, 'USD', $4, $5, $6, 'ORIGINAL', 'x', $7, 'r', $8, 'f')`,
    [
      shop.store.id,
      orderId,
      amount,
      line ? [line.variantId] : null,
      line ? [line.quantity] : null,
      line ? ['RESTOCK'] : null,
      shop.manager.id,
      freshKey(),
    ],
  );
}

/** Lines that gave back more than was paid for them, or, all pieces refunded, not all of it. */
async function linesThatDoNotAddUp(): Promise<object[]> {
  const { rows } = await shop.larder.sql.query<object>(
    `SELECT l.order_id, l.line_no, l.quantity, l.refunded_quantity, l.discount, l.tax, given.*
       FROM order_lines l
       JOIN orders o ON o.id = l.order_id
      CROSS JOIN LATERAL (
        SELECT coalesce(sum(g.discount), 0) AS discount, coalesce(sum(g.tax), 0) AS tax, coalesce(sum(g.amount), 0) AS amount,
               coalesce(min(g.amount), 0) AS least
          FROM refund_lines g
          JOIN refunds r ON r.id = g.refund_id
         WHERE g.order_id = l.order_id AND g.line_no = l.line_no AND r.status NOT IN ('FAILED', 'REJECTED')
      ) given (given_discount, given_tax, given_amount, least)
      CROSS JOIN LATERAL (SELECT l.total - l.discount + CASE WHEN o.tax_inclusive THEN 0 ELSE l.tax END AS paid) net
      WHERE given.least < 0 OR given_discount > l.discount OR given_tax > l.tax OR given_amount > net.paid
         OR (l.refunded_quantity = l.quantity AND (given_discount, given_tax, given_amount) <> (l.discount, l.tax, net.paid))`,
  );
  return rows;
}

it('pieces add up to their lines, and everything to the sale, whatever was asked for, refused and asked for again', async () => {
  const met: Record<string, number> = {};
  const play = async (sale: Sale, todo: Step[]): Promise<void> => {
    const { id, total } = await sold(sale);
    const waiting: string[] = [];
    const request = async (...wish: [number | null, { variantId: string; quantity: number }?]) => {
      const { outcome, id: refund } = await ask(id, ...wish);
      met[outcome] = (met[outcome] ?? 0) + 1;
      if (outcome === 'REFUNDED' && refund) waiting.push(refund);
      return outcome;
    };
    const piecesOf = (line: { variant: number }, quantity: number) => ({ variantId: shelf[line.variant]!, quantity });
    for (const step of todo) {
      if (step.do === 'pieces')
        await request(null, piecesOf(sale.lines[step.line % sale.lines.length]!, step.quantity));
      if (step.do === 'amount') await request(Math.max(1, Math.floor((total * step.share) / 100)));
      if (step.do === 'answer' && waiting.length > 0) {
        const [refund] = waiting.splice(step.refund % waiting.length, 1);
        await refunds.answered(step.how, refund!);
      }
    }
    for (const refund of waiting.splice(0)) await refunds.answered('succeeded', refund);
    // Piece by piece until none or no money is left; then what is left, as the delivery fee.
    for (const line of sale.lines) {
      while ((await request(null, piecesOf(line, 1))) === 'REFUNDED')
        await refunds.answered('succeeded', waiting.pop()!);
    }
    if ((await request(null)) === 'REFUNDED') await refunds.answered('succeeded', waiting.pop()!);
    expect(await refunds.payment(id)).toEqual({ status: 'REFUNDED', captured: total, refunded: total, refunding: 0 });
    const { SALES, DELIVERY_FEES, PROMOTIONS, TAXES } = await refunds.booked(id);
    expect({ SALES, DELIVERY_FEES, PROMOTIONS, TAXES }).toEqual({});
  };
  await fc.assert(fc.asyncProperty(sales, steps, play), { numRuns: 40, examples: [TOO_MUCH] });
  await verify(shop.larder.sql);
  expect(await linesThatDoNotAddUp()).toEqual([]);
  expect(Object.keys(met)).toEqual(
    expect.arrayContaining(['REFUNDED', 'REFUND_EXCEEDS_LINES', 'REFUND_EXCEEDS_CAPTURE', 'NOTHING_TO_REFUND']),
  );
});

it('an amount is split over what is left, each part within a cent of its share', async () => {
  const weights = fc
    .tuple(fc.nat(5000), fc.integer({ min: -9000, max: 0 }), fc.integer({ min: 9000, max: 90_000 }), fc.nat(8000))
    .chain((parts) => fc.tuple(fc.constant(parts), fc.nat(parts.reduce((sum, part) => sum + part, 0))));
  await fc.assert(
    fc.asyncProperty(weights, async ([parts, amount]) => {
      const { split } = await shop.row<{ split: string[] }>('SELECT split_over_sale($1, $2) AS split', [amount, parts]);
      const total = parts.reduce((sum, part) => sum + part, 0);
      const given = split.map(Number);
      expect(given.reduce((sum, part) => sum + part, 0)).toBe(amount);
      given.forEach((part, index) => expect(Math.abs(part - (amount * parts[index]!) / total)).toBeLessThan(1));
    }),
    { numRuns: 200 },
  );
});
