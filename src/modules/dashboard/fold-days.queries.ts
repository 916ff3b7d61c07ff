import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';

export interface HorizonRow {
  /** Whoever had begun to write by then has a lower id. Taken for itself: a snapshot ends at the last one that was completed. */
  horizon: string;
  /** ISO 8601: clock of the database. */
  at: string;
}

export interface DayToFoldRow {
  day: string;
}

export function acrossStoresHorizon(): Prisma.Sql {
  return Prisma.sql`
    SELECT pg_current_xact_id()::text AS horizon, clock_timestamp()::text AS at`;
}

/** Whether all that had begun to write before the horizon has ended, in whatever database of the server. */
export function acrossStoresEnded(horizon: string): Prisma.Sql {
  return Prisma.sql`SELECT pg_snapshot_xmin(pg_current_snapshot()) >= ${horizon}::xid8 AS past`;
}

/**
 * Days that ended a day before this moment and are not folded, or have a mark; the latest first. Since the store's first order
 * or ended attempt. None while a command fills the store (fillStoreAlone), but for the command itself: it would unfold them again.
 */
export function daysToFold(at: string, limit: number): Prisma.Sql {
  return Prisma.sql`
    SELECT d.day::text AS day
      FROM stores s
     CROSS JOIN LATERAL (
       SELECT least(
                (SELECT min(o.placed_at) FROM orders o WHERE o.store_id = s.id),
                (SELECT min(a.closed_at) FROM shipping_assignments a
                  WHERE a.store_id = s.id AND a.closed_at IS NOT NULL AND a.agent_id IS NOT NULL)
              ) AS at
     ) first
     CROSS JOIN LATERAL (
       SELECT n.last - i AS day, day_begins(n.last - i, s.timezone) AS starts_at, day_begins(n.last - i + 1, s.timezone) AS ends_at
         FROM (
           SELECT (${at}::timestamptz AT TIME ZONE s.timezone)::date AS last, (first.at AT TIME ZONE s.timezone)::date AS first
         ) n
        CROSS JOIN generate_series(0, n.last - n.first) AS i
     ) d
     WHERE s.id = ${currentStore()}::uuid
       AND pg_try_advisory_xact_lock_shared(hashtextextended('fill ' || s.id, 0))
       AND d.ends_at + interval '24 hours' < ${at}::timestamptz
       AND (
         NOT EXISTS (
           SELECT 1 FROM rollup_days r WHERE r.store_id = s.id AND r.day = d.day AND r.timezone = s.timezone
         )
         OR EXISTS (
           SELECT 1 FROM rollup_marks m WHERE m.store_id = s.id AND m.at >= d.starts_at AND m.at < d.ends_at
         )
       )
     ORDER BY d.day DESC
     LIMIT ${limit}::int`;
}

/** See fold_days(): in a transaction of one snapshot. */
export function foldDays(days: string[]): Prisma.Sql {
  return Prisma.sql`SELECT fold_days(${currentStore()}::uuid, ${days}::date[])`;
}
