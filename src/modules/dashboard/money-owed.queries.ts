import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';
import { amount } from '../../platform/prisma/document-sql.js';
import type { DayRange } from './day-range.js';
import { orderFigures } from './rollups.queries.js';
import { SOLD } from './sold.js';

const MOST_AGENTS = 200;
/**
 * So many of the last movements of an agent's cash are looked through for the oldest that he still has. All of them first: asked for
 * what he took alone, the planner sorted 9,000 entries of each agent, 60 ms.
 */
const MOST_MOVES = 400;
const MOST_REASONS = 20;

/**
 * Agents who hold cash, or are on their way to collect some; most cash first. What is handed in is taken to be the oldest, so
 * what is still held are the last pieces taken, and the first of these is `oldestAt`.
 */
export function cashOutstanding(): Prisma.Sql {
  return Prisma.sql`
    WITH carried AS (
      SELECT a.agent_id, count(*) AS parcels, sum(a.cash_due) AS due
        FROM shipping_assignments a
       WHERE a.store_id = ${currentStore()}::uuid AND a.status IN ('ACCEPTED', 'PICKED_UP') AND a.cash_due > 0
       GROUP BY a.agent_id
    ), tills AS MATERIALIZED (
      SELECT g.id AS agent_id, g.name, w.id AS wallet_id, -w.balance AS cash, coalesce(c.parcels, 0) AS parcels, c.due
        FROM stores s
        JOIN delivery_agents g ON g.store_id = s.id
        JOIN wallets w ON w.store_id = s.id AND w.kind = 'AGENT_CASH' AND w.owner_id = g.id AND w.currency = s.currency
        LEFT JOIN carried c ON c.agent_id = g.id
       WHERE s.id = ${currentStore()}::uuid AND (w.balance <> 0 OR c.due > 0)
    )
    SELECT json_build_object(
             'inHand', ${amount(Prisma.sql`(SELECT sum(t.cash) FROM tills t)`)},
             'dueUnderWay', ${amount(Prisma.sql`(SELECT sum(t.due) FROM tills t)`)},
             'receivables', ${amount(Prisma.sql`-b.balance`)},
             'agents', coalesce((
               SELECT json_agg(json_build_object(
                        'agentId', t.agent_id, 'name', t.name, 'inHand', ${amount(Prisma.sql`t.cash`)},
                        'parcels', t.parcels, 'dueUnderWay', ${amount(Prisma.sql`t.due`)}, 'oldestAt', iso_time(taken.at)
                      ) ORDER BY t.cash DESC, t.agent_id)
                 FROM (SELECT * FROM tills ORDER BY cash DESC, agent_id LIMIT ${MOST_AGENTS}::int) t
                 LEFT JOIN LATERAL (
                   SELECT min(p.created_at) AS at
                     FROM (
                       SELECT e.created_at, e.amount, sum(e.amount) OVER (ORDER BY e.id DESC) AS up_to
                         FROM (
                           SELECT l.id, l.created_at, -l.amount AS amount
                             FROM (
                               SELECT m.* FROM ledger_entries m WHERE m.wallet_id = t.wallet_id AND m.store_id = s.id ORDER BY m.id DESC LIMIT ${MOST_MOVES}::int
                             ) l
                            WHERE l.amount < 0
                         ) e
                     ) p
                    WHERE p.up_to - p.amount < t.cash
                 ) taken ON t.cash > 0
             ), '[]')
           )::text AS document
      FROM stores s
      JOIN wallets w ON w.store_id = s.id AND w.kind = 'RECEIVABLES' AND w.owner_id = s.id AND w.currency = s.currency
     CROSS JOIN LATERAL wallet_balance(w) b
     WHERE s.id = ${currentStore()}::uuid`;
}

/** What the store owes: wallets with something in them, by whose they are, with the fullest. */
export function walletLiabilities(): Prisma.Sql {
  const group = (kind: string): Prisma.Sql => Prisma.sql`(
    SELECT json_build_object(
             'wallets', count(*), 'amount', ${amount(Prisma.sql`sum(o.balance)`)},
             'largest', (
               SELECT json_build_object('ownerId', u.id, 'name', u.name, 'amount', ${amount(Prisma.sql`l.balance`)})
                 FROM (
                   SELECT b.owner_id, b.balance FROM owed b WHERE b.kind = ${kind}::text ORDER BY b.balance DESC, b.owner_id LIMIT 1
                 ) l
                 JOIN users u ON u.store_id = s.id AND u.id = l.owner_id
             )
           )
      FROM owed o
     WHERE o.kind = ${kind}::text
  )`;
  return Prisma.sql`
    WITH owed AS MATERIALIZED (
      SELECT w.kind, w.owner_id, w.balance
        FROM wallets w
       WHERE w.store_id = ${currentStore()}::uuid AND w.kind IN ('CUSTOMER', 'AGENT_EARNINGS') AND w.balance > 0
    )
    SELECT json_build_object(
             'amount', ${amount(Prisma.sql`(SELECT sum(o.balance) FROM owed o)`)},
             'customers', ${group('CUSTOMER')}, 'agentEarnings', ${group('AGENT_EARNINGS')}
           )::text AS document
      FROM stores s
     WHERE s.id = ${currentStore()}::uuid`;
}

/**
 * Refunds asked for in the range; the rate is what was given back of them against the orders placed in it that were sold, and
 * what others had been paid before they were cancelled: that is among what was given back.
 */
export function refundFigures(range: DayRange): Prisma.Sql {
  const group = (name: string, most: number): Prisma.Sql => Prisma.sql`(
    SELECT coalesce(json_agg(json_build_object(
             'name', g.name, 'count', g.count, 'amount', ${amount(Prisma.sql`g.amount`)}
           ) ORDER BY g.amount DESC, g.name), '[]')
      FROM (
        SELECT * FROM grouped g WHERE g.part = ${name}::text ORDER BY g.amount DESC, g.name LIMIT ${most}::int
      ) g
  )`;
  return Prisma.sql`
    WITH ${orderFigures(range)}, asked AS MATERIALIZED (
      SELECT r.status, r.destination, r.reason, count(*) AS count, bigint_sum(r.amount) AS amount
        FROM refunds r
       WHERE r.store_id = ${currentStore()}::uuid
         AND r.created_at >= (SELECT min(d.starts_at) FROM days d)
         AND r.created_at < (SELECT max(d.ends_at) FROM days d)
       GROUP BY r.status, r.destination, r.reason
    ), grouped AS MATERIALIZED (
      SELECT p.part, p.name, sum(a.count) AS count, sum(a.amount) AS amount
        FROM asked a
       CROSS JOIN LATERAL (
         VALUES ('status', a.status), ('destination', a.destination), ('reason', a.reason)
       ) AS p (part, name)
       GROUP BY p.part, p.name
    ), whole AS (
      SELECT coalesce(sum(a.count), 0) AS count, sum(a.amount) AS amount, sum(a.amount) FILTER (WHERE a.status = 'SUCCEEDED') AS given_back
        FROM asked a
    ), sold AS (
      SELECT sum(CASE WHEN f.status = ANY (${SOLD}::text[]) OR f.status = 'RETURNED' THEN f.total ELSE f.refunded END) AS total
        FROM figures f
    )
    SELECT json_build_object(
             'from', ${range.from}::text, 'to', ${range.to}::text,
             'count', w.count, 'amount', ${amount(Prisma.sql`w.amount`)},
             'givenBack', ${amount(Prisma.sql`w.given_back`)},
             'rate', round(coalesce(w.given_back, 0) / nullif(o.total, 0), 4),
             'byStatus', ${group('status', MOST_REASONS)},
             'byDestination', ${group('destination', MOST_REASONS)},
             'byReason', ${group('reason', MOST_REASONS)}
           )::text AS document
      FROM stores s
     CROSS JOIN whole w
     CROSS JOIN sold o
     WHERE s.id = ${currentStore()}::uuid`;
}
