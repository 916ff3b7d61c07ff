import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';

const ALL_PIECES = Prisma.sql`l.quantity`;
/** Pieces that refunds cover are back already, thrown away, or the customer's to keep. */
const PIECES_NOT_REFUNDED = Prisma.sql`l.quantity - l.refunded_quantity`;

/**
 * An order's stock, lines of the same variant added up. The rows are locked in the order of variant ids, as placing an
 * order does (reserve_stock): whoever meets on the same variants waits, none deadlocks.
 */
function lockedStockOf(orderId: string, pieces = ALL_PIECES): Prisma.Sql {
  return Prisma.sql`
    wanted AS (
      SELECT l.variant_id, sum(${pieces})::int AS quantity
        FROM order_lines l
       WHERE l.store_id = ${currentStore()}::uuid AND l.order_id = ${orderId}::uuid
       GROUP BY l.variant_id
      HAVING sum(${pieces}) > 0
    ),
    locked AS MATERIALIZED (
      SELECT s.store_id, s.variant_id, wanted.quantity
        FROM stock_levels s
        JOIN wanted ON wanted.variant_id = s.variant_id
       WHERE s.store_id = ${currentStore()}::uuid
       ORDER BY s.variant_id
         FOR NO KEY UPDATE OF s
    )`;
}

/** What an order that ships no more had reserved is free again. */
export function releaseOf(orderId: string): Prisma.Sql {
  return Prisma.sql`
    WITH ${lockedStockOf(orderId)}
    UPDATE stock_levels s
       SET reserved = s.reserved - locked.quantity
      FROM locked
     WHERE s.store_id = locked.store_id AND s.variant_id = locked.variant_id`;
}

/** What was reserved leaves the shelf. */
export function shipmentOf(orderId: string): Prisma.Sql {
  return Prisma.sql`
    WITH ${lockedStockOf(orderId)},
    shipped AS (
      UPDATE stock_levels s
         SET on_hand = s.on_hand - locked.quantity,
             reserved = s.reserved - locked.quantity
        FROM locked
       WHERE s.store_id = locked.store_id AND s.variant_id = locked.variant_id
      RETURNING s.store_id, s.variant_id, locked.quantity
    )
    INSERT INTO stock_movements (store_id, variant_id, delta, reason, order_id)
    SELECT store_id, variant_id, -quantity, 'SALE', ${orderId}::uuid
      FROM shipped`;
}

/** Goods that came back lie on the shelf again. */
export function returnOf(orderId: string, actorId: string | null): Prisma.Sql {
  return Prisma.sql`
    WITH ${lockedStockOf(orderId, PIECES_NOT_REFUNDED)},
    returned AS (
      UPDATE stock_levels s
         SET on_hand = s.on_hand + locked.quantity
        FROM locked
       WHERE s.store_id = locked.store_id AND s.variant_id = locked.variant_id
      RETURNING s.store_id, s.variant_id, locked.quantity
    )
    INSERT INTO stock_movements (store_id, variant_id, delta, reason, order_id, actor_id)
    SELECT store_id, variant_id, quantity, 'RETURN', ${orderId}::uuid, ${actorId}::uuid
      FROM returned`;
}
