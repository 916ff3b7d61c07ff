import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';
import type { TimeRange } from './time-range.js';

/** What an agent did with what ended in a range; docs/metrics.md defines each. Times are [p50, p95] in milliseconds. */
export interface AgentMetricsRow {
  agent_id: string;
  name: string;
  accepted: number;
  rejected: number;
  expired: number;
  picked_up: number;
  to_accept: [number, number] | null;
  to_pick_up: [number, number] | null;
  to_deliver: [number, number] | null;
  deliveries: number;
  on_time: number;
  failures: number;
  first_attempts: number;
  first_successes: number;
  currency: string;
  /** In hand now, by the ledger, minor units. */
  cash: number;
}

/** Nearest rank: the smallest value that at least so many of them don't exceed. What is null doesn't count. */
const percentiles = (value: Prisma.Sql): Prisma.Sql =>
  Prisma.sql`percentile_disc(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY ${value})`;
const milliseconds = (from: Prisma.Sql, to: Prisma.Sql): Prisma.Sql =>
  Prisma.sql`(extract(epoch FROM ${to} - ${from}) * 1000)::float8`;

/**
 * Per agent, in one statement: what ended in the range, by idx_shipping_assignments_(agent_)closed, and the open offers that he
 * turned down in it, by idx_assignment_rejections_(agent|created). Of times, only those that are written once are read.
 */
function metricsOf(agentId: string | null, { from, to }: TimeRange): Prisma.Sql {
  const his = (column: Prisma.Sql): Prisma.Sql =>
    agentId ? Prisma.sql`AND ${column} = ${agentId}::uuid` : Prisma.empty;
  return Prisma.sql`
    WITH ended AS (
      SELECT a.agent_id, a.status, a.accepted_at, a.picked_up_at, a.promised_at, a.delivered_at,
             ${milliseconds(Prisma.sql`a.offered_at`, Prisma.sql`a.accepted_at`)} AS to_accept,
             ${milliseconds(Prisma.sql`a.accepted_at`, Prisma.sql`a.picked_up_at`)} AS to_pick_up,
             ${milliseconds(Prisma.sql`a.picked_up_at`, Prisma.sql`a.delivered_at`)} AS to_deliver,
             a.status IN ('DELIVERED', 'FAILED') AND a.picked_up_at IS NOT NULL AND NOT EXISTS (
               SELECT 1
                 FROM shipping_assignments earlier
                WHERE earlier.store_id = a.store_id AND earlier.order_id = a.order_id AND earlier.status = 'FAILED'
                  AND earlier.picked_up_at < a.picked_up_at
             ) AS first_attempt
        FROM shipping_assignments a
       WHERE a.store_id = ${currentStore()}::uuid
         AND a.agent_id IS NOT NULL
         ${his(Prisma.sql`a.agent_id`)}
         AND a.closed_at >= ${from}::timestamptz
         AND a.closed_at < ${to}::timestamptz
    ), work AS (
      SELECT e.agent_id,
             count(e.accepted_at)::int AS accepted,
             (count(*) FILTER (WHERE e.status = 'REJECTED'))::int AS rejected,
             (count(*) FILTER (WHERE e.status = 'EXPIRED'))::int AS expired,
             count(e.picked_up_at)::int AS picked_up,
             ${percentiles(Prisma.sql`e.to_accept`)} AS to_accept,
             ${percentiles(Prisma.sql`e.to_pick_up`)} AS to_pick_up,
             ${percentiles(Prisma.sql`e.to_deliver`)} AS to_deliver,
             count(e.delivered_at)::int AS deliveries,
             (count(*) FILTER (WHERE e.delivered_at <= e.promised_at))::int AS on_time,
             (count(*) FILTER (WHERE e.status = 'FAILED'))::int AS failures,
             (count(*) FILTER (WHERE e.first_attempt))::int AS first_attempts,
             (count(*) FILTER (WHERE e.first_attempt AND e.status = 'DELIVERED'))::int AS first_successes
        FROM ended e
       GROUP BY e.agent_id
    ), declined AS (
      SELECT r.agent_id, count(*)::int AS offers
        FROM assignment_rejections r
       WHERE r.store_id = ${currentStore()}::uuid
         ${his(Prisma.sql`r.agent_id`)}
         AND r.created_at >= ${from}::timestamptz
         AND r.created_at < ${to}::timestamptz
       GROUP BY r.agent_id
    )
    SELECT d.id AS agent_id, d.name, coalesce(w.accepted, 0) AS accepted,
           coalesce(w.rejected, 0) + coalesce(n.offers, 0) AS rejected, coalesce(w.expired, 0) AS expired,
           coalesce(w.picked_up, 0) AS picked_up, w.to_accept, w.to_pick_up, w.to_deliver,
           coalesce(w.deliveries, 0) AS deliveries, coalesce(w.on_time, 0) AS on_time,
           coalesce(w.failures, 0) AS failures, coalesce(w.first_attempts, 0) AS first_attempts,
           coalesce(w.first_successes, 0) AS first_successes, c.currency, -c.balance AS cash
      FROM delivery_agents d
      LEFT JOIN work w ON w.agent_id = d.id
      LEFT JOIN declined n ON n.agent_id = d.id
      JOIN stores s ON s.id = d.store_id
      JOIN wallets c ON c.store_id = d.store_id AND c.kind = 'AGENT_CASH' AND c.owner_id = d.id AND c.currency = s.currency
     WHERE d.store_id = ${currentStore()}::uuid`;
}

/** One agent's; no row when there is no such agent. */
export function agentMetrics(agentId: string, range: TimeRange): Prisma.Sql {
  return Prisma.sql`${metricsOf(agentId, range)} AND d.id = ${agentId}::uuid`;
}

/** Those of the agents who answered an offer, or let it expire: most deliveries first, then the larger share of them in time. */
export function leaderboard(range: TimeRange, limit: number): Prisma.Sql {
  return Prisma.sql`
    ${metricsOf(null, range)}
       AND (w.accepted + w.rejected + w.expired > 0 OR n.offers > 0)
     ORDER BY deliveries DESC, w.on_time::numeric / nullif(w.deliveries, 0) DESC NULLS LAST, d.id
     LIMIT ${limit}::int`;
}
