import type { ClaimGroup } from './claim.js';
import { FOLDED } from './folded-days.js';

/** Whole minutes. Of float8, whose 15 digits are enough for milliseconds: numeric takes five times as long. */
const minutesBetween = (from: string, to: string): string =>
  `CASE WHEN a.status = 'DELIVERED' THEN floor(date_part('epoch', ${to} - ${from}) / 60)::int END`;

/**
 * A number of 40 bits for so many minutes of a stage. Times are compared as the sum of these: of a day on which some are wrong,
 * one in 10^12 isn't found.
 */
const weight = (stage: number, minutes: string): string => `(hashint4extended(${minutes}, ${stage}) >> 24)`;

export const DASHBOARDS: ClaimGroup = {
  name: 'dashboards',
  claims: [
    {
      name: 'orders of a folded day are counted as they are',
      seconds: 1.5,
      sql: `
        WITH ${FOLDED}
        SELECT store_id, day, status, payment_method, sum(orders) AS orders, sum(total) AS total, sum(refunded) AS refunded
          FROM (
            SELECT store_id, day, status, payment_method, orders, total, refunded
              FROM order_days
             UNION ALL
            SELECT o.store_id, (o.placed_at AT TIME ZONE s.timezone)::date, o.status, o.payment_method, -count(*),
                   -bigint_sum(o.total), -bigint_sum(p.refunded_amount)
              FROM orders o
              JOIN stores s ON s.id = o.store_id
              LEFT JOIN payments p ON p.store_id = o.store_id AND p.order_id = o.id AND p.refunded_amount <> 0
             GROUP BY 1, 2, 3, 4
          ) both_ways
          JOIN folded USING (store_id, day)
         GROUP BY store_id, day, status, payment_method
        HAVING sum(orders) <> 0 OR sum(total) <> 0 OR sum(refunded) <> 0`,
    },
    {
      name: 'goods sold on a folded day are counted as they are',
      seconds: 3.5,
      sql: `
        WITH ${FOLDED}
        SELECT store_id, day, variant_id, sum(units) AS units, sum(revenue) AS revenue
          FROM (
            SELECT store_id, day, variant_id, units, revenue
              FROM product_days
             UNION ALL
            SELECT o.store_id, o.day, l.variant_id, -bigint_sum(l.quantity), bigint_sum(l.discount - l.total)
              FROM (
                SELECT o.store_id, o.id, (o.placed_at AT TIME ZONE s.timezone)::date AS day
                  FROM orders o
                  JOIN stores s ON s.id = o.store_id
                 WHERE o.status IN ('CONFIRMED', 'PREPARING', 'SHIPPING', 'DELIVERED')
                OFFSET 0
              ) o
              JOIN order_lines l ON l.store_id = o.store_id AND l.order_id = o.id
             GROUP BY o.store_id, o.day, l.variant_id
          ) both_ways
          JOIN folded USING (store_id, day)
         GROUP BY store_id, day, variant_id
        HAVING sum(units) <> 0 OR sum(revenue) <> 0`,
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
      name: 'attempts to deliver of a folded day are counted as they are, by zip code and in all, the first of them, and how long they took',
      seconds: 3,
      sql: `
        WITH ${FOLDED}, failed AS (
          SELECT store_id, order_id, min(picked_up_at) AS picked_up_at
            FROM shipping_assignments
           WHERE status = 'FAILED'
           GROUP BY store_id, order_id
        ), counted AS MATERIALIZED (
          SELECT store_id, day, zip, count(*) FILTER (WHERE delivered) AS deliveries, count(*) FILTER (WHERE on_time) AS on_time,
                 count(*) FILTER (WHERE NOT delivered) AS failures, count(*) FILTER (WHERE first) AS firsts,
                 count(*) FILTER (WHERE first AND delivered) AS first_deliveries, bigint_sum(in_all) AS minutes,
                 bigint_sum(${weight(1, 'to_pick_up')}) + bigint_sum(${weight(2, 'to_deliver')})
                   + bigint_sum(${weight(3, 'in_all')}) AS times
            FROM (
              SELECT a.store_id, (a.closed_at AT TIME ZONE s.timezone)::date AS day, a.zip, a.status = 'DELIVERED' AS delivered,
                     a.status = 'DELIVERED' AND a.delivered_at <= a.promised_at AS on_time,
                     a.picked_up_at IS NOT NULL AND coalesce(f.picked_up_at >= a.picked_up_at, true) AS first,
                     ${minutesBetween('o.placed_at', 'a.picked_up_at')} AS to_pick_up,
                     ${minutesBetween('a.picked_up_at', 'a.delivered_at')} AS to_deliver,
                     ${minutesBetween('o.placed_at', 'a.delivered_at')} AS in_all
                FROM shipping_assignments a
                JOIN stores s ON s.id = a.store_id
                JOIN orders o ON o.store_id = a.store_id AND o.id = a.order_id
                LEFT JOIN failed f ON f.store_id = a.store_id AND f.order_id = a.order_id
               WHERE a.status IN ('DELIVERED', 'FAILED') AND a.agent_id IS NOT NULL
              OFFSET 0
            ) tried
           GROUP BY store_id, day, zip
        )
        SELECT store_id, day, part, sum(a) AS deliveries, sum(b) AS on_time, sum(c) AS failures, sum(d) AS minutes, sum(e) AS firsts,
               sum(f) AS first_deliveries
          FROM (
            SELECT store_id, day, zip AS part, deliveries AS a, on_time AS b, failures AS c, minutes AS d, 0 AS e, 0 AS f
              FROM zip_days
             UNION ALL
            SELECT store_id, day, zip, -deliveries, -on_time, -failures, -minutes, 0, 0
              FROM counted
             UNION ALL
            SELECT store_id, day, 'all', deliveries, on_time, failures, 0, first_attempts, first_deliveries
              FROM fulfilment_days
             UNION ALL
            SELECT store_id, day, 'all', 0, 0, 0, deliveries * CASE stage
                     WHEN 'PICK_UP' THEN ${weight(1, 'minutes')}
                     WHEN 'DELIVER' THEN ${weight(2, 'minutes')}
                     ELSE ${weight(3, 'minutes')}
                   END, 0, 0
              FROM delivery_minutes
             UNION ALL
            SELECT store_id, day, 'all', -deliveries, -on_time, -failures, -times, -firsts, -first_deliveries
              FROM counted
          ) both_ways
          JOIN folded USING (store_id, day)
         GROUP BY store_id, day, part
        HAVING sum(a) <> 0 OR sum(b) <> 0 OR sum(c) <> 0 OR sum(d) <> 0 OR sum(e) <> 0 OR sum(f) <> 0`,
    },
    {
      name: 'half of the deliveries of a folded day, and 95 in 100, took no longer than is kept of it',
      // By nearest rank, from the times that were counted.
      sql: `
        WITH ${FOLDED}, ranks AS (
          SELECT store_id, day, stage, ARRAY[
                   min(minutes) FILTER (WHERE up_to * 100 >= deliveries * 50),
                   min(minutes) FILTER (WHERE up_to * 100 >= deliveries * 95)
                 ] AS took
            FROM (
              SELECT store_id, day, stage, minutes, sum(deliveries) OVER (PARTITION BY store_id, day, stage ORDER BY minutes) AS up_to,
                     sum(deliveries) OVER (PARTITION BY store_id, day, stage) AS deliveries
                FROM delivery_minutes
            ) m
           GROUP BY store_id, day, stage
        )
        SELECT f.store_id, f.day, f.to_pick_up, p.took AS took_to_pick_up, f.to_deliver, d.took AS took_to_deliver, f.in_all,
               a.took AS took_in_all
          FROM folded
          JOIN fulfilment_days f USING (store_id, day)
          LEFT JOIN ranks p ON p.store_id = f.store_id AND p.day = f.day AND p.stage = 'PICK_UP'
          LEFT JOIN ranks d ON d.store_id = f.store_id AND d.day = f.day AND d.stage = 'DELIVER'
          LEFT JOIN ranks a ON a.store_id = f.store_id AND a.day = f.day AND a.stage = 'ALL'
         WHERE (f.to_pick_up, f.to_deliver, f.in_all) IS DISTINCT FROM (p.took, d.took, a.took)`,
    },
  ],
};
