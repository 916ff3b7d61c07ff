import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { GenerateFailure } from '../../src/generate/generate-failure.js';
import { type GenerateOptions, generateStore } from '../../src/generate/generate-store.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { settledInTheEnd } from '../support/settled.js';
import { verify } from '../support/verify.js';

const ORDERS = 2000;

let database: TestDatabase;
let client: pg.Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  client = new pg.Pool({ connectionString: database.url, max: 1 });
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

function year(slug: string, changes: Partial<GenerateOptions> = {}): GenerateOptions {
  return {
    connectionString: database.url,
    slug,
    orders: ORDERS,
    days: 140,
    seed: 1,
    currency: 'USD',
    timezone: 'America/New_York',
    taxInclusive: false,
    until: new Date('2025-11-20T23:30:00Z'),
    connections: 2,
    batchOrders: 500,
    isStopped: () => false,
    onProgress: () => undefined,
    ...changes,
  };
}

async function rows<Row extends pg.QueryResultRow>(sql: string, slug: string): Promise<Row[]> {
  const result = await client.query<Row>(sql, [slug]);
  return result.rows;
}

/** What a store amounts to: orders of each day and status, money of each kind of wallet, stock. */
async function figures(slug: string): Promise<unknown> {
  return rows(
    `SELECT 'orders' AS what, o.placed_at::text || o.status || o.payment_method AS of, sum(o.total) AS amount
       FROM orders o JOIN stores s ON s.id = o.store_id WHERE s.slug = $1 GROUP BY 2
      UNION ALL
     SELECT 'money', w.kind, sum(e.amount)
       FROM ledger_entries e JOIN wallets w ON w.id = e.wallet_id JOIN stores s ON s.id = w.store_id WHERE s.slug = $1 GROUP BY 2
      UNION ALL
     SELECT 'stock', v.sku, l.on_hand
       FROM stock_levels l JOIN variants v ON v.store_id = l.store_id AND v.id = l.variant_id JOIN stores s ON s.id = l.store_id
      WHERE s.slug = $1
      ORDER BY 1, 2`,
    slug,
  );
}

describe('A generated store', () => {
  beforeAll(async () => {
    const { settled } = await generateStore(year('one'));
    const [store] = await rows<{ id: string }>('SELECT id FROM stores WHERE slug = $1', 'one');
    await settledInTheEnd(database.url, store!.id, settled);
  });

  it('has as many orders as it was asked for, and its books agree with each other', async () => {
    expect(
      await rows('SELECT count(*)::int AS n FROM orders o JOIN stores s ON s.id = o.store_id WHERE slug = $1', 'one'),
    ).toEqual([{ n: ORDERS }]);
    await verify(client);
  });

  it('has every day added up that is two days old', async () => {
    expect(
      await rows(
        `SELECT (SELECT count(*)::int FROM rollup_marks m WHERE m.store_id = s.id) AS marks,
                (SELECT count(*)::int FROM rollup_days r WHERE r.store_id = s.id AND r.timezone = s.timezone
                    AND r.day BETWEEN '2025-07-04' AND '2025-11-17') AS days
           FROM stores s WHERE s.slug = $1`,
        'one',
      ),
    ).toEqual([{ marks: 0, days: 137 }]);
  });

  it('has the same figures for the same seed, and others for another', async () => {
    await generateStore(year('again', { connections: 1 }));
    await generateStore(year('other', { seed: 2 }));
    expect(await figures('again')).toEqual(await figures('one'));
    expect(await figures('other')).not.toEqual(await figures('one'));
  });

  it('is asleep at night, busiest in the evening and at the end of the week, and grows', async () => {
    const [counted] = await rows<Record<string, number>>(
      `SELECT count(*) FILTER (WHERE hour < 8)::int AS night, count(*) FILTER (WHERE hour IN (9, 10, 11))::int AS morning,
              count(*) FILTER (WHERE hour IN (18, 19, 20))::int AS evening, count(*) FILTER (WHERE weekday IN (1, 2))::int AS early,
              count(*) FILTER (WHERE weekday IN (5, 6))::int AS late, count(*) FILTER (WHERE placed_at < '2025-08-05')::int AS first,
              count(*) FILTER (WHERE placed_at > '2025-10-08')::int AS last
         FROM (
           SELECT o.placed_at, extract(hour FROM o.placed_at AT TIME ZONE s.timezone) AS hour,
                  extract(dow FROM o.placed_at AT TIME ZONE s.timezone) AS weekday
             FROM orders o JOIN stores s ON s.id = o.store_id WHERE s.slug = $1
         ) o`,
      'one',
    );
    expect(counted!.night).toBe(0);
    expect(counted!.evening).toBeGreaterThan(1.5 * counted!.morning!);
    expect(counted!.late).toBeGreaterThan(1.2 * counted!.early!);
    expect(counted!.last).toBeGreaterThan(1.2 * counted!.first!);
  });

  it('is paid in cash for two orders of five, late with some and rid of some others', async () => {
    const [share] = await rows<Record<string, number>>(
      `SELECT avg((o.payment_method = 'COD')::int)::float8 AS cash, avg((o.payment_method = 'WALLET')::int)::float8 AS wallet,
              avg((o.status = 'CANCELLED')::int)::float8 AS cancelled, avg((o.status = 'RETURNED')::int)::float8 AS returned,
              avg((a.delivered_at > a.promised_at)::int)::float8 AS late
         FROM orders o
         JOIN stores s ON s.id = o.store_id
         LEFT JOIN shipping_assignments a ON a.store_id = o.store_id AND a.order_id = o.id AND a.status = 'DELIVERED'
        WHERE s.slug = $1`,
      'one',
    );
    // Four standard deviations of 2,000 draws.
    expect(Math.abs(share!.cash! - 0.4)).toBeLessThan(0.044);
    expect(Math.abs(share!.wallet! - 0.2)).toBeLessThan(0.036);
    expect(Math.abs(share!.cancelled! - 0.045)).toBeLessThan(0.019);
    expect(Math.abs(share!.returned! - 0.035)).toBeLessThan(0.017);
    expect(share!.late).toBeGreaterThan(0.02);
    expect(share!.late).toBeLessThan(0.2);
  });

  it('sells a tenth of its goods more than a third of the time', async () => {
    const [sold] = await rows<{ share: number }>(
      `SELECT (sum(units) FILTER (WHERE place <= 0.1 * variants) / sum(units))::float8 AS share
         FROM (
           SELECT sum(l.quantity) AS units, row_number() OVER (ORDER BY sum(l.quantity) DESC) AS place,
                  (SELECT count(*) FROM variants v WHERE v.store_id = l.store_id) AS variants
             FROM order_lines l JOIN stores s ON s.id = l.store_id
            WHERE s.slug = $1
            GROUP BY l.store_id, l.variant_id
         ) v`,
      'one',
    );
    expect(sold!.share).toBeGreaterThan(0.34);
  });

  it('is never made over another one', async () => {
    await expect(generateStore(year('one'))).rejects.toThrow(GenerateFailure);
  });
});

describe('A store that was left unfinished', () => {
  it('is whole days, says so, and becomes what it would have been', async () => {
    let there = 0;
    const onProgress = (orders: number) => (there = orders);
    const stopped = await generateStore(year('halted', { onProgress, isStopped: () => there > 900, connections: 1 }));
    expect(stopped).toMatchObject({ finished: false, orders: there });
    const [store] = await rows<{ name: string }>('SELECT name FROM stores WHERE slug = $1', 'halted');
    expect(store!.name).toMatch(/ \(unfinished\)$/);
    await verify(client);
    await expect(generateStore(year('halted', { seed: 2 }))).rejects.toThrow('was left unfinished');
    const later = new Date('2025-11-21T04:00:00Z');
    expect(await generateStore(year('halted', { until: later }))).toMatchObject({
      resumed: true,
      finished: true,
      orders: ORDERS,
    });
    expect(await figures('halted')).toEqual(await figures('one'));
    await verify(client);
  });
});
