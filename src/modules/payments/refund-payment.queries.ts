import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';

/** See refund_rest(). */
export function refundRest(orderId: string, actorId: string | null, reason: string): Prisma.Sql {
  return Prisma.sql`
    SELECT refund_rest(${currentStore()}::uuid, ${orderId}::uuid, ${actorId}::uuid, ${reason})`;
}

/** See pay_refund(). */
export function payRefund(refundId: string, actorId: string): Prisma.Sql {
  return Prisma.sql`
    SELECT pay_refund(${currentStore()}::uuid, ${refundId}::uuid, ${actorId}::uuid)`;
}

/** See settle_refund(). */
export function settleRefund(refundId: string): Prisma.Sql {
  return Prisma.sql`
    SELECT settle_refund(${currentStore()}::uuid, ${refundId}::uuid, NULL) AS done`;
}

/** See release_refund(). */
export function releaseRefund(refundId: string, status: 'FAILED' | 'REJECTED', actorId: string | null): Prisma.Sql {
  return Prisma.sql`
    SELECT release_refund(${currentStore()}::uuid, ${refundId}::uuid, ${status}, ${actorId}::uuid) AS done`;
}
