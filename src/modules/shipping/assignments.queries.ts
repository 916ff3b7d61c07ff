import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';
import type { OrderStatus } from '../orders/orders.states.js';
import type { AssignmentStatus } from './shipping.states.js';

/** Who looks: an agent sees his own and the open offers he may take; staff (null) see all. */
export type AgentViewer = string | null;

/** The address is for staff and for the agent while he carries; an offer shows only where it goes roughly. */
function documentFor(viewer: AgentViewer): Prisma.Sql {
  return Prisma.sql`
    json_build_object(
      'id', a.id, 'orderId', a.order_id, 'orderNumber', o.number, 'agentId', a.agent_id, 'status', a.status, 'zip', a.zip,
      'deliveryAddress', CASE WHEN ${viewer}::uuid IS NULL OR a.status IN ('ACCEPTED', 'PICKED_UP') THEN o.delivery_address END,
      'cashDue', money(a.cash_due, a.currency),
      'cashCollected', CASE WHEN a.cash_collected IS NOT NULL THEN money(a.cash_collected, a.currency) END,
      'shortReason', a.short_reason, 'failReason', a.fail_reason,
      'offeredAt', iso_time(a.offered_at), 'offerExpiresAt', iso_time(a.offer_expires_at),
      'acceptedAt', iso_time(a.accepted_at), 'pickedUpAt', iso_time(a.picked_up_at),
      'deliveredAt', iso_time(a.delivered_at), 'promisedAt', iso_time(a.promised_at)
    )::text AS document`;
}

/** Open offers that the agent may take: a few, however long the history is. */
function openTo(viewer: string): Prisma.Sql {
  return Prisma.sql`
    a.agent_id IS NULL AND a.status = 'OFFERED' AND a.offer_expires_at > now()
    AND EXISTS (
      SELECT 1
        FROM delivery_agents d
       WHERE d.store_id = a.store_id AND d.id = ${viewer}::uuid AND d.status = 'ONLINE'
         AND a.zip = ANY (d.service_zip_codes)
    )
    AND NOT EXISTS (
      SELECT 1
        FROM assignment_rejections r
       WHERE r.store_id = a.store_id AND r.assignment_id = a.id AND r.agent_id = ${viewer}::uuid
    )`;
}

export function assignmentDocument(assignmentId: string, viewer: AgentViewer): Prisma.Sql {
  return Prisma.sql`
    SELECT a.id, ${documentFor(viewer)}
      FROM shipping_assignments a
      JOIN orders o ON o.store_id = a.store_id AND o.id = a.order_id
     WHERE a.store_id = ${currentStore()}::uuid
       AND a.id = ${assignmentId}::uuid
       ${viewer ? Prisma.sql`AND (a.agent_id = ${viewer}::uuid OR ${openTo(viewer)})` : Prisma.empty}`;
}

export interface AssignmentListFilter {
  viewer: AgentViewer;
  status?: AssignmentStatus;
  after: string | null;
  limit: number;
}

/** Newest first. An agent's own and the open ones are two index walks, put together: neither reads past the page. */
export function assignmentDocuments({ viewer, status, after, limit }: AssignmentListFilter): Prisma.Sql {
  const walk = (whose: Prisma.Sql): Prisma.Sql => Prisma.sql`
    (SELECT a.*
       FROM shipping_assignments a
      WHERE a.store_id = ${currentStore()}::uuid
        ${whose}
        ${status ? Prisma.sql`AND a.status = ${status}` : Prisma.empty}
        ${after ? Prisma.sql`AND a.id < ${after}::uuid` : Prisma.empty}
      ORDER BY a.id DESC
      LIMIT ${limit + 1})`;
  const shown = viewer
    ? Prisma.sql`${walk(Prisma.sql`AND a.agent_id = ${viewer}::uuid`)} UNION ALL ${walk(Prisma.sql`AND ${openTo(viewer)}`)}`
    : walk(Prisma.empty);
  return Prisma.sql`
    SELECT a.id, ${documentFor(viewer)}
      FROM (${shown}) a
      JOIN orders o ON o.store_id = a.store_id AND o.id = a.order_id
     ORDER BY a.id DESC
     LIMIT ${limit + 1}`;
}

export interface OfferableRow {
  status: OrderStatus;
  delivery_zip: string;
}

/** The order to offer, share-locked: a cancellation comes before or after, not between. Locked before its assignments. */
export function lockOrderForOffer(orderId: string): Prisma.Sql {
  return Prisma.sql`
    SELECT status, delivery_zip
      FROM orders
     WHERE store_id = ${currentStore()}::uuid AND id = ${orderId}::uuid
       FOR SHARE`;
}

/** Offers that ran out stop being in the way of a new one. The caller has locked the order. */
export function expireOffers(orderId: string): Prisma.Sql {
  return Prisma.sql`
    UPDATE shipping_assignments a
       SET status = 'EXPIRED', closed_at = clock_timestamp()
     WHERE a.store_id = ${currentStore()}::uuid
       AND a.order_id = ${orderId}::uuid
       AND a.status = 'OFFERED'
       AND a.offer_expires_at <= now()
    RETURNING tell_assignment(a) AS id`;
}

export interface NewOffer {
  assignmentId: string;
  orderId: string;
  /** Null: to all eligible agents. */
  agentId: string | null;
  /** The how-manieth of its kind since staff offered the order. */
  round: number;
}

/**
 * Offers an order that the caller has locked. No row comes back when it has an active assignment
 * (shipping_assignments_active_key).
 */
export function insertOffer({ assignmentId, orderId, agentId, round }: NewOffer): Prisma.Sql {
  return Prisma.sql`
    INSERT INTO shipping_assignments AS a (
      store_id, id, order_id, agent_id, status, zip, cash_due, currency, offer_expires_at, promised_at, round
    )
    SELECT o.store_id, ${assignmentId}::uuid, o.id, ${agentId}::uuid, 'OFFERED', o.delivery_zip,
           CASE WHEN p.method = 'COD' AND p.status = 'PENDING' THEN p.amount ELSE 0 END, o.currency,
           now() + make_interval(secs => s.offer_ttl_seconds), o.promised_at, ${round}::smallint
      FROM orders o
      JOIN stores s ON s.id = o.store_id
      JOIN payments p ON p.store_id = o.store_id AND p.order_id = o.id
     WHERE o.store_id = ${currentStore()}::uuid AND o.id = ${orderId}::uuid
    ON CONFLICT (store_id, order_id) WHERE status IN ('OFFERED', 'ACCEPTED', 'PICKED_UP') DO NOTHING
    RETURNING tell_assignment(a) AS id`;
}

export interface AcceptRow {
  outcome: string;
  /** Time from the offer to now. */
  waited_ms: number | null;
}

/** See accept_assignment() in the migrations for what it locks and decides. */
export function acceptAssignment(assignmentId: string, agentId: string): Prisma.Sql {
  return Prisma.sql`
    SELECT outcome, waited_ms
      FROM accept_assignment(${currentStore()}::uuid, ${assignmentId}::uuid, ${agentId}::uuid)`;
}
