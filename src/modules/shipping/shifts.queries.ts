import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';

/** A shift with what its deliveries and remittances come to, minor units. */
export interface ShiftRow {
  id: string;
  agent_id: string;
  status: 'OPEN' | 'COUNTED' | 'CLOSED';
  currency: string;
  opened_at: Date;
  counted_at: Date | null;
  counted_by: string | null;
  closed_at: Date | null;
  opening_cash: bigint | number;
  charged: bigint | number;
  deliveries: number;
  due: bigint | number;
  short: bigint | number;
  above: bigint | number;
  collected: bigint | number;
  /** Before the count. */
  remitted: bigint | number;
  /** At the count. */
  handed_in: bigint | number;
  /** By the ledger: what should have been there at the count; of an open shift, what should be there now. */
  expected: bigint | number;
  /** What the books were corrected by, by hand: the rest of it. */
  adjusted: bigint | number;
  counted: bigint | number | null;
  approval_id: string | null;
  approval_status: 'PENDING' | 'APPROVED' | 'REJECTED' | null;
}

/** Sums of the rows that carry the shift's id, by idx_shipping_assignments_shift and idx_remittances_shift. */
function shiftFacts(which: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`
    SELECT s.id, s.agent_id, s.status, s.currency, s.opened_at, s.counted_at, s.counted_by, s.closed_at, s.opening_cash,
           s.charged, d.deliveries, d.due, d.short, d.above, d.collected, r.remitted - h.handed_in AS remitted, h.handed_in,
           h.expected, h.expected - (s.opening_cash + s.charged + d.collected - r.remitted + h.handed_in) AS adjusted,
           s.counted,
           a.id AS approval_id, a.status AS approval_status
      FROM agent_shifts s
     CROSS JOIN LATERAL (
       SELECT count(*)::int AS deliveries, coalesce(sum(p.cash_due), 0)::bigint AS due,
              coalesce(sum(greatest(p.cash_due - p.cash_collected, 0)), 0)::bigint AS short,
              coalesce(sum(greatest(p.cash_collected - p.cash_due, 0)), 0)::bigint AS above,
              coalesce(sum(p.cash_collected), 0)::bigint AS collected
         FROM shipping_assignments p
        WHERE p.store_id = s.store_id AND p.shift_id = s.id AND p.status = 'DELIVERED'
     ) d
     CROSS JOIN LATERAL (
       SELECT coalesce(sum(m.amount), 0)::bigint AS remitted
         FROM remittances m
        WHERE m.store_id = s.store_id AND m.shift_id = s.id
     ) r
     CROSS JOIN LATERAL (
       SELECT CASE WHEN s.counted IS NULL THEN 0 ELSE least(s.counted, s.expected) END AS handed_in,
              coalesce(s.expected, t.cash - least(t.pending, t.cash)) AS expected
         FROM (
           SELECT -w.balance AS cash,
                  (SELECT coalesce(sum(m.expected - m.counted), 0)::bigint
                     FROM agent_shifts m
                    WHERE m.store_id = s.store_id AND m.agent_id = s.agent_id AND m.status = 'COUNTED'
                      AND m.counted < m.expected) AS pending
             FROM wallets w
            WHERE w.store_id = s.store_id AND w.kind = 'AGENT_CASH' AND w.owner_id = s.agent_id AND w.currency = s.currency
         ) t
     ) h
      LEFT JOIN approvals a ON a.store_id = s.store_id AND a.kind = 'CASH_VARIANCE' AND a.subject_id = s.id
     WHERE s.store_id = ${currentStore()}::uuid
       AND ${which}`;
}

export function shiftOf(shiftId: string): Prisma.Sql {
  return shiftFacts(Prisma.sql`s.id = ${shiftId}::uuid`);
}

/** An agent's shifts that were opened at a time or later, and before another. */
export interface ShiftsOf {
  agentId: string;
  from: Date | null;
  to: Date | null;
}

export interface ShiftFilter extends ShiftsOf {
  before: string | null;
  limit: number;
}

function ofAgent({ agentId, from, to }: ShiftsOf): Prisma.Sql {
  return Prisma.sql`
    s.agent_id = ${agentId}::uuid
       AND s.opened_at >= coalesce(${from}::timestamptz, '-infinity')
       AND s.opened_at < coalesce(${to}::timestamptz, 'infinity')`;
}

/** Newest first, by idx_agent_shifts_agent. */
export function shiftPage({ before, limit, ...filter }: ShiftFilter): Prisma.Sql {
  return Prisma.sql`
    ${shiftFacts(ofAgent(filter))}
       AND s.id < coalesce(${before}::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
     ORDER BY s.id DESC
     LIMIT ${limit}::int`;
}

/** What the shifts of a time come to; see docs/cash.md for how it adds up. */
export interface CashTotalsRow {
  shifts: number;
  deliveries: number;
  due: number;
  short: number;
  above: number;
  collected: number;
  carried_in: number;
  remitted: number;
  adjusted: number;
  written_off: number;
  charged_back: number;
  under_approval: number;
  in_hand: number;
  over: number;
}

export function cashTotals(shifts: ShiftsOf): Prisma.Sql {
  const sum = (what: Prisma.Sql, when = Prisma.sql`true`): Prisma.Sql =>
    Prisma.sql`coalesce(sum(${what}) FILTER (WHERE ${when}), 0)::bigint`;
  const missing = Prisma.sql`f.expected - f.counted`;
  const isMissing = (status: string): Prisma.Sql =>
    Prisma.sql`f.counted < f.expected AND f.approval_status = ${status}::text`;
  return Prisma.sql`
    SELECT count(*)::int AS shifts, coalesce(sum(f.deliveries), 0)::int AS deliveries, ${sum(Prisma.sql`f.due`)} AS due,
           ${sum(Prisma.sql`f.short`)} AS short, ${sum(Prisma.sql`f.above`)} AS above,
           ${sum(Prisma.sql`f.collected`)} AS collected, ${sum(Prisma.sql`f.opening_cash + f.charged`)} AS carried_in,
           ${sum(Prisma.sql`f.adjusted`)} AS adjusted,
           ${sum(Prisma.sql`f.remitted + f.handed_in`)} AS remitted,
           ${sum(missing, isMissing('APPROVED'))} AS written_off, ${sum(missing, isMissing('REJECTED'))} AS charged_back,
           ${sum(missing, isMissing('PENDING'))} AS under_approval,
           ${sum(Prisma.sql`f.expected`, Prisma.sql`f.status = 'OPEN'`)} AS in_hand,
           ${sum(Prisma.sql`f.counted - f.expected`, Prisma.sql`f.counted > f.expected`)} AS over
      FROM (${shiftFacts(ofAgent(shifts))}) f`;
}

export interface AgentCashRow {
  currency: string;
  /** By the ledger, now. */
  cash: number;
}

/** No row when there is no such agent. */
export function cashInHand(agentId: string): Prisma.Sql {
  return Prisma.sql`
    SELECT w.currency, -w.balance AS cash
      FROM delivery_agents d
      JOIN stores s ON s.id = d.store_id
      JOIN wallets w ON w.store_id = d.store_id AND w.kind = 'AGENT_CASH' AND w.owner_id = d.id AND w.currency = s.currency
     WHERE d.store_id = ${currentStore()}::uuid AND d.id = ${agentId}::uuid`;
}
