import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { Totals } from './file-sums.ts';
import { ReplayFailure } from './replay-failure.ts';
import { notePrefix, skuPrefix } from './run-context.ts';

interface SumsRow {
  stock_code: string;
  sold: string;
  revenue: string;
  returned: string;
}

interface OrdersRow {
  orders: string;
  distinct_orders: string;
  cancelled: string;
}

export interface LarderTotals extends Totals {
  /** What the figures are: Larder's tables, or a plan for them. */
  source: string;
  /** Orders whose invoice another order of the run stands for already: must be 0. */
  doubled: number;
}

/** $1 store, $2 prefix of SKUs, $3 prefix of notes. A stranger's order of the run's goods isn't counted: it lacks the note. */
const SUMS_BY_STOCK_CODE = `
  WITH run_variants AS (
    SELECT v.store_id, v.id, split_part(substr(v.sku, length($2) + 1), '@', 1) AS stock_code
      FROM variants v
      JOIN stores s ON s.id = v.store_id
     WHERE s.slug = $1 AND starts_with(v.sku, $2)
  ), sold AS (
    SELECT v.stock_code, l.quantity AS sold, l.total AS revenue, 0 AS returned
      FROM run_variants v
      JOIN order_lines l ON l.store_id = v.store_id AND l.variant_id = v.id
      JOIN orders o ON o.store_id = l.store_id AND o.id = l.order_id
     WHERE starts_with(o.note, $3) AND o.status NOT IN ('CANCELLED', 'RETURNED', 'EXPIRED')
  ), returned AS (
    SELECT v.stock_code, 0 AS sold, 0 AS revenue, m.delta AS returned
      FROM run_variants v
      JOIN stock_movements m ON m.store_id = v.store_id AND m.variant_id = v.id
     WHERE starts_with(m.note, $3) AND m.reason = 'RETURN'
  )
  SELECT stock_code, sum(sold)::text AS sold, sum(revenue)::text AS revenue, sum(returned)::text AS returned
    FROM (SELECT * FROM sold UNION ALL SELECT * FROM returned) moved
   GROUP BY stock_code`;

/** $1 store, $2 prefix of notes. */
const ORDERS = `
  SELECT count(*) AS orders, count(DISTINCT o.note) AS distinct_orders,
         count(*) FILTER (WHERE o.status IN ('CANCELLED', 'RETURNED', 'EXPIRED')) AS cancelled
    FROM orders o
    JOIN stores s ON s.id = o.store_id
   WHERE s.slug = $1 AND starts_with(o.note, $2)`;

/** Larder's side of the reconciliation, from its tables. @throws ReplayFailure when the database can't be reached */
export async function sumLarder(databaseUrl: string, store: string, run: string): Promise<LarderTotals> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'larder-replay' });
  try {
    await client.connect();
    const sums = await client.query<SumsRow>(SUMS_BY_STOCK_CODE, [store, skuPrefix(run), notePrefix(run)]);
    const { rows } = await client.query<OrdersRow>(ORDERS, [store, notePrefix(run)]);
    const { orders = '0', distinct_orders = '0', cancelled = '0' } = rows[0] ?? {};
    return {
      source: "Larder's tables",
      orders: Number(orders),
      doubled: Number(orders) - Number(distinct_orders),
      cancelled: Number(cancelled),
      byStockCode: new Map(
        sums.rows.map(({ stock_code, sold, revenue, returned }) => [
          stock_code,
          { sold: BigInt(sold), revenue: BigInt(revenue), returned: BigInt(returned) },
        ]),
      ),
    };
  } catch (error) {
    throw new ReplayFailure(
      `No reconciliation: Larder's database: ${error instanceof Error ? error.message : 'failed'}`,
    );
  } finally {
    await client.end();
  }
}

/** As given, else that of the embedded database, read late: after a restart it listens on another port. */
export async function databaseUrlOf(options: { databaseUrl: string | undefined; dataDir: string }): Promise<string> {
  if (options.databaseUrl) return options.databaseUrl;
  const file = join(options.dataDir, 'database-url');
  const url = await readFile(file, 'utf8').catch(() => '');
  if (url.trim() === '') {
    throw new ReplayFailure(`No reconciliation: give --database-url or DATABASE_URL, since there is no ${file}.`);
  }
  return url.trim();
}
