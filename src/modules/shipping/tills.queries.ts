import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';

/** An agent's cash, minor units. */
export interface TillRow {
  currency: string;
  /** In his hand, by the ledger. */
  cash: bigint;
  /** Of it, found missing at a count that waits for a decision. */
  pending: bigint;
  /** The open shift, if one is. */
  shift_id: string | null;
}

/** See lock_agent_till(): the agent's cash wallet is locked until the transaction ends. All null when there is no such agent. */
export function lockTill(agentId: string, { open }: { open: boolean }): Prisma.Sql {
  return Prisma.sql`
    SELECT t.currency, t.cash, t.pending, t.shift_id
      FROM lock_agent_till(${currentStore()}::uuid, ${agentId}::uuid, ${open}) t
     WHERE t.currency IS NOT NULL`;
}

export interface HandedIn {
  id: string;
  agentId: string;
  shiftId: string;
  /** Minor units, above zero. */
  amount: number;
  currency: string;
  actorId: string;
}

/** Writes down that cash was handed in, with its event. The ledger is posted to beside it. */
export function insertRemittance({ id, agentId, shiftId, amount, currency, actorId }: HandedIn): Prisma.Sql {
  return Prisma.sql`
    WITH remitted AS (
      INSERT INTO remittances (store_id, id, agent_id, amount, currency, actor_id, shift_id)
      VALUES (
        ${currentStore()}::uuid, ${id}::uuid, ${agentId}::uuid, ${amount}::bigint, ${currency}, ${actorId}::uuid,
        ${shiftId}::uuid
      )
    )
    INSERT INTO outbox_events (store_id, aggregate_type, aggregate_id, type, payload)
    VALUES (
      ${currentStore()}::uuid, 'agent', ${agentId}::uuid, 'agent.cash_remitted',
      json_build_object(
        'agentId', ${agentId}::uuid, 'remittanceId', ${id}::uuid, 'shiftId', ${shiftId}::uuid,
        'amount', money(${amount}::bigint, ${currency}::text)
      )
    )`;
}

export interface Count {
  /** Minor units: what should have been there, and what was. */
  expected: number;
  counted: number;
  actorId: string;
}

/** The count of an open shift; closed with it when nothing is missing and nothing too much. Its event says which. */
export function countShift(shiftId: string, { expected, counted, actorId }: Count): Prisma.Sql {
  return Prisma.sql`
    WITH counted AS (
      UPDATE agent_shifts s
         SET expected = ${expected}::bigint, counted = ${counted}::bigint, counted_by = ${actorId}::uuid, counted_at = clock.at,
             status = CASE WHEN ${expected}::bigint = ${counted}::bigint THEN 'CLOSED' ELSE 'COUNTED' END,
             closed_at = CASE WHEN ${expected}::bigint = ${counted}::bigint THEN clock.at END
        FROM (SELECT clock_timestamp() AS at) clock
       WHERE s.store_id = ${currentStore()}::uuid AND s.id = ${shiftId}::uuid
      RETURNING s.*
    )
    ${tellShift(Prisma.sql`counted`)}`;
}

/** A variance was decided on. */
export function closeShift(shiftId: string): Prisma.Sql {
  return Prisma.sql`
    WITH closed AS (
      UPDATE agent_shifts s
         SET status = 'CLOSED', closed_at = clock_timestamp()
       WHERE s.store_id = ${currentStore()}::uuid AND s.id = ${shiftId}::uuid AND s.status = 'COUNTED'
      RETURNING s.*
    )
    ${tellShift(Prisma.sql`closed`)}`;
}

function tellShift(moved: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`
    INSERT INTO outbox_events (store_id, aggregate_type, aggregate_id, type, payload)
    SELECT s.store_id, 'agent', s.agent_id, 'agent.shift_' || lower(s.status),
           json_build_object(
             'agentId', s.agent_id, 'shiftId', s.id, 'expected', money(s.expected, s.currency),
             'counted', money(s.counted, s.currency)
           )
      FROM ${moved} s
    RETURNING aggregate_id AS id`;
}

/** A shortage that was not approved is the agent's to make good: in the shift that is open now. */
export function chargeShift(shiftId: string, amount: number): Prisma.Sql {
  return Prisma.sql`
    UPDATE agent_shifts s
       SET charged = s.charged + ${amount}::bigint
     WHERE s.store_id = ${currentStore()}::uuid AND s.id = ${shiftId}::uuid AND s.status = 'OPEN'`;
}
