import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';
import type { PostingEntry } from '../wallets/ledger.queries.js';

/**
 * Posts the sale of an order, see post_sale(): the money side given, which adds up to minus the order's total, the revenue
 * side from the order. Locks the users' wallets among them in the order of their ids.
 */
export function postSale(orderId: string, actorId: string | null, money: readonly PostingEntry[]): Prisma.Sql {
  return Prisma.sql`
    SELECT post_sale(o, ${actorId}::uuid, array_agg(w.id), array_agg(e.amount)) AS id
      FROM orders o
     CROSS JOIN unnest(
             ${money.map(({ kind }) => kind)}::text[],
             ${money.map(({ ownerId }) => ownerId)}::uuid[],
             ${money.map(({ amount }) => String(amount))}::bigint[]
           ) AS e (kind, owner_id, amount)
      LEFT JOIN wallets w
        ON w.store_id = o.store_id
       AND w.kind = e.kind
       AND w.owner_id = e.owner_id
       AND w.currency = o.currency
     WHERE o.store_id = ${currentStore()}::uuid
       AND o.id = ${orderId}::uuid
     GROUP BY o.store_id, o.id`;
}
