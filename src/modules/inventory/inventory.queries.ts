import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';

export interface LevelRow {
  variant_id: string;
  on_hand: number;
  reserved: number;
}

export interface StockItemRow extends LevelRow {
  sku: string;
  product_id: string;
}

export interface AdjustedRow extends LevelRow {
  /** False when it would have left less than is reserved; the level is then the one that stands. */
  adjusted: boolean;
}

export interface Adjustment {
  variantId: string;
  delta: number;
  reason: string;
  note: string | null;
  actorId: string;
}

/** All columns are null in the only row of a variant that never moved. */
export interface MovementRow {
  id: string | null;
  delta: number;
  reason: string;
  order_id: string | null;
  actor_id: string | null;
  note: string | null;
  created_at: Date;
}

/** Level and movement together, or neither; no row when the variant has no stock row. Levels are never deleted. */
export function adjustStock({ variantId, delta, reason, note, actorId }: Adjustment): Prisma.Sql {
  return Prisma.sql`
    WITH changed AS (
      UPDATE stock_levels s
         SET on_hand = s.on_hand + ${delta}::int
       WHERE s.store_id = ${currentStore()}::uuid
         AND s.variant_id = ${variantId}::uuid
         AND s.on_hand + ${delta}::int >= s.reserved
      RETURNING s.store_id, s.variant_id, s.on_hand, s.reserved
    ),
    moved AS (
      INSERT INTO stock_movements (store_id, variant_id, delta, reason, note, actor_id)
      SELECT store_id, variant_id, ${delta}::int, ${reason}::text, ${note}::text, ${actorId}::uuid
        FROM changed
    )
    SELECT s.variant_id,
           coalesce(changed.on_hand, s.on_hand) AS on_hand,
           coalesce(changed.reserved, s.reserved) AS reserved,
           changed.variant_id IS NOT NULL AS adjusted
      FROM stock_levels s
      LEFT JOIN changed ON changed.variant_id = s.variant_id
     WHERE s.store_id = ${currentStore()}::uuid AND s.variant_id = ${variantId}::uuid`;
}

/** Stock of living variants, newest first, one row more than a page. */
export function stockPage(limit: number, after: string | null, sku: string | undefined): Prisma.Sql {
  return Prisma.sql`
    SELECT s.variant_id, s.on_hand, s.reserved, v.sku, v.product_id
      FROM variants v
      JOIN stock_levels s ON s.store_id = v.store_id AND s.variant_id = v.id
     WHERE v.store_id = ${currentStore()}::uuid
       AND v.archived_at IS NULL
       ${after === null ? Prisma.empty : Prisma.sql`AND v.id < ${after}::uuid`}
       ${sku === undefined ? Prisma.empty : Prisma.sql`AND v.sku = ${sku}::text`}
     ORDER BY v.id DESC
     LIMIT ${limit + 1}::int`;
}

/** Movements of a variant, newest first, one row more than a page; no row at all when the variant has no stock row. */
export function movementsPage(variantId: string, limit: number, after: string | null): Prisma.Sql {
  return Prisma.sql`
    SELECT m.id::text AS id, m.delta, m.reason, m.order_id, m.actor_id, m.note, m.created_at
      FROM stock_levels s
      LEFT JOIN LATERAL (
        SELECT *
          FROM stock_movements m
         WHERE m.store_id = s.store_id
           AND m.variant_id = s.variant_id
           ${after === null ? Prisma.empty : Prisma.sql`AND m.id < ${after}::bigint`}
         ORDER BY m.id DESC
         LIMIT ${limit + 1}::int
      ) m ON true
     WHERE s.store_id = ${currentStore()}::uuid AND s.variant_id = ${variantId}::uuid
     ORDER BY m.id DESC`;
}
