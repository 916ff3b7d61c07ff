import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';
import type { ApprovalKind, ApprovalStatus, Decision } from './approvals.kinds.js';

/** What somebody asks the others to agree to. */
export interface ApprovalRequest {
  kind: ApprovalKind;
  /** The refund, withdrawal, shift or adjustment that waits for it: asked for once. */
  subjectId: string;
  /** Minor units; below zero where that means something, as a shortage of cash. */
  amount: number;
  currency: string;
  reason: string;
  /** What an approver has to know: ids and words, no secrets. */
  payload: object;
  requestedBy: string;
}

/** See request_approval(). */
export function requestApproval(request: ApprovalRequest): Prisma.Sql {
  const { kind, subjectId, amount, currency, reason, payload, requestedBy } = request;
  return Prisma.sql`
    SELECT request_approval(
             ${currentStore()}::uuid, ${kind}, ${subjectId}::uuid, ${amount}::bigint, ${currency}, ${reason},
             ${JSON.stringify(payload)}::json, ${requestedBy}::uuid
           ) AS id`;
}

export interface ApprovalRow {
  id: string;
  kind: ApprovalKind;
  subject_id: string;
  amount: bigint;
  currency: string;
  reason: string;
  payload: object;
  requested_by: string;
  required: number;
  approved: number;
  status: ApprovalStatus;
}

/** Whoever decides on it too waits here, for lock_timeout at most. */
export function lockApproval(id: string): Prisma.Sql {
  return Prisma.sql`
    SELECT a.id, a.kind, a.subject_id, a.amount, a.currency, a.reason, a.payload, a.requested_by, a.required, a.approved,
           a.status
      FROM approvals a
     WHERE a.store_id = ${currentStore()}::uuid AND a.id = ${id}::uuid
       FOR UPDATE`;
}

/** Writes a decision; with the last one it takes the request is decided, and the news of it is written. */
export function decide(
  { id, kind, subject_id, requested_by }: ApprovalRow,
  by: { approverId: string; decision: Decision; comment: string | null },
  after: { status: ApprovalStatus; approved: number },
): Prisma.Sql {
  return Prisma.sql`
    WITH decided AS (
      INSERT INTO approval_decisions (store_id, approval_id, approver_id, decision, comment)
      VALUES (${currentStore()}::uuid, ${id}::uuid, ${by.approverId}::uuid, ${by.decision}, ${by.comment})
    ), counted AS (
      UPDATE approvals a
         SET approved = ${after.approved}::int,
             status = ${after.status},
             decided_at = CASE WHEN ${after.status} <> 'PENDING' THEN now() END
       WHERE a.store_id = ${currentStore()}::uuid AND a.id = ${id}::uuid
      RETURNING a.store_id, a.id, a.status, a.amount, a.currency
    )
    INSERT INTO outbox_events (store_id, aggregate_type, aggregate_id, type, payload)
    SELECT c.store_id, 'approval', c.id, 'approval.' || lower(c.status),
           json_build_object(
             'approvalId', c.id, 'kind', ${kind}::text, 'subjectId', ${subject_id}::uuid,
             'amount', money(c.amount, c.currency), 'requestedBy', ${requested_by}::uuid
           )
      FROM counted c
     WHERE c.status <> 'PENDING'`;
}
