import { currentContext, currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';
import type { OrderStatus } from './orders.states.js';

export interface PlacedRow {
  outcome: string;
  status_code: number | null;
  response: string | null;
}

export interface Placement {
  orderId: string;
  /** Null for a guest, who has an e-mail and the token of his cart instead. */
  customerId: string | null;
  guestEmail: string | null;
  /** Ordered instead of the lines. */
  cartId: string | null;
  /** SHA-256 of a guest's token. */
  cartTokenHash: Buffer | null;
  paymentMethod: string;
  /** Who charges cards; null: nobody. */
  provider: string | null;
  variantIds: string[] | null;
  quantities: number[] | null;
  /** JSON text */
  address: string;
  slotId: string | null;
  couponCode: string | null;
  /** What a quote has told, minor units. */
  expectedTotal: number | null;
  deliveryCode: string;
  note: string | null;
  route: string;
  key: string;
  fingerprint: string;
}

/** Places an order: see place_order() in the migrations for what it locks, writes and answers. */
export function placeOrder(p: Placement): Prisma.Sql {
  return Prisma.sql`
    SELECT outcome, status_code, response::text AS response
      FROM place_order(
             ${currentStore()}::uuid, ${p.orderId}::uuid, ${p.customerId}::uuid, ${p.guestEmail}, ${p.cartId}::uuid,
             ${p.cartTokenHash}::bytea, ${p.paymentMethod}, ${p.provider}, ${p.variantIds}::uuid[], ${p.quantities}::int[],
             ${p.address}::json, ${p.slotId}::uuid, ${p.couponCode}, ${p.expectedTotal}::bigint, ${p.deliveryCode}, ${p.note},
             ${p.route}, ${p.key}, ${p.fingerprint}, ${currentContext()?.clientAddress ?? null}
           )`;
}

/** How the key of a placement was found, see idempotency_begin(): NEW when nothing was answered under it. */
export function placementBegun(
  p: Pick<Placement, 'customerId' | 'cartTokenHash' | 'route' | 'key' | 'fingerprint'>,
): Prisma.Sql {
  return Prisma.sql`
    SELECT outcome
      FROM idempotency_begin(
             ${currentStore()}::uuid, order_principal(${p.customerId}::uuid, ${p.cartTokenHash}::bytea),
             ${p.route}, ${p.key}, ${p.fingerprint}
           )`;
}

/** The order that a guest has placed from the cart of this token, with its delivery code. */
export function guestsOrderDocument(orderId: string, cartTokenHash: Buffer | null): Prisma.Sql {
  return Prisma.sql`
    SELECT o.id, order_document(o, true)::text AS document
      FROM orders o
      JOIN carts c ON c.store_id = o.store_id AND c.id = o.cart_id
     WHERE o.store_id = ${currentStore()}::uuid
       AND o.id = ${orderId}::uuid
       AND o.customer_id IS NULL
       AND c.token_hash = ${cartTokenHash}::bytea`;
}

/** One order. A customer (ownerId) sees his own, with its delivery code; staff (null) see any. */
export function orderDocument(orderId: string, viewerId: string, ownerId: string | null): Prisma.Sql {
  return Prisma.sql`
    SELECT o.id, order_document(o, o.customer_id = ${viewerId}::uuid)::text AS document
      FROM orders o
     WHERE o.store_id = ${currentStore()}::uuid
       AND o.id = ${orderId}::uuid
       AND (${ownerId}::uuid IS NULL OR o.customer_id = ${ownerId}::uuid)`;
}

export interface OrderListFilter {
  viewerId: string;
  /** Only orders of this customer; null for all. */
  ownerId: string | null;
  status?: OrderStatus;
  /** Last order of the page before. */
  after: string | null;
  limit: number;
}

/** Newest first. Walks idx_orders_customer, idx_orders_status or the primary key backwards, never more than it returns. */
export function orderDocuments({ viewerId, ownerId, status, after, limit }: OrderListFilter): Prisma.Sql {
  const ofOwner = ownerId ? Prisma.sql`AND o.customer_id = ${ownerId}::uuid` : Prisma.empty;
  const inStatus = status ? Prisma.sql`AND o.status = ${status}` : Prisma.empty;
  const beforeCursor = after ? Prisma.sql`AND o.id < ${after}::uuid` : Prisma.empty;
  return Prisma.sql`
    SELECT o.id, order_document(o, o.customer_id = ${viewerId}::uuid)::text AS document
      FROM orders o
     WHERE o.store_id = ${currentStore()}::uuid
       ${ofOwner}
       ${inStatus}
       ${beforeCursor}
     ORDER BY o.id DESC
     LIMIT ${limit + 1}`;
}

export interface OrderStepRow {
  id: string;
  number: string;
  customer_id: string | null;
  status: OrderStatus;
  version: number;
  currency: string;
  subtotal: bigint;
  discount: bigint;
  delivery_fee: bigint;
  tax: bigint;
  total: bigint;
  delivery_code: string;
  /** In the store's time zone. */
  placed_before_today: boolean;
}

const STEP_COLUMNS = Prisma.sql`
  o.id, o.number, o.customer_id, o.status, o.version, o.currency, o.subtotal, o.discount, o.delivery_fee, o.tax, o.total,
  o.delivery_code,
  o.placed_at < (
    SELECT day_begins((now() AT TIME ZONE s.timezone)::date, s.timezone) FROM stores s WHERE s.id = o.store_id
  ) AS placed_before_today`;

/** What a step needs to know. Not locked: the step compares and sets. */
export function orderForStep(orderId: string): Prisma.Sql {
  return Prisma.sql`
    SELECT ${STEP_COLUMNS}
      FROM orders o
     WHERE o.store_id = ${currentStore()}::uuid AND o.id = ${orderId}::uuid`;
}

/** The same with the order's row held until the end of the transaction. Locked before its assignment, stock and wallets. */
export function lockOrderForStep(orderId: string): Prisma.Sql {
  return Prisma.sql`${orderForStep(orderId)} FOR NO KEY UPDATE`;
}

/** See release_booking(): the order's place in a slot and its use of a coupon are free again. */
export function releaseBooking(orderId: string): Prisma.Sql {
  return Prisma.sql`SELECT release_booking(${currentStore()}::uuid, ${orderId}::uuid)`;
}

/** Compare-and-set; writes the history row and the event with it. Returns a row when the order still was as expected. */
export function moveOrder(
  order: Pick<OrderStepRow, 'id' | 'status' | 'version'>,
  to: OrderStatus,
  by: { actorId: string | null; role: string; reason: string | null },
): Prisma.Sql {
  return Prisma.sql`
    WITH moved AS (
      UPDATE orders
         SET status = ${to}, version = version + 1, updated_at = now()
       WHERE store_id = ${currentStore()}::uuid
         AND id = ${order.id}::uuid
         AND status = ${order.status}
         AND version = ${order.version}
      RETURNING store_id, id, number, version
    ), written AS (
      INSERT INTO order_history (store_id, order_id, version, from_status, to_status, actor_id, actor_role, reason)
      SELECT store_id, id, version, ${order.status}, ${to}, ${by.actorId}::uuid, ${by.role}, ${by.reason}
        FROM moved
    )
    INSERT INTO outbox_events (store_id, aggregate_type, aggregate_id, type, payload)
    SELECT store_id, 'order', id, ${`order.${to.toLowerCase()}`},
           json_build_object('orderId', id, 'number', number, 'from', ${order.status}::text, 'version', version)
      FROM moved
    RETURNING aggregate_id`;
}

export interface OverdueRow {
  store_id: string;
  id: string;
  expires_at: Date;
}

/** Orders of all stores that waited for too long, the longest first. Walks idx_orders_expiring. */
export function acrossStoresOverdueOrders(after: OverdueRow | undefined, limit: number): Prisma.Sql {
  const beyond = after
    ? Prisma.sql`AND (o.expires_at, o.id) > (${after.expires_at}::timestamptz, ${after.id}::uuid)`
    : Prisma.empty;
  return Prisma.sql`
    SELECT o.store_id, o.id, o.expires_at
      FROM orders o
     WHERE o.status = 'PENDING' AND o.expires_at <= now()
       ${beyond}
     ORDER BY o.expires_at, o.id
     LIMIT ${limit}`;
}
