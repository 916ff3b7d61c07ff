import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';

const LATEST = 50;
/** What becomes of an offer otherwise, staff or time does. */
const BY_AGENTS = ['accepted', 'rejected', 'picked_up', 'delivered', 'failed'].map((step) => `assignment.${step}`);

/**
 * The last things that happened, of those that are still in the outbox, newest first. Who: of a step of an order, its history
 * says; of a delivery and of cash, the agent, but nobody of an offer; of what was asked for, who asked, and then who decided.
 */
export function activity(): Prisma.Sql {
  return Prisma.sql`
    WITH latest AS MATERIALIZED (
      SELECT e.id, e.type, e.aggregate_type, e.aggregate_id, e.payload, e.created_at,
             CASE WHEN e.aggregate_type = 'agent' OR e.type = ANY (${BY_AGENTS}::text[]) THEN (e.payload ->> 'agentId')::uuid END AS agent_id
        FROM outbox_events e
       WHERE e.store_id = ${currentStore()}::uuid
       ORDER BY e.id DESC
       LIMIT ${LATEST}::int
    )
    SELECT json_build_object(
             'items', coalesce(json_agg(json_build_object(
               'id', e.id::text, 'at', iso_time(e.created_at), 'type', e.type, 'subjectId', e.aggregate_id,
               'orderId', o.id, 'orderNumber', o.number, 'amount', coalesce(e.payload -> 'amount', e.payload -> 'total'),
               'by', CASE WHEN u.id IS NOT NULL OR h.actor_role IS NOT NULL THEN json_build_object(
                 'id', u.id, 'name', u.name, 'role', coalesce(h.actor_role, CASE WHEN e.agent_id IS NOT NULL THEN 'AGENT' END)
               ) END
             ) ORDER BY e.id DESC), '[]')
           )::text AS document
      FROM latest e
      LEFT JOIN orders o
        ON o.store_id = ${currentStore()}::uuid
       AND o.id = CASE e.aggregate_type WHEN 'order' THEN e.aggregate_id ELSE (e.payload ->> 'orderId')::uuid END
      LEFT JOIN order_history h
        ON h.store_id = ${currentStore()}::uuid AND h.order_id = e.aggregate_id AND e.aggregate_type = 'order'
       AND h.version = CASE e.type WHEN 'order.placed' THEN 1 ELSE (e.payload ->> 'version')::int END
      LEFT JOIN LATERAL (
        SELECT a.approver_id AS id
          FROM approval_decisions a
         WHERE a.store_id = ${currentStore()}::uuid AND a.approval_id = e.aggregate_id AND e.type <> 'approval.requested'
         ORDER BY a.decided_at DESC
         LIMIT 1
      ) decided ON e.aggregate_type = 'approval'
      LEFT JOIN users u
        ON u.store_id = ${currentStore()}::uuid
       AND u.id = coalesce(h.actor_id, e.agent_id, decided.id, (e.payload ->> 'requestedBy')::uuid)`;
}
