import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';
import type { IdempotentRequest } from '../../platform/idempotency/idempotency.service.js';

export interface RefundWish {
  orderId: string;
  actorId: string;
  /** Minor units; null: what the lines come to, or all that is left. */
  amount: number | null;
  currency: string | null;
  lines: { variantId: string; quantity: number; goods: string }[] | null;
  destination: string;
  reason: string;
}

/** See request_refund(). */
export function requestRefund(wish: RefundWish, { route, key, fingerprint }: IdempotentRequest): Prisma.Sql {
  const { orderId, actorId, amount, currency, lines, destination, reason } = wish;
  return Prisma.sql`
    SELECT outcome, status_code, response
      FROM request_refund(
             ${currentStore()}::uuid, ${orderId}::uuid, ${amount}::bigint, ${currency},
             ${lines && lines.map(({ variantId }) => variantId)}::uuid[],
             ${lines && lines.map(({ quantity }) => quantity)}::int[],
             ${lines && lines.map(({ goods }) => goods)}::text[],
             ${destination}, ${reason}, ${actorId}::uuid, ${route}, ${key}, ${fingerprint}
           )`;
}

/** One refund. A customer (ownerId) sees those of his orders; staff (null) see any. */
export function refundDocument(refundId: string, ownerId: string | null): Prisma.Sql {
  return Prisma.sql`
    SELECT r.id, refund_document(r)::text AS document
      FROM refunds r
      JOIN payments p ON p.store_id = r.store_id AND p.id = r.payment_id
      JOIN orders o ON o.store_id = p.store_id AND o.id = p.order_id
     WHERE r.store_id = ${currentStore()}::uuid
       AND r.id = ${refundId}::uuid
       AND (${ownerId}::uuid IS NULL OR o.customer_id = ${ownerId}::uuid)`;
}

/** All columns but order_id are null in the only row of an order that has no refund; no row at all when there is no order. */
export interface RefundDocumentRow {
  order_id: string;
  id: string | null;
  document: string;
}

/** Refunds of an order, newest first, one row more than a page. */
export function refundDocuments(
  orderId: string,
  ownerId: string | null,
  { after, limit }: { after: string | null; limit: number },
): Prisma.Sql {
  return Prisma.sql`
    SELECT o.id AS order_id, page.id, page.document
      FROM orders o
      LEFT JOIN LATERAL (
        SELECT r.id, refund_document(r)::text AS document
          FROM payments p
          JOIN refunds r ON r.store_id = p.store_id AND r.payment_id = p.id
         WHERE p.store_id = o.store_id
           AND p.order_id = o.id
           AND r.id < coalesce(${after}::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
         ORDER BY r.id DESC
         LIMIT ${limit + 1}::int
      ) page ON true
     WHERE o.store_id = ${currentStore()}::uuid
       AND o.id = ${orderId}::uuid
       AND (${ownerId}::uuid IS NULL OR o.customer_id = ${ownerId}::uuid)
     ORDER BY page.id DESC`;
}
