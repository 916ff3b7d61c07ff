import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';
import { ACTIVE, AGENT_STEPS, type AssignmentStatus } from './shipping.states.js';

/** A row comes back when the step was taken. */
export interface MovedRow {
  id: string;
}

/**
 * An agent's step with his own assignment: compare-and-set from where it is allowed, and its event. By the database's clock,
 * never backwards: agents are measured by these times.
 */
function moveOwn(id: string, agentId: string, to: keyof typeof AGENT_STEPS, changes: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`
    UPDATE shipping_assignments a
       SET status = ${to}, ${changes}
      FROM (SELECT clock_timestamp() AS at) clock
     WHERE a.store_id = ${currentStore()}::uuid
       AND a.id = ${id}::uuid
       AND a.agent_id = ${agentId}::uuid
       AND a.status = ANY (${[...AGENT_STEPS[to]]}::text[])
    RETURNING tell_assignment(a) AS id`;
}

export function rejectOffer(id: string, agentId: string): Prisma.Sql {
  return moveOwn(id, agentId, 'REJECTED', Prisma.sql`closed_at = greatest(clock.at, a.offered_at)`);
}

export function pickUpParcel(id: string, agentId: string): Prisma.Sql {
  return moveOwn(id, agentId, 'PICKED_UP', Prisma.sql`picked_up_at = greatest(clock.at, a.accepted_at)`);
}

export function failDelivery(id: string, agentId: string, reason: string): Prisma.Sql {
  const changes = Prisma.sql`fail_reason = ${reason}, closed_at = greatest(clock.at, a.accepted_at, a.picked_up_at)`;
  return moveOwn(id, agentId, 'FAILED', changes);
}

export interface Delivery {
  /** Minor units, what is above the amount due included. */
  cashCollected: number;
  shortReason: string | null;
  proof: object;
  shiftId: string;
}

export function deliverParcel(id: string, agentId: string, delivery: Delivery): Prisma.Sql {
  const { cashCollected, shortReason, proof, shiftId } = delivery;
  const changes = Prisma.sql`
    delivered_at = greatest(clock.at, a.picked_up_at), closed_at = greatest(clock.at, a.picked_up_at),
    cash_collected = ${cashCollected}::bigint, short_reason = ${shortReason}, proof = ${JSON.stringify(proof)}::json,
    shift_id = ${shiftId}::uuid`;
  return moveOwn(id, agentId, 'DELIVERED', changes);
}

/** Staff's word, or that an order has ended: takes an assignment back. The caller has locked the order. */
export function cancelAssignments(
  which: { id: string } | { orderId: string },
  from: readonly AssignmentStatus[],
  reason: string | null,
): Prisma.Sql {
  const named = 'id' in which ? Prisma.sql`a.id = ${which.id}::uuid` : Prisma.sql`a.order_id = ${which.orderId}::uuid`;
  return Prisma.sql`
    UPDATE shipping_assignments a
       SET status = 'CANCELLED', fail_reason = ${reason}, closed_at = clock_timestamp()
     WHERE a.store_id = ${currentStore()}::uuid
       AND ${named}
       AND a.status = ANY (${[...from]}::text[])
    RETURNING tell_assignment(a) AS id`;
}

/** Whether an agent is on the order, or an offer of it is out. */
export function activeAssignments(orderId: string): Prisma.Sql {
  return Prisma.sql`
    SELECT a.id
      FROM shipping_assignments a
     WHERE a.store_id = ${currentStore()}::uuid
       AND a.order_id = ${orderId}::uuid
       AND a.status = ANY (${[...ACTIVE]}::text[])`;
}

export interface DeliveryTermsRow {
  status: AssignmentStatus;
  delivery_proof: 'CODE' | 'PHOTO' | 'NAME';
  agent_fee: bigint;
  overpayment_limit: bigint;
  /** The agent's open shift; opened for this if none was. */
  shift_id: string;
}

/** See lock_delivery(): locks the agent's parcel, then his till. No row when the parcel is not his. */
export function lockDelivery(id: string, agentId: string): Prisma.Sql {
  return Prisma.sql`
    SELECT t.status, t.delivery_proof, t.agent_fee, t.overpayment_limit, t.shift_id
      FROM lock_delivery(${currentStore()}::uuid, ${id}::uuid, ${agentId}::uuid) t`;
}
