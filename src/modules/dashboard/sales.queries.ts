import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';
import { amount, share } from '../../platform/prisma/document-sql.js';
import type { DayRange } from './day-range.js';
import type { ProductOrder } from './dto/days-query.dto.js';
import { orderFigures, productFigures } from './rollups.queries.js';
import { SOLD } from './sold.js';

const REVENUE = Prisma.sql`sum(f.total - f.refunded) FILTER (WHERE f.status = ANY (${SOLD}::text[]))`;
const SOLD_ORDERS = Prisma.sql`sum(f.orders) FILTER (WHERE f.status = ANY (${SOLD}::text[]))`;
const TREND = Prisma.sql`
  coalesce(sum(f.orders), 0) AS placed,
  ${REVENUE} AS revenue,
  coalesce(sum(f.orders) FILTER (WHERE f.status = 'DELIVERED'), 0) AS delivered,
  coalesce(sum(f.orders) FILTER (WHERE f.status IN ('CANCELLED', 'EXPIRED')), 0) AS cancelled,
  coalesce(sum(f.orders) FILTER (WHERE f.status = 'RETURNED'), 0) AS returned`;
const TREND_JSON = Prisma.sql`
  'placed', t.placed, 'revenue', ${amount(Prisma.sql`t.revenue`)}, 'delivered', t.delivered, 'cancelled', t.cancelled,
  'returned', t.returned`;

/** Per day of the range, days without orders too. */
export function orderTrends(range: DayRange): Prisma.Sql {
  return Prisma.sql`
    WITH ${orderFigures(range)}
    SELECT json_build_object(
             'from', ${range.from}::text, 'to', ${range.to}::text,
             'total', (SELECT json_build_object(${TREND_JSON}) FROM (SELECT ${TREND} FROM figures f) t),
             'days', (
               SELECT json_agg(json_build_object('day', t.day, ${TREND_JSON}) ORDER BY t.day)
                 FROM (SELECT d.day, ${TREND} FROM days d LEFT JOIN figures f ON f.day = d.day GROUP BY d.day) t
             )
           )::text AS document
      FROM stores s
     WHERE s.id = ${currentStore()}::uuid`;
}

/** Of all that was placed: what became of it. */
export function salesByStatus(range: DayRange): Prisma.Sql {
  return Prisma.sql`
    WITH ${orderFigures(range)}
    SELECT json_build_object(
             'from', ${range.from}::text, 'to', ${range.to}::text,
             'orders', coalesce(sum(t.orders), 0), 'total', ${amount(Prisma.sql`sum(t.total)`)},
             'items', coalesce(json_agg(json_build_object(
               'status', t.status, 'orders', ${share(Prisma.sql`t.orders`, Prisma.sql`t.placed`)},
               'total', ${amount(Prisma.sql`t.total`)}
             ) ORDER BY t.orders DESC, t.status) FILTER (WHERE t.status IS NOT NULL), '[]')
           )::text AS document
      FROM stores s
      LEFT JOIN (
        SELECT f.status, sum(f.orders) AS orders, sum(f.total) AS total, sum(sum(f.orders)) OVER () AS placed
          FROM figures f
         GROUP BY f.status
      ) t ON true
     WHERE s.id = ${currentStore()}::uuid
     GROUP BY s.id`;
}

/** Of what is sold. */
export function salesByPaymentMethod(range: DayRange): Prisma.Sql {
  return Prisma.sql`
    WITH ${orderFigures(range)}
    SELECT json_build_object(
             'from', ${range.from}::text, 'to', ${range.to}::text,
             'orders', coalesce(sum(t.orders), 0), 'revenue', ${amount(Prisma.sql`sum(t.revenue)`)},
             'items', coalesce(json_agg(json_build_object(
               'paymentMethod', t.payment_method, 'orders', ${share(Prisma.sql`t.orders`, Prisma.sql`t.sold`)},
               'revenue', ${amount(Prisma.sql`t.revenue`)},
               'averageOrder', ${amount(Prisma.sql`round(t.revenue / t.orders)`)}
             ) ORDER BY t.revenue DESC, t.payment_method) FILTER (WHERE t.payment_method IS NOT NULL), '[]')
           )::text AS document
      FROM stores s
      LEFT JOIN (
        SELECT f.payment_method, ${SOLD_ORDERS} AS orders, ${REVENUE} AS revenue, sum(${SOLD_ORDERS}) OVER () AS sold
          FROM figures f
         GROUP BY f.payment_method
        HAVING ${SOLD_ORDERS} > 0
      ) t ON true
     WHERE s.id = ${currentStore()}::uuid
     GROUP BY s.id`;
}

export function topProducts(range: DayRange, by: ProductOrder, limit: number): Prisma.Sql {
  return Prisma.sql`
    WITH ${productFigures(range)}, top AS (
      SELECT f.variant_id, sum(f.units) AS units, sum(f.revenue) AS revenue
        FROM figures f
       GROUP BY f.variant_id
       ORDER BY CASE ${by}::text WHEN 'units' THEN sum(f.units) ELSE sum(f.revenue) END DESC, f.variant_id
       LIMIT ${limit}::int
    )
    SELECT json_build_object(
             'from', ${range.from}::text, 'to', ${range.to}::text,
             'items', coalesce((
               SELECT json_agg(json_build_object(
                        'variantId', v.id, 'productId', v.product_id, 'sku', v.sku,
                        'name', concat_ws(' ', p.name, nullif(v.name, '')), 'units', t.units,
                        'revenue', ${amount(Prisma.sql`t.revenue`)}
                      ) ORDER BY CASE ${by}::text WHEN 'units' THEN t.units ELSE t.revenue END DESC, t.variant_id)
                 FROM top t
                 JOIN variants v ON v.store_id = s.id AND v.id = t.variant_id
                 JOIN products p ON p.store_id = v.store_id AND p.id = v.product_id
             ), '[]')
           )::text AS document
      FROM stores s
     WHERE s.id = ${currentStore()}::uuid`;
}
