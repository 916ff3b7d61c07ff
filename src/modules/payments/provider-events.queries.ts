import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';
import type { ProviderNews } from './providers/payment-provider.js';

export interface ReceivedRow {
  result: 'RECEIVED' | 'DUPLICATE' | 'UNKNOWN';
}

/** See receive_provider_event(), which finds out whose they are. */
export function acrossStoresReceiveEvent(provider: string, news: ProviderNews, payload: string): Prisma.Sql {
  const { eventId, type, storeId, paymentId, ref } = news;
  return Prisma.sql`
    SELECT receive_provider_event(
             ${provider}, ${eventId}, ${type}, ${payload}::json, ${storeId}::uuid, ${paymentId}::uuid, ${ref}
           ) AS result`;
}

export function markProcessed(provider: string, eventId: string): Prisma.Sql {
  return Prisma.sql`
    UPDATE provider_events e
       SET processed_at = now()
     WHERE e.store_id = ${currentStore()}::uuid AND e.provider = ${provider} AND e.event_id = ${eventId}`;
}

/** News of all stores that were dealt with so long ago that no provider sends them again: Stripe tries for three days. */
export function acrossStoresForgetEvents(keepDays: number, limit: number): Prisma.Sql {
  return Prisma.sql`
    DELETE FROM provider_events e
     WHERE (e.provider, e.event_id) IN (
       SELECT d.provider, d.event_id
         FROM provider_events d
        WHERE d.processed_at < now() - ${keepDays}::int * interval '1 day'
        ORDER BY d.processed_at
        LIMIT ${limit}::int
     )
    RETURNING e.event_id`;
}
