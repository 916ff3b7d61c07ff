import fc from 'fast-check';
import { newId } from '../../src/common/ids.js';
import { runInContext } from '../../src/common/request-context.js';
import { FoldDays } from '../../src/modules/dashboard/fold-days.js';
import { CacheInvalidation } from '../../src/platform/cache/invalidation/cache-invalidation.js';
import { CACHE_CATEGORIES } from '../../src/platform/cache/invalidation/tags.js';
import { type TestStore, type TestUser, tokenFor } from '../support/factories.js';
import type { Shop } from '../support/shop.js';

/** Zones, each with a moment at which something odd happens to its midnight or its day. */
export const ZONES = [
  { zone: 'Europe/Berlin', around: '2026-03-29T01:00:00Z', what: 'a day of 23 hours' },
  { zone: 'Europe/Berlin', around: '2025-10-26T01:00:00Z', what: 'a day of 25 hours' },
  { zone: 'America/New_York', around: '2026-03-08T07:00:00Z', what: 'a day of 23 hours' },
  { zone: 'America/New_York', around: '2025-11-02T06:00:00Z', what: 'a day of 25 hours' },
  { zone: 'Asia/Kathmandu', around: '2026-01-31T18:15:00Z', what: 'midnight at a quarter past' },
  { zone: 'Africa/Cairo', around: '2026-04-23T22:00:00Z', what: 'a midnight that is skipped' },
  { zone: 'America/Havana', around: '2025-11-02T05:00:00Z', what: 'a midnight that comes twice' },
] as const;

const QUARTER_MS = 900_000;
/** Two days to either side. */
const QUARTERS = 192;
export const AGENTS = 3;
export const VARIANTS = 4;
export const ZIPS = ['10001', '10002', '10003'];

/** Often a millisecond before midnight, or at it. */
const moments = fc.record({
  quarter: fc.integer({ min: -QUARTERS, max: QUARTERS }),
  ms: fc.constantFrom(-1, 0, 0, 1, 431_123),
});
export type Moment = { quarter: number; ms: number };
export const at = (around: string, { quarter, ms }: Moment): Date =>
  new Date(Date.parse(around) + quarter * QUARTER_MS + ms);

export const STATUSES = [
  'PENDING',
  'CONFIRMED',
  'PREPARING',
  'SHIPPING',
  'DELIVERED',
  'DELIVERED',
  'DELIVERED',
  'CANCELLED',
  'RETURNED',
  'EXPIRED',
];

export interface DrawnOrder {
  placed: Moment;
  status: string;
  method: string;
  deliveryFee: number;
  lines: { variant: number; quantity: number; price: number; discount: number }[];
  refundedShare: number;
  refunds: { asked: Moment; share: number; status: string; destination: string; reason: string }[];
  attempts: {
    agent: number;
    zip: number;
    status: 'DELIVERED' | 'FAILED' | 'REJECTED';
    minutes: [number, number, number];
    promised: number;
    pickedUp: boolean;
    fee: number;
  }[];
}

const drawnOrder: fc.Arbitrary<DrawnOrder> = fc.record({
  placed: moments,
  status: fc.constantFrom(...STATUSES),
  method: fc.constantFrom('COD', 'WALLET', 'CARD'),
  deliveryFee: fc.integer({ min: 0, max: 500 }),
  lines: fc.array(
    fc.record({
      variant: fc.integer({ min: 0, max: VARIANTS - 1 }),
      quantity: fc.integer({ min: 1, max: 5 }),
      price: fc.integer({ min: 1, max: 9999 }),
      discount: fc.integer({ min: 0, max: 1 }),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  refundedShare: fc.constantFrom(0, 0, 0, 0.3, 1),
  refunds: fc.array(
    fc.record({
      asked: moments,
      share: fc.constantFrom(0.1, 0.25, 0.5),
      status: fc.constantFrom('REQUESTED', 'SUCCEEDED', 'SUCCEEDED', 'REJECTED', 'FAILED'),
      destination: fc.constantFrom('ORIGINAL', 'WALLET'),
      reason: fc.constantFrom('broken', 'late', 'not what I ordered'),
    }),
    { maxLength: 1 },
  ),
  attempts: fc.array(
    fc.record({
      agent: fc.integer({ min: 0, max: AGENTS - 1 }),
      zip: fc.integer({ min: 0, max: ZIPS.length - 1 }),
      status: fc.constantFrom('DELIVERED' as const, 'DELIVERED' as const, 'FAILED' as const, 'REJECTED' as const),
      minutes: fc.tuple(...[60, 30, 90].map((max) => fc.integer({ min: 0, max: max * 4 }))) as fc.Arbitrary<
        [number, number, number]
      >,
      promised: fc.integer({ min: 10, max: 700 }),
      pickedUp: fc.boolean(),
      fee: fc.constantFrom(0, 250, 375),
    }),
    { maxLength: 2 },
  ),
});
export const histories = fc.array(drawnOrder, { minLength: 12, maxLength: 25 });

/** A store in a zone, with agents and goods, whose orders are rows as they are drawn: no code that is tested wrote them. */
export class DashboardScene {
  private constructor(
    readonly shop: Shop,
    readonly store: TestStore,
    readonly manager: TestUser,
    readonly agents: TestUser[],
    readonly variants: string[],
    readonly around: string,
  ) {}

  static async open(shop: Shop, zone: string, around: string): Promise<DashboardScene> {
    const store = await shop.make.store(`s-${newId()}`);
    await shop.larder.sql.query('UPDATE stores SET timezone = $2 WHERE id = $1', [store.id, zone]);
    const agents: TestUser[] = [];
    for (let i = 0; i < AGENTS; i++) agents.push(await shop.make.agent(store));
    const variants: string[] = [];
    for (let i = 0; i < VARIANTS; i++) variants.push(await shop.make.variant(store));
    const manager = { ...agents[0]!, bearer: `Bearer ${await tokenFor(store, newId(), ['MANAGER'])}` };
    return new DashboardScene(shop, store, manager, agents, variants, around);
  }

  /** An answer with no cache before it, without the moment that it was made at. */
  async read(name: string, query = ''): Promise<object> {
    await this.inStore(() => {
      this.shop.larder.app.get(CacheInvalidation).invalidateNow(...CACHE_CATEGORIES.map((one) => `${one}:*` as const));
      return Promise.resolve();
    });
    const { body } = await this.shop.ask('get', `/api/dashboard/${name}${query}`, this.manager).expect(200);
    const { generatedAt, ...figures } = body as { generatedAt: string };
    if (!generatedAt) throw new Error(`${name} does not say how old it is`);
    return figures;
  }

  /** Again when it gave up: after ten seconds of waiting for who writes, in the database of another test, too. */
  async fold(): Promise<void> {
    const started = performance.now();
    await this.shop.larder.app.get(FoldDays).foldAll();
    if (performance.now() - started >= 10_000) await this.fold();
  }

  /** Folds one day, whenever it was. */
  async foldDay(day: string): Promise<void> {
    const client = await this.shop.larder.sql.connect();
    try {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
      await client.query('SELECT fold_day($1, $2)', [this.store.id, day]);
      await client.query('COMMIT');
    } finally {
      client.release();
    }
  }

  inStore<T>(run: () => Promise<T>): Promise<T> {
    return runInContext({ requestId: 'test', storeId: this.store.id }, run);
  }

  async rows<T extends object>(table: string): Promise<T[]> {
    return (await this.shop.larder.sql.query<T>(`SELECT * FROM ${table} WHERE store_id = $1`, [this.store.id])).rows;
  }

  /** As an import writes. */
  async write(orders: DrawnOrder[]): Promise<void> {
    const rows = orders.map((drawn) => this.rowsOf(drawn));
    await this.insert(
      'orders',
      rows.map(({ order }) => order),
    );
    await this.insert(
      'order_lines',
      rows.flatMap(({ lines }) => lines),
    );
    await this.insert(
      'payments',
      rows.map(({ payment }) => payment),
    );
    await this.insert(
      'refunds',
      rows.flatMap(({ refunds }) => refunds),
    );
    const attempts = rows.flatMap(({ attempts }) => attempts);
    await this.insert(
      'shipping_assignments',
      attempts.map(({ row }) => row),
    );
    const times = [...rows.map(({ order }) => order.placed_at), ...attempts.map(({ row }) => row.closed_at)];
    await this.shop.larder.sql.query('SELECT unfold_days($1, $2)', [this.store.id, times]);
    for (const { row, fee } of attempts.filter(({ row, fee }) => row.status === 'DELIVERED' && fee > 0)) {
      await this.shop.larder.sql.query(
        `SELECT ledger_post($1, 'AGENT_FEE', $2, NULL, NULL, 'USD',
           ARRAY[wallet_of($1, 'AGENT_EARNINGS', $3, 'USD'), wallet_of($1, 'DELIVERY_FEES', $1, 'USD')],
           ARRAY[$4::bigint, -$4::bigint])`,
        [this.store.id, row.id, row.agent_id, fee],
      );
    }
  }

  private rowsOf(drawn: DrawnOrder) {
    const id = newId();
    const own = { store_id: this.store.id };
    const placed = at(this.around, drawn.placed);
    const lines = drawn.lines.map(({ variant, quantity, price, discount }, index) => ({
      ...own,
      order_id: id,
      line_no: index + 1,
      variant_id: this.variants[variant],
      sku: 'SKU',
      name: 'Thing',
      quantity,
      unit_price: price,
      total: price * quantity,
      discount,
      tax: 0,
      tax_rate_ppm: 0,
      refunded_quantity: 0,
    }));
    const subtotal = lines.reduce((sum, line) => sum + line.total, 0);
    const discount = lines.reduce((sum, line) => sum + line.discount, 0);
    const total = subtotal - discount + drawn.deliveryFee;
    const order = {
      ...own,
      id,
      number: id.slice(-12),
      guest_email: 'guest@larder.test',
      status: drawn.status,
      version: 1,
      payment_method: drawn.method,
      currency: 'USD',
      subtotal,
      discount,
      delivery_fee: drawn.deliveryFee,
      delivery_discount: 0,
      tax: 0,
      delivery_tax: 0,
      tax_inclusive: false,
      total,
      delivery_address: {},
      delivery_zip: ZIPS[0],
      delivery_code: '123456',
      promised_at: placed,
      expires_at: placed,
      placed_at: placed,
      updated_at: placed,
    };
    const payment = {
      ...own,
      id: newId(),
      order_id: id,
      method: drawn.method,
      status: 'CAPTURED',
      currency: 'USD',
      amount: total,
      authorized_amount: 0,
      captured_amount: total,
      refunded_amount: Math.floor(total * drawn.refundedShare),
      refunding_amount: 0,
      provider: drawn.method === 'CARD' ? 'test' : null,
      created_at: placed,
      updated_at: placed,
    };
    const refunds = drawn.refunds.map(({ asked, share, ...rest }) => ({
      ...own,
      ...rest,
      id: newId(),
      payment_id: payment.id,
      amount: Math.max(1, Math.floor(total * share)),
      created_at: at(this.around, asked),
      finished_at: ['REQUESTED', 'PROCESSING', 'APPROVED'].includes(rest.status) ? null : at(this.around, asked),
    }));
    return { order, lines, payment, refunds, attempts: this.attemptsOf(drawn, id, placed) };
  }

  /** One after the other; nothing comes after a delivery. */
  private attemptsOf(drawn: DrawnOrder, orderId: string, placed: Date) {
    let minute = 0;
    const after = (minutes: number): Date => new Date(placed.getTime() + minutes * 60_000);
    const last = drawn.attempts.findIndex(({ status }) => status === 'DELIVERED');
    const made = last < 0 ? drawn.attempts : drawn.attempts.slice(0, last + 1);
    return made.map(({ agent, zip, status, minutes: [a, b, c], promised, pickedUp, fee }) => {
      const [offered, accepted, picked, closed] = [minute, minute + a, minute + a + b, minute + a + b + c];
      minute = closed;
      const isTaken = status === 'DELIVERED' || (status === 'FAILED' && pickedUp);
      const row = {
        store_id: this.store.id,
        id: newId(),
        order_id: orderId,
        agent_id: this.agents[agent]!.id,
        status,
        zip: ZIPS[zip],
        cash_due: 0,
        currency: 'USD',
        round: 1,
        proof_attempts: 0,
        offered_at: after(offered),
        accepted_at: isTaken ? after(accepted) : null,
        picked_up_at: isTaken ? after(picked) : null,
        delivered_at: status === 'DELIVERED' ? after(closed) : null,
        closed_at: after(closed),
        promised_at: after(promised),
        created_at: after(offered),
      };
      return { row, fee };
    });
  }

  private async insert(table: string, rows: object[]): Promise<void> {
    if (rows.length === 0) return;
    const columns = Object.keys(rows[0]!).join();
    await this.shop.larder.sql.query(
      `INSERT INTO ${table} (${columns})
       SELECT ${columns}
         FROM jsonb_populate_recordset(NULL::${table}, $1)`,
      [JSON.stringify(rows)],
    );
  }
}
