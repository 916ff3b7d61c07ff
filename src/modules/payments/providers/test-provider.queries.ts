import { currentStore } from '../../../common/request-context.js';
import { Prisma } from '../../../generated/prisma/client.js';
import type { ProviderOperation } from './payment-provider.js';

export interface AskedRow {
  outcome: { result: string; code?: string; ref?: string };
}

/** See test_provider_ask() for what the cards do. */
export function askTestProvider({ id, kind, paymentId, source, amount }: ProviderOperation): Prisma.Sql {
  return Prisma.sql`
    SELECT test_provider_ask(
             ${currentStore()}::uuid, ${id}::uuid, ${kind}, ${paymentId}::uuid, ${source}, ${amount}::bigint
           ) AS outcome`;
}

export interface TestPaymentRow {
  status: 'WAITING' | 'ACTION_REQUIRED' | 'PROCESSING' | 'AUTHORIZED' | 'CAPTURED' | 'VOIDED';
}

export function testPayment(ref: string): Prisma.Sql {
  return Prisma.sql`
    SELECT t.status
      FROM test_provider_payments t
     WHERE t.store_id = ${currentStore()}::uuid AND t.ref = ${ref}`;
}

/** The customer's bank says yes or no; false when it wasn't asked. */
export function answerAsTestBank(ref: string, approved: boolean): Prisma.Sql {
  return Prisma.sql`SELECT test_bank_answer(${currentStore()}::uuid, ${ref}, ${approved}) AS answered`;
}
