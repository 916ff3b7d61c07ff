import type { ClaimGroup } from './claim.js';

/**
 * Days that dashboards read from their rollups. An order or attempt is of the day that the clocks of the store's zone show: said
 * without the bounds of days, another way than the rollups were made.
 */
const FOLDED = `
  folded AS MATERIALIZED (
    SELECT r.store_id, r.day
      FROM rollup_days r
      JOIN stores s ON s.id = r.store_id AND s.timezone = r.timezone
    EXCEPT
    SELECT m.store_id, (m.at AT TIME ZONE s.timezone)::date
      FROM rollup_marks m
      JOIN stores s ON s.id = m.store_id
  )`;

const PLACED = `
  placed AS (
    SELECT o.store_id, o.id, (o.placed_at AT TIME ZONE s.timezone)::date AS day, o.status, o.payment_method, o.total
      FROM orders o
      JOIN stores s ON s.id = o.store_id
  )`;

/** Attempts to deliver that ended. Whose they were, in how much time: what is not asked for is not joined. */
const TRIED = `
  tried AS (
    SELECT a.store_id, a.id, a.order_id, (a.closed_at AT TIME ZONE s.timezone)::date AS day, a.agent_id, a.zip,
           a.status = 'DELIVERED' AS delivered, a.status = 'DELIVERED' AND a.delivered_at <= a.promised_at AS on_time,
           a.picked_up_at, a.delivered_at
      FROM shipping_assignments a
      JOIN stores s ON s.id = a.store_id
     WHERE a.status IN ('DELIVERED', 'FAILED') AND a.agent_id IS NOT NULL
  )`;

const minutesBetween = (from: string, to: string): string =>
  `CASE WHEN t.delivered THEN floor(extract(epoch FROM ${to} - ${from}) / 60)::bigint END`;

/** How many, their sum and the sum of their squares: a histogram that is wrong and has the same of all three is not looked for. */
const moments = (stage: string): string =>
  `count(m.${stage}) AS ${stage}, bigint_sum(m.${stage}) AS ${stage}_sum, bigint_sum(m.${stage} * m.${stage}) AS ${stage}_squares`;

/** What the rollup has less what the base tables say, of the folded days. */
function difference(key: string, figures: readonly string[], rollup: string, base: string, ctes: string): string {
  const sums = figures.map((name) => `sum(${name}) AS ${name}`).join(', ');
  const wrong = figures.map((name) => `sum(${name}) <> 0`).join(' OR ');
  return `
    WITH ${FOLDED}, ${ctes}
    SELECT store_id, day, ${key}, ${sums}
      FROM (
        ${rollup}
        UNION ALL
        ${base}
      ) both_ways
      JOIN folded USING (store_id, day)
     GROUP BY store_id, day, ${key}
    HAVING ${wrong}`;
}

export const DASHBOARDS: ClaimGroup = {
  name: 'dashboards',
  claims: [
    {
      name: 'orders of a folded day are counted as they are',
      seconds: 2.5,
      sql: difference(
        'status, payment_method',
        ['orders', 'total', 'refunded'],
        'SELECT store_id, day, status, payment_method, orders, total, refunded FROM order_days',
        `SELECT o.store_id, o.day, o.status, o.payment_method, -1, -o.total, -coalesce(p.refunded_amount, 0)
           FROM placed o
           LEFT JOIN payments p ON p.store_id = o.store_id AND p.order_id = o.id`,
        PLACED,
      ),
    },
    {
      name: 'goods sold on a folded day are counted as they are',
      seconds: 4.5,
      sql: difference(
        'variant_id',
        ['units', 'revenue'],
        'SELECT store_id, day, variant_id, units, revenue FROM product_days',
        `SELECT o.store_id, o.day, l.variant_id, -l.quantity, l.discount - l.total
           FROM placed o
           JOIN order_lines l ON l.store_id = o.store_id AND l.order_id = o.id
          WHERE o.status IN ('CONFIRMED', 'PREPARING', 'SHIPPING', 'DELIVERED')`,
        PLACED,
      ),
    },
    {
      name: 'goods sold in a month are those of its folded days',
      sql: `
        SELECT store_id, month, variant_id, sum(units) AS units, sum(revenue) AS revenue
          FROM (
            SELECT store_id, month, variant_id, units, revenue FROM product_months
             UNION ALL
            SELECT store_id, date_trunc('month', day::timestamp)::date, variant_id, -units, -revenue FROM product_days
          ) both_ways
         GROUP BY store_id, month, variant_id
        HAVING sum(units) <> 0 OR sum(revenue) <> 0`,
    },
    {
      name: 'attempts to deliver of a folded day are counted as they are, by agent',
      seconds: 5.5,
      sql: difference(
        'agent_id',
        ['deliveries', 'on_time', 'failures', 'earnings'],
        'SELECT store_id, day, agent_id, deliveries, on_time, failures, earnings FROM agent_days',
        `SELECT t.store_id, t.day, t.agent_id, -t.delivered::int, -t.on_time::int, t.delivered::int - 1,
                CASE WHEN t.delivered THEN -coalesce(paid.amount, 0) ELSE 0 END
           FROM tried t
           LEFT JOIN (
             SELECT f.store_id, f.reference, bigint_sum(e.amount) AS amount
               FROM ledger_transactions f
               JOIN ledger_entries e ON e.store_id = f.store_id AND e.transaction_id = f.id AND e.amount > 0
              WHERE f.type IN ('AGENT_FEE', 'PAST_AGENT_FEE')
              GROUP BY f.store_id, f.reference
           ) paid ON paid.store_id = t.store_id AND paid.reference = t.id::text`,
        TRIED,
      ),
    },
    {
      name: 'attempts to deliver of a folded day are counted as they are, by zip code and by how long they took',
      seconds: 5.5,
      // One pass over attempts and orders for both.
      sql: `
        WITH ${FOLDED}, ${TRIED}, counted AS MATERIALIZED (
          SELECT m.store_id, m.day, m.zip, count(*) FILTER (WHERE m.delivered) AS deliveries,
                 count(*) FILTER (WHERE m.on_time) AS on_time, count(*) FILTER (WHERE NOT m.delivered) AS failures,
                 ${moments('pick_up')}, ${moments('deliver')}, ${moments('whole')}
            FROM (
              SELECT t.store_id, t.day, t.zip, t.delivered, t.on_time,
                     ${minutesBetween('o.placed_at', 't.picked_up_at')} AS pick_up,
                     ${minutesBetween('t.picked_up_at', 't.delivered_at')} AS deliver,
                     ${minutesBetween('o.placed_at', 't.delivered_at')} AS whole
                FROM tried t
                JOIN orders o ON o.store_id = t.store_id AND o.id = t.order_id
            ) m
           GROUP BY m.store_id, m.day, m.zip
        )
        SELECT store_id, day, part, sum(a) AS deliveries, sum(b) AS b, sum(c) AS c, sum(d) AS d
          FROM (
            SELECT store_id, day, zip AS part, deliveries AS a, on_time AS b, failures AS c, minutes AS d FROM zip_days
             UNION ALL
            SELECT store_id, day, zip, -deliveries, -on_time, -failures, -whole_sum FROM counted
             UNION ALL
            SELECT store_id, day, stage || ' minutes', deliveries, deliveries * minutes, deliveries::bigint * minutes * minutes, 0
              FROM delivery_minutes
             UNION ALL
            SELECT c.store_id, c.day, k.stage || ' minutes', -k.count, -k.sum, -k.squares, 0
              FROM counted c
             CROSS JOIN LATERAL (
               VALUES ('PICK_UP', c.pick_up, c.pick_up_sum, c.pick_up_squares),
                      ('DELIVER', c.deliver, c.deliver_sum, c.deliver_squares),
                      ('ALL', c.whole, c.whole_sum, c.whole_squares)
             ) AS k (stage, count, sum, squares)
          ) both_ways
          JOIN folded USING (store_id, day)
         GROUP BY store_id, day, part
        HAVING sum(a) <> 0 OR sum(b) <> 0 OR sum(c) <> 0 OR sum(d) <> 0`,
    },
    {
      name: 'a folded day as a whole is what its zip codes and its times say',
      sql: `
        WITH ${FOLDED}
        SELECT f.store_id, f.day, f.deliveries, z.deliveries AS by_zip, f.to_pick_up, f.to_deliver, f.in_all
          FROM folded d
          JOIN fulfilment_days f ON f.store_id = d.store_id AND f.day = d.day
          FULL JOIN (
            SELECT z.store_id, z.day, sum(z.deliveries) AS deliveries, sum(z.on_time) AS on_time, sum(z.failures) AS failures
              FROM zip_days z
              JOIN folded USING (store_id, day)
             GROUP BY z.store_id, z.day
          ) z ON z.store_id = f.store_id AND z.day = f.day
         WHERE (f.deliveries, f.on_time, f.failures) IS DISTINCT FROM (z.deliveries, z.on_time, z.failures)
            OR f.first_deliveries > f.deliveries OR f.first_attempts > f.deliveries + f.failures`,
    },
  ],
};
