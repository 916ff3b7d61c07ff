import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';
import type { PostingEntry } from '../wallets/ledger.queries.js';

/**
 * Posts the sale of an order, see post_sale(): the money side given, which adds up to minus the order's total, the revenue
 * side from the order. Locks the users' wallets among them in the order of their ids.
 */
export function postSale(orderId: string, actorId: string | null, money: readonly PostingEntry[]): Prisma.Sql {
  return Prisma.sql`
    SELECT post_sale(o, ${actorId}::uuid, array_agg(w.id), array_agg(e.amount)) AS id
      FROM orders o
     CROSS JOIN unnest(
             ${money.map(({ kind }) => kind)}::text[],
             ${money.map(({ ownerId }) => ownerId)}::uuid[],
             ${money.map(({ amount }) => String(amount))}::bigint[]
           ) AS e (kind, owner_id, amount)
      LEFT JOIN wallets w
        ON w.store_id = o.store_id
       AND w.kind = e.kind
       AND w.owner_id = e.owner_id
       AND w.currency = o.currency
     WHERE o.store_id = ${currentStore()}::uuid
       AND o.id = ${orderId}::uuid
     GROUP BY o.store_id, o.id`;
}

export interface PaymentOrderRow {
  order_id: string;
  /** It does not wait any more, though nobody has ended it yet. */
  overdue: boolean;
}

/** The order of a payment, its row held until the transaction ends: who changes a payment holds it (see docs/payments.md). */
export function lockOrderOfPayment(paymentId: string): Prisma.Sql {
  return Prisma.sql`
    SELECT o.id AS order_id, coalesce(o.expires_at <= now(), false) AS overdue
      FROM orders o
      JOIN payments p ON p.store_id = o.store_id AND p.order_id = o.id
     WHERE p.store_id = ${currentStore()}::uuid AND p.id = ${paymentId}::uuid
       FOR NO KEY UPDATE OF o`;
}

export interface PayerRow {
  /** Who charges the card; null: it is no card payment. */
  provider: string | null;
  cart_id: string | null;
}

/** A payment for who has to pay it: its order's customer, or a guest with the token of its cart. */
export function payerOf(paymentId: string, customerId: string | null, tokenHash: Buffer | null): Prisma.Sql {
  return Prisma.sql`
    SELECT p.provider, o.cart_id
      FROM payments p
      JOIN orders o ON o.store_id = p.store_id AND o.id = p.order_id
      LEFT JOIN carts c ON c.store_id = o.store_id AND c.id = o.cart_id
     WHERE p.store_id = ${currentStore()}::uuid AND p.id = ${paymentId}::uuid
       AND (o.customer_id = ${customerId}::uuid OR (o.customer_id IS NULL AND c.token_hash = ${tokenHash}::bytea))`;
}

export interface CaptureModeRow {
  card_capture: 'AUTOMATIC' | 'MANUAL';
}

export function captureMode(): Prisma.Sql {
  return Prisma.sql`SELECT s.card_capture FROM stores s WHERE s.id = ${currentStore()}::uuid`;
}

/** News of a payment for the rest of the world, in the transaction that made them. */
export function writePaymentEvent(paymentId: string, type: string, payload: object): Prisma.Sql {
  return Prisma.sql`
    INSERT INTO outbox_events (store_id, aggregate_type, aggregate_id, type, payload)
    VALUES (${currentStore()}::uuid, 'payment', ${paymentId}::uuid, ${type}, ${JSON.stringify(payload)}::json)`;
}
