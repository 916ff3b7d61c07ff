import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';
import type { DayRange } from './day-range.js';

export interface TodayRow {
  today: string;
  /** Until the next day begins. */
  left_ms: number;
}

export function todayOfStore(): Prisma.Sql {
  return Prisma.sql`
    SELECT t.day::text AS today, (extract(epoch FROM day_begins(t.day + 1, t.timezone) - now()) * 1000)::float8 AS left_ms
      FROM (SELECT s.timezone, (now() AT TIME ZONE s.timezone)::date AS day FROM stores s WHERE s.id = ${currentStore()}::uuid) t`;
}

/**
 * Tables for a WITH: `days` of a range, and the figures of a dashboard for them. A day that is folded, in the store's time zone
 * and without a mark, is read from its rollup; any other is counted in the base tables. All in one statement, so in one
 * snapshot: what changed a day and what marks it are seen together.
 */
export function days({ from, to }: DayRange): Prisma.Sql {
  return Prisma.sql`
    days AS MATERIALIZED (
      SELECT d.day, d.starts_at, d.ends_at,
             r.day IS NOT NULL AND NOT EXISTS (
               SELECT 1
                 FROM rollup_marks m
                WHERE m.store_id = s.id AND m.at >= d.starts_at AND m.at < d.ends_at
             ) AS folded
        FROM stores s
       CROSS JOIN LATERAL (
         SELECT n.day, day_begins(n.day, s.timezone) AS starts_at, day_begins(n.day + 1, s.timezone) AS ends_at
           FROM (SELECT ${from}::date + i AS day FROM generate_series(0, ${to}::date - ${from}::date) AS i) n
       ) d
        LEFT JOIN rollup_days r ON r.store_id = s.id AND r.day = d.day AND r.timezone = s.timezone
       WHERE s.id = ${currentStore()}::uuid
    )`;
}

/** day, status, payment_method, orders, total, refunded */
export function orderFigures(range: DayRange): Prisma.Sql {
  return Prisma.sql`${days(range)}, figures AS (
      SELECT d.day, f.status, f.payment_method, f.orders, f.total, f.refunded
        FROM days d
        JOIN order_days f ON f.store_id = ${currentStore()}::uuid AND f.day = d.day
       WHERE d.folded
       UNION ALL
      SELECT d.day, f.status, f.payment_method, f.orders, f.total, f.refunded
        FROM days d
       CROSS JOIN LATERAL count_orders(${currentStore()}::uuid, d.starts_at, d.ends_at) f
       WHERE NOT d.folded
    )`;
}

/** variant_id, units, revenue; several rows for each variant. Of months that are folded altogether, one. */
export function productFigures(range: DayRange): Prisma.Sql {
  return Prisma.sql`${days(range)}, months AS MATERIALIZED (
      SELECT date_trunc('month', d.day::timestamp)::date AS month
        FROM days d
       GROUP BY date_trunc('month', d.day::timestamp)
      HAVING bool_and(d.folded)
         AND count(*) = extract(day FROM date_trunc('month', d.day::timestamp) + interval '1 month - 1 day')
    ), figures AS (
      SELECT f.variant_id, f.units, f.revenue
        FROM months m
        JOIN product_months f ON f.store_id = ${currentStore()}::uuid AND f.month = m.month
       UNION ALL
      SELECT f.variant_id, bigint_sum(f.units), bigint_sum(f.revenue)
        FROM product_days f
       WHERE f.store_id = ${currentStore()}::uuid
         AND f.day = ANY (ARRAY(
           SELECT d.day FROM days d WHERE d.folded AND date_trunc('month', d.day::timestamp)::date NOT IN (SELECT month FROM months)
         ))
       GROUP BY f.variant_id
       UNION ALL
      SELECT f.variant_id, f.units, f.revenue
        FROM days d
       CROSS JOIN LATERAL count_products(${currentStore()}::uuid, d.starts_at, d.ends_at) f
       WHERE NOT d.folded
    )`;
}

/** agent_id, deliveries, on_time, failures, earnings; several rows for each agent */
export function agentFigures(range: DayRange): Prisma.Sql {
  return Prisma.sql`${days(range)}, figures AS (
      SELECT f.agent_id, sum(f.deliveries) AS deliveries, sum(f.on_time) AS on_time, sum(f.failures) AS failures,
             bigint_sum(f.earnings) AS earnings
        FROM agent_days f
       WHERE f.store_id = ${currentStore()}::uuid AND f.day = ANY (ARRAY(SELECT d.day FROM days d WHERE d.folded))
       GROUP BY f.agent_id
       UNION ALL
      SELECT f.agent_id, f.deliveries, f.on_time, f.failures, f.earnings
        FROM days d
       CROSS JOIN LATERAL count_agents(${currentStore()}::uuid, d.starts_at, d.ends_at) f
       WHERE NOT d.folded
    )`;
}

/** zip, deliveries, on_time, failures, minutes; several rows for each zip code */
export function zipFigures(range: DayRange): Prisma.Sql {
  return Prisma.sql`${days(range)}, figures AS (
      SELECT f.zip, sum(f.deliveries) AS deliveries, sum(f.on_time) AS on_time, sum(f.failures) AS failures,
             bigint_sum(f.minutes) AS minutes
        FROM zip_days f
       WHERE f.store_id = ${currentStore()}::uuid AND f.day = ANY (ARRAY(SELECT d.day FROM days d WHERE d.folded))
       GROUP BY f.zip
       UNION ALL
      SELECT f.zip, f.deliveries, f.on_time, f.failures, f.minutes
        FROM days d
       CROSS JOIN LATERAL count_zips(${currentStore()}::uuid, d.starts_at, d.ends_at) f
       WHERE NOT d.folded
    )`;
}

/** `figures`, one row for each day that something was tried on; `minutes`: stage, minutes, deliveries, several rows of each */
export function fulfilmentFigures(range: DayRange): Prisma.Sql {
  return Prisma.sql`${days(range)}, figures AS (
      SELECT d.day, f.deliveries, f.on_time, f.failures, f.first_attempts, f.first_deliveries, f.to_pick_up, f.to_deliver, f.in_all
        FROM days d
        JOIN fulfilment_days f ON f.store_id = ${currentStore()}::uuid AND f.day = d.day
       WHERE d.folded
       UNION ALL
      SELECT d.day, f.deliveries, f.on_time, f.failures, f.first_attempts, f.first_deliveries, f.to_pick_up, f.to_deliver, f.in_all
        FROM days d
       CROSS JOIN LATERAL count_fulfilment(${currentStore()}::uuid, d.starts_at, d.ends_at) f
       WHERE NOT d.folded
    ), minutes AS (
      SELECT f.stage, f.minutes, sum(f.deliveries) AS deliveries
        FROM delivery_minutes f
       WHERE f.store_id = ${currentStore()}::uuid AND f.day = ANY (ARRAY(SELECT d.day FROM days d WHERE d.folded))
       GROUP BY f.stage, f.minutes
       UNION ALL
      SELECT f.stage, f.minutes, f.deliveries
        FROM days d
       CROSS JOIN LATERAL count_minutes(${currentStore()}::uuid, d.starts_at, d.ends_at) f
       WHERE NOT d.folded
    )`;
}
