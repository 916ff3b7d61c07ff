import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';

const LATEST = 50;
/** What becomes of an offer otherwise, staff or time does; and what happens to an agent's cash, staff. */
const BY_AGENTS = [
  ...['accepted', 'rejected', 'picked_up', 'delivered', 'failed'].map((step) => `assignment.${step}`),
  'agent.shift_opened',
];

/**
 * The last things that happened, of those that are still in the outbox, newest first. Who: of a step of an order, its history
 * says; of a delivery, the agent, but nobody of an offer; of cash, who took or counted it; of what was asked for, who asked,
 * and then who decided.
 */
export function activity(): Prisma.Sql {
  return Prisma.sql`
    WITH latest AS MATERIALIZED (
      SELECT e.id, e.type, e.aggregate_type, e.aggregate_id, e.payload, e.created_at,
             CASE WHEN e.type = ANY (${BY_AGENTS}::text[]) THEN (e.payload ->> 'agentId')::uuid END AS agent_id
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
      LEFT JOIN approvals v
        ON v.store_id = ${currentStore()}::uuid AND v.kind = 'CASH_VARIANCE' AND v.subject_id = (e.payload ->> 'shiftId')::uuid
       AND e.type = 'agent.shift_closed'
      LEFT JOIN LATERAL (
        SELECT a.approver_id AS id
          FROM approval_decisions a
         WHERE a.store_id = ${currentStore()}::uuid
           AND a.approval_id = CASE e.type WHEN 'agent.shift_closed' THEN v.id ELSE e.aggregate_id END
           AND e.type <> 'approval.requested'
         ORDER BY a.decided_at DESC
         LIMIT 1
      ) decided ON e.aggregate_type = 'approval' OR e.type = 'agent.shift_closed'
      LEFT JOIN remittances r ON r.store_id = ${currentStore()}::uuid AND r.id = (e.payload ->> 'remittanceId')::uuid
      LEFT JOIN payment_settlements s ON s.store_id = ${currentStore()}::uuid AND s.id = (e.payload ->> 'settlementId')::uuid
      LEFT JOIN agent_shifts c
        ON c.store_id = ${currentStore()}::uuid AND c.id = (e.payload ->> 'shiftId')::uuid
       AND e.type IN ('agent.shift_counted', 'agent.shift_closed')
      LEFT JOIN users u
        ON u.store_id = ${currentStore()}::uuid
       AND u.id = coalesce(
             h.actor_id, e.agent_id, r.actor_id, s.actor_id, decided.id, c.counted_by, (e.payload ->> 'requestedBy')::uuid
           )`;
}
