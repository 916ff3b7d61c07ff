import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';
import { amount } from '../../platform/prisma/document-sql.js';
import { SOLD } from './sold.js';

/** Goods of which no more than so many are left to sell. */
export const LOW_STOCK = 5;

/**
 * Today so far, and yesterday and the same day of last week up to the same time after their beginning; what is open now, each
 * by its index.
 */
const NOW = (): Prisma.Sql => Prisma.sql`
  WITH clock AS MATERIALIZED (
    SELECT s.timezone, (now() AT TIME ZONE s.timezone)::date AS today,
           now() - day_begins((now() AT TIME ZONE s.timezone)::date, s.timezone) AS gone
      FROM stores s
     WHERE s.id = ${currentStore()}::uuid
  ), sold AS MATERIALIZED (
    SELECT d.name, coalesce(sum(f.orders), 0) AS placed,
           coalesce(sum(f.orders) FILTER (WHERE f.status = ANY (${SOLD}::text[])), 0) AS orders,
           coalesce(sum(f.total - f.refunded) FILTER (WHERE f.status = ANY (${SOLD}::text[])), 0) AS revenue
      FROM (
        SELECT n.name, day_begins(c.today - n.ago, c.timezone) AS starts_at,
               least(
                 day_begins(c.today - n.ago, c.timezone) + c.gone, day_begins(c.today - n.ago + 1, c.timezone)
               ) AS ends_at
          FROM clock c
         CROSS JOIN (VALUES ('today', 0), ('yesterday', 1), ('lastWeek', 7)) AS n (name, ago)
      ) d
      LEFT JOIN LATERAL count_orders(${currentStore()}::uuid, d.starts_at, d.ends_at) f ON true
     GROUP BY d.name
  ), open_orders AS MATERIALIZED (
    SELECT o.status, count(*) AS orders, count(*) FILTER (WHERE o.status <> 'PENDING' AND o.promised_at < now()) AS late
      FROM orders o
     WHERE o.store_id = ${currentStore()}::uuid AND o.status IN ('PENDING', 'CONFIRMED', 'PREPARING', 'SHIPPING')
     GROUP BY o.status
  ), now_open AS MATERIALIZED (
    SELECT (SELECT count(*) FROM shipping_assignments a
             WHERE a.store_id = ${currentStore()}::uuid AND a.status IN ('ACCEPTED', 'PICKED_UP')) AS under_way,
           (SELECT coalesce(sum(o.late), 0) FROM open_orders o) AS late,
           (SELECT coalesce(sum(o.orders), 0) FROM open_orders o) AS open,
           (SELECT count(*) FROM approvals p
             WHERE p.store_id = ${currentStore()}::uuid AND p.status = 'PENDING') AS approvals,
           (SELECT count(*) FROM delivery_agents g
             WHERE g.store_id = ${currentStore()}::uuid AND g.status = 'ONLINE') AS agents,
           (SELECT count(*) ${lowStockRows(LOW_STOCK)}) AS low_stock,
           (SELECT -sum(w.balance) FROM wallets w
             WHERE w.store_id = ${currentStore()}::uuid AND w.kind = 'AGENT_CASH') AS cash
  )`;

/** Variants on sale of which no more than so many are left. */
function lowStockRows(threshold: number): Prisma.Sql {
  return Prisma.sql`
      FROM stock_levels l
      JOIN variants v ON v.store_id = l.store_id AND v.id = l.variant_id AND v.archived_at IS NULL
      JOIN products p ON p.store_id = v.store_id AND p.id = v.product_id AND p.published AND p.archived_at IS NULL
     WHERE l.store_id = ${currentStore()}::uuid AND l.on_hand - l.reserved <= ${threshold}::int`;
}

const SALES = (name: string): Prisma.Sql => Prisma.sql`(
    SELECT json_build_object(
             'placed', d.placed, 'orders', d.orders, 'revenue', ${amount(Prisma.sql`d.revenue`)},
             'averageOrder', CASE WHEN d.orders > 0 THEN ${amount(Prisma.sql`round(d.revenue / d.orders)`)} END
           )
      FROM sold d
     WHERE d.name = ${name}::text
  )`;

export function overview(): Prisma.Sql {
  return Prisma.sql`
    ${NOW()}
    SELECT json_build_object(
             'today', ${SALES('today')}, 'yesterday', ${SALES('yesterday')}, 'lastWeek', ${SALES('lastWeek')},
             'openOrders', json_build_object(
               'PENDING', coalesce((SELECT o.orders FROM open_orders o WHERE o.status = 'PENDING'), 0),
               'CONFIRMED', coalesce((SELECT o.orders FROM open_orders o WHERE o.status = 'CONFIRMED'), 0),
               'PREPARING', coalesce((SELECT o.orders FROM open_orders o WHERE o.status = 'PREPARING'), 0),
               'SHIPPING', coalesce((SELECT o.orders FROM open_orders o WHERE o.status = 'SHIPPING'), 0)
             ),
             'underWay', n.under_way, 'late', n.late, 'pendingApprovals', n.approvals, 'agentsOnline', n.agents,
             'lowStock', n.low_stock, 'cashOutstanding', ${amount(Prisma.sql`n.cash`)}
           )::text AS document
      FROM stores s
     CROSS JOIN now_open n
     WHERE s.id = ${currentStore()}::uuid`;
}

/** The overview on one small screen. */
export function mobile(): Prisma.Sql {
  return Prisma.sql`
    ${NOW()}
    SELECT json_build_object(
             'today', ${SALES('today')}, 'yesterday', ${SALES('yesterday')},
             'open', n.open, 'underWay', n.under_way, 'late', n.late, 'pendingApprovals', n.approvals,
             'agentsOnline', n.agents, 'lowStock', n.low_stock
           )::text AS document
      FROM stores s
     CROSS JOIN now_open n
     WHERE s.id = ${currentStore()}::uuid`;
}
