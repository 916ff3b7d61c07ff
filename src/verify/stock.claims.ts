import type { ClaimGroup } from './claim.js';

const SEEDS = { SALE: 1, RETURN: 2, DAMAGE: 3 };

/** So many pieces of a product as one number: odd, so never nothing; another for each reason. */
function pieces(reason: keyof typeof SEEDS, quantity: string): string {
  return `((${quantity}) * ((uuid_hash_extended(variant_id, ${SEEDS[reason]}) >> 32) | 1))`;
}

export const STOCK: ClaimGroup = {
  name: 'stock',
  claims: [
    {
      name: 'stock on hand is the sum of its movements',
      sql: `
        SELECT store_id, variant_id, sum(on_hand) AS on_hand, sum(moved) AS moved
          FROM (
            SELECT store_id, variant_id, on_hand, 0 AS moved, 1 AS levels
              FROM stock_levels
             UNION ALL
            SELECT store_id, variant_id, 0, delta, 0
              FROM stock_movements
          ) stock
         GROUP BY store_id, variant_id
        HAVING sum(on_hand) <> sum(moved) OR sum(levels) <> 1`,
    },
    {
      name: 'reserved is what open orders want, and never above what is on hand',
      sql: `
        SELECT store_id, variant_id, sum(on_hand) AS on_hand, sum(reserved) AS reserved, sum(wanted) AS wanted
          FROM (
            SELECT store_id, variant_id, on_hand, reserved, 0 AS wanted
              FROM stock_levels
             UNION ALL
            SELECT l.store_id, l.variant_id, 0, 0, l.quantity
              FROM orders o
              JOIN order_lines l ON l.store_id = o.store_id AND l.order_id = o.id
             WHERE o.status IN ('PENDING', 'CONFIRMED', 'PREPARING') AND o.imported_at IS NULL
          ) stock
         GROUP BY store_id, variant_id
        HAVING sum(reserved) <> sum(wanted) OR sum(reserved) > sum(on_hand) OR sum(reserved) < 0`,
    },
    {
      name: 'what left the shelf for an order, and what came back, is what its status and its refunds say',
      seconds: 3.5,
      // Of a returned order everything comes back but what refunds cover; of a refund what is not the customer's to keep.
      // Most orders have left: only the others are put into a hash table. The past moved no stock; what is returned here of an imported order does.
      // One figure for an order instead of one for each of its products: pieces times a number that is drawn from the product
      // once for what was sold, came back and was thrown away. One product that is wrong is never missed; of
      // several in the same order that could cancel each other, one in two billion.
      sql: `
        SELECT store_id, order_id, bigint_sum(pieces) AS difference
          FROM (
            SELECT l.store_id, l.order_id,
                   ${pieces('SALE', 'l.quantity')}
                     + CASE WHEN o.id IS NULL THEN 0 ELSE ${pieces('RETURN', 'l.quantity - l.refunded_quantity')} END AS pieces
              FROM order_lines l
              LEFT JOIN orders o
                ON o.store_id = l.store_id AND o.id = l.order_id
               AND (o.status NOT IN ('SHIPPING', 'DELIVERED') OR o.imported_at IS NOT NULL)
             WHERE o.id IS NULL OR (o.status = 'RETURNED' AND o.imported_at IS NULL)
             UNION ALL
            SELECT l.store_id, l.order_id, ${pieces('RETURN', 'l.quantity - l.refunded_quantity')}
              FROM orders o
              JOIN order_lines l ON l.store_id = o.store_id AND l.order_id = o.id
             WHERE o.status = 'RETURNED' AND o.imported_at IS NOT NULL AND EXISTS (
               SELECT 1
                 FROM order_history h
                WHERE h.store_id = o.store_id AND h.order_id = o.id AND h.to_status = 'RETURNED'
                  AND h.created_at > o.imported_at
             )
             UNION ALL
            SELECT l.store_id, l.order_id,
                   ${pieces('RETURN', 'b.quantity')}
                     + CASE b.goods WHEN 'SCRAP' THEN ${pieces('DAMAGE', 'b.quantity')} ELSE 0 END
              FROM refund_lines b
              JOIN refunds r ON r.store_id = b.store_id AND r.id = b.refund_id AND r.status = 'SUCCEEDED'
             CROSS JOIN LATERAL (
               SELECT store_id, order_id, variant_id
                 FROM order_lines
                WHERE store_id = b.store_id AND order_id = b.order_id AND line_no = b.line_no
               OFFSET 0
             ) l
             WHERE b.goods <> 'KEEP'
             UNION ALL
            SELECT store_id, order_id,
                   CASE reason
                     WHEN 'SALE' THEN ${pieces('SALE', 'delta')}
                     WHEN 'RETURN' THEN -${pieces('RETURN', 'delta')}
                     ELSE ${pieces('DAMAGE', 'delta')}
                   END
              FROM stock_movements
             WHERE order_id IS NOT NULL AND reason IN ('SALE', 'RETURN', 'DAMAGE')
          ) moved
         GROUP BY store_id, order_id
        HAVING bigint_sum(pieces) <> 0`,
    },
  ],
};
