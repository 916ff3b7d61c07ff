import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';

export interface OwedRow {
  order_id: string;
  currency: string;
  /** Minor units; only a delivered parcel, paid in cash, is owed for. */
  owed: bigint;
}

/** What is still owed for a payment's order, the order's row and then the payment's held until the transaction ends. */
export function lockOwed(paymentId: string): Prisma.Sql {
  return Prisma.sql`
    SELECT o.id AS order_id, p.currency,
           CASE WHEN o.status = 'DELIVERED' AND p.method = 'COD' THEN p.amount - p.captured_amount ELSE 0 END AS owed
      FROM payments p
      JOIN orders o ON o.store_id = p.store_id AND o.id = p.order_id
     WHERE p.store_id = ${currentStore()}::uuid AND p.id = ${paymentId}::uuid
       FOR NO KEY UPDATE OF o, p`;
}

export interface Settlement {
  id: string;
  paymentId: string;
  /** Minor units, above zero. */
  amount: number;
  currency: string;
  actorId: string;
}

/** Writes the settlement and its event, and adds it to what was captured. */
export function insertSettlement({ id, paymentId, amount, currency, actorId }: Settlement): Prisma.Sql {
  return Prisma.sql`
    WITH settled AS (
      INSERT INTO payment_settlements (store_id, id, payment_id, amount, currency, actor_id)
      VALUES (
        ${currentStore()}::uuid, ${id}::uuid, ${paymentId}::uuid, ${amount}::bigint, ${currency}, ${actorId}::uuid
      )
    ), captured AS (
      UPDATE payments p
         SET captured_amount = p.captured_amount + ${amount}::bigint,
             status = CASE WHEN p.refunded_amount > 0 THEN 'PARTIALLY_REFUNDED' ELSE 'CAPTURED' END,
             updated_at = now()
       WHERE p.store_id = ${currentStore()}::uuid AND p.id = ${paymentId}::uuid
      RETURNING p.store_id, p.id, p.order_id
    )
    INSERT INTO outbox_events (store_id, aggregate_type, aggregate_id, type, payload)
    SELECT c.store_id, 'payment', c.id, 'payment.settled',
           json_build_object(
             'paymentId', c.id, 'orderId', c.order_id, 'settlementId', ${id}::uuid,
             'amount', money(${amount}::bigint, ${currency}::text)
           )
      FROM captured c`;
}
