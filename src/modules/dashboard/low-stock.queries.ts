import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';
import type { DayRange } from './day-range.js';
import { productFigures } from './rollups.queries.js';

/** Days whose sales say how long goods will last, today among them. */
export const SELLING_DAYS = 7;

/** What will be gone first, then what is least; each with what was sold of it in the range, which is the last seven days. */
export function lowStock(range: DayRange, threshold: number, limit: number): Prisma.Sql {
  return Prisma.sql`
    WITH ${productFigures(range)}, sold AS MATERIALIZED (
      SELECT f.variant_id, sum(f.units) AS units FROM figures f GROUP BY f.variant_id
    ), low AS MATERIALIZED (
      SELECT l.variant_id, v.product_id, v.sku, concat_ws(' ', p.name, nullif(v.name, '')) AS name, l.on_hand, l.reserved,
             l.on_hand - l.reserved AS available, coalesce(n.units, 0) AS units,
             round((l.on_hand - l.reserved) * ${SELLING_DAYS}::int / nullif(n.units, 0)::numeric, 1) AS days_of_cover
        FROM stock_levels l
        JOIN variants v ON v.store_id = l.store_id AND v.id = l.variant_id AND v.archived_at IS NULL
        JOIN products p ON p.store_id = v.store_id AND p.id = v.product_id AND p.published AND p.archived_at IS NULL
        LEFT JOIN sold n ON n.variant_id = l.variant_id
       WHERE l.store_id = ${currentStore()}::uuid AND l.on_hand - l.reserved <= ${threshold}::int
    )
    SELECT json_build_object(
             'threshold', ${threshold}::int, 'count', (SELECT count(*) FROM low),
             'items', coalesce((
               SELECT json_agg(json_build_object(
                        'variantId', w.variant_id, 'productId', w.product_id, 'sku', w.sku, 'name', w.name,
                        'onHand', w.on_hand, 'reserved', w.reserved, 'available', w.available,
                        'unitsSold', w.units, 'daysOfCover', w.days_of_cover
                      ) ORDER BY w.days_of_cover NULLS LAST, w.available, w.variant_id)
                 FROM (
                   SELECT * FROM low ORDER BY days_of_cover NULLS LAST, available, variant_id LIMIT ${limit}::int
                 ) w
             ), '[]')
           )::text AS document`;
}
