import { ATTEMPTS, DRAWN, FACTS, LINES, RETURNS, SHIFTS } from './order-facts.queries.js';
import { ledgerRows, MONEY_ROWS, POSTINGS } from './money-rows.queries.js';
import { COUPON_USES, ORDER_ROWS } from './order-rows.queries.js';
import { NEWS_ROWS } from './news-rows.queries.js';
import { MOVEMENT_ROWS, MOVEMENTS, STOCK_COUNTS } from './stock-rows.queries.js';

/** What is known of a batch before it is written, each made of those before it. */
const KNOWN = {
  drawn: DRAWN,
  lines: LINES,
  facts: FACTS,
  returns: RETURNS,
  attempts: ATTEMPTS,
  shifts: SHIFTS,
  movements: MOVEMENTS,
};

/** Tables that only this connection sees, emptied by each commit. */
export const BATCH_TABLES = Object.entries(KNOWN)
  .map(([name, query]) => `CREATE TEMP TABLE ${name} ON COMMIT DELETE ROWS AS ${query} WITH NO DATA`)
  .join(';\n');

/** What the others are joined with: the planner has to know how many there are of an order. */
const NUMBERED = ['facts', 'lines'];

const UNFOLD = `
  SELECT unfold_days(pg_temp.store(), array_agg(written.at))
    FROM (SELECT placed_at AS at FROM facts UNION ALL SELECT ended_at FROM attempts) written`;

/** $1 days as JSON. */
export const BATCH_DAYS = `
  INSERT INTO batch
  SELECT day, "firstOrder", orders, share
    FROM json_to_recordset($1) AS d (day date, "firstOrder" bigint, orders int, share float8)`;

/**
 * A batch is whole days and one commit. What other batches write too comes last, as locks are held to the commit: wallets, stock,
 * coupons, days (what is delivered after midnight is of the next batch's), in this order.
 */
export const BATCH = [
  ...Object.entries(KNOWN).map(
    ([name, query]) => `INSERT INTO ${name} ${query}${NUMBERED.includes(name) ? `; ANALYZE ${name} (n)` : ''}`,
  ),
  ...ORDER_ROWS,
  ...MONEY_ROWS,
  ...NEWS_ROWS,
  MOVEMENT_ROWS,
  ledgerRows(POSTINGS),
  ...STOCK_COUNTS,
  COUPON_USES,
  UNFOLD,
];
