import { currentContext, currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';
import type { OperationKind } from './providers/payment-provider.js';

export interface NewOperation {
  id: string;
  paymentId: string;
  kind: OperationKind;
  amount: number;
  refundId?: string;
  /** Of AUTHORIZE: a provider's token of a card. */
  source?: string;
  /** Of VOID: an authorisation that is not the payment's own. */
  providerRef?: string;
}

/** Written for a job, which asks the provider once this is committed. */
export function writeOperation({ id, paymentId, kind, amount, ...more }: NewOperation): Prisma.Sql {
  return Prisma.sql`
    WITH written AS (
      INSERT INTO payment_operations (store_id, id, payment_id, kind, amount, refund_id, source, provider_ref)
      VALUES (
        ${currentStore()}::uuid, ${id}::uuid, ${paymentId}::uuid, ${kind}, ${amount}::bigint, ${more.refundId ?? null}::uuid,
        ${more.source ?? null}, ${more.providerRef ?? null}
      )
      RETURNING store_id, id
    )
    SELECT enqueue_job(
             w.store_id, 'payments.operate', json_build_object('operationId', w.id), NULL, w.id::text, NULL,
             ${currentContext()?.requestId ?? null}
           )::text AS job
      FROM written w`;
}

/** Written for who asks the provider himself, at once; nobody else does within the lease. */
export function writeLeasedOperation(
  { id, paymentId, kind, amount, source }: NewOperation,
  leaseMs: number,
): Prisma.Sql {
  return Prisma.sql`
    INSERT INTO payment_operations (store_id, id, payment_id, kind, amount, source, next_attempt_at)
    VALUES (
      ${currentStore()}::uuid, ${id}::uuid, ${paymentId}::uuid, ${kind}, ${amount}::bigint, ${source ?? null},
      now() + ${leaseMs}::int * interval '1 millisecond'
    )`;
}

/** What the provider did without being asked for it, on record like the rest. */
export function writeFinishedOperation({ id, paymentId, kind, amount }: NewOperation): Prisma.Sql {
  return Prisma.sql`
    INSERT INTO payment_operations (store_id, id, payment_id, kind, amount, status, finished_at)
    VALUES (${currentStore()}::uuid, ${id}::uuid, ${paymentId}::uuid, ${kind}, ${amount}::bigint, 'SUCCEEDED', now())`;
}

export interface OperationRow {
  id: string;
  kind: OperationKind;
  status: 'PENDING' | 'SUCCEEDED' | 'FAILED';
  amount: bigint | number;
  refund_id: string | null;
  source: string | null;
  operation_ref: string | null;
  action_required: boolean;
  attempts: number;
  failure_code: string | null;
  created_at: Date;
  payment_id: string;
  order_id: string;
  provider: string;
  payment_ref: string | null;
  currency: string;
}

const OPERATION_COLUMNS = Prisma.sql`
  op.id, op.kind, op.status, op.amount, op.refund_id, op.source, op.provider_ref AS operation_ref, op.action_required,
  op.attempts, op.failure_code, op.created_at, op.payment_id, p.order_id, p.provider, p.provider_ref AS payment_ref, p.currency`;

/** @param early although its next attempt is not due yet */
export function claimOperation(id: string, leaseMs: number, early: boolean): Prisma.Sql {
  return Prisma.sql`
    UPDATE payment_operations op
       SET attempts = least(op.attempts + 1, 32000),
           next_attempt_at = now() + ${leaseMs}::int * interval '1 millisecond'
      FROM payments p
     WHERE op.store_id = ${currentStore()}::uuid AND op.id = ${id}::uuid AND op.status = 'PENDING'
       AND (${early} OR op.next_attempt_at <= now())
       AND p.store_id = op.store_id AND p.id = op.payment_id
    RETURNING ${OPERATION_COLUMNS}`;
}

export function operationById(id: string): Prisma.Sql {
  return Prisma.sql`
    SELECT ${OPERATION_COLUMNS}
      FROM payment_operations op
      JOIN payments p ON p.store_id = op.store_id AND p.id = op.payment_id
     WHERE op.store_id = ${currentStore()}::uuid AND op.id = ${id}::uuid`;
}

/** What the payment itself is under way with: one thing at most (payment_operations_running_key). */
export function runningOperation(paymentId: string): Prisma.Sql {
  return Prisma.sql`
    SELECT ${OPERATION_COLUMNS}
      FROM payment_operations op
      JOIN payments p ON p.store_id = op.store_id AND p.id = op.payment_id
     WHERE op.store_id = ${currentStore()}::uuid AND op.payment_id = ${paymentId}::uuid AND op.status = 'PENDING'
       AND op.kind <> 'REFUND' AND op.provider_ref IS NULL`;
}

export interface OperationIdRow {
  id: string;
}

/** Refunds that the provider has begun and not ended. */
export function begunRefunds(paymentId: string): Prisma.Sql {
  return Prisma.sql`
    SELECT op.id
      FROM payment_operations op
     WHERE op.store_id = ${currentStore()}::uuid AND op.payment_id = ${paymentId}::uuid AND op.status = 'PENDING'
       AND op.kind = 'REFUND' AND op.provider_ref IS NOT NULL`;
}

/** Ends an operation, once. */
export function finishOperation(
  id: string,
  { status, code, ref }: { status: 'SUCCEEDED' | 'FAILED'; code?: string; ref?: string | null },
): Prisma.Sql {
  return Prisma.sql`
    UPDATE payment_operations op
       SET status = ${status}, failure_code = ${code ?? null}, provider_ref = coalesce(${ref ?? null}, op.provider_ref),
           action_required = false, finished_at = now()
     WHERE op.store_id = ${currentStore()}::uuid AND op.id = ${id}::uuid AND op.status = 'PENDING'`;
}

/** Takes an operation back that nobody has asked the provider for; returns a row when that was so. Claiming it comes before or after. */
export function withdrawOperation(id: string, code: string): Prisma.Sql {
  return Prisma.sql`
    UPDATE payment_operations op
       SET status = 'FAILED', failure_code = ${code}, finished_at = now()
     WHERE op.store_id = ${currentStore()}::uuid AND op.id = ${id}::uuid AND op.status = 'PENDING' AND op.attempts = 0
    RETURNING op.id`;
}

/** Nobody knows yet: asked again after a while. */
export function postponeOperation(
  id: string,
  { delayMs, code, ref, actionRequired }: { delayMs: number; code?: string; ref?: string; actionRequired?: boolean },
): Prisma.Sql {
  return Prisma.sql`
    UPDATE payment_operations op
       SET next_attempt_at = now() + ${delayMs}::int * interval '1 millisecond',
           failure_code = coalesce(${code ?? null}, op.failure_code), provider_ref = coalesce(${ref ?? null}, op.provider_ref),
           action_required = op.action_required OR ${actionRequired ?? false}
     WHERE op.store_id = ${currentStore()}::uuid AND op.id = ${id}::uuid AND op.status = 'PENDING'`;
}

export interface ClaimedRow {
  store_id: string;
  id: string;
}

/** See claim_payment_operations(): of all stores, each run in the context of its own. */
export function acrossStoresClaimOperations(limit: number, leaseMs: number): Prisma.Sql {
  return Prisma.sql`SELECT store_id, id FROM claim_payment_operations(${limit}::int, ${leaseMs}::int)`;
}

export interface OperationBacklogRow {
  pending: number;
  oldest_s: number;
}

/**
 * No more than can be counted in a moment. What waits for the customer, who is to tell his bank that it is he, is nobody's
 * backlog for as long as his order waits for him.
 */
export function acrossStoresBacklog(): Prisma.Sql {
  return Prisma.sql`
    SELECT count(*)::int AS pending, coalesce(extract(epoch FROM now() - min(b.since)), 0)::float8 AS oldest_s
      FROM (
        SELECT coalesce(o.expires_at, op.created_at) AS since
          FROM payment_operations op
          LEFT JOIN payments p ON p.store_id = op.store_id AND p.id = op.payment_id AND op.action_required
          LEFT JOIN orders o ON o.store_id = p.store_id AND o.id = p.order_id
         WHERE op.status = 'PENDING'
         LIMIT 10000
      ) b
     WHERE b.since <= now()`;
}
