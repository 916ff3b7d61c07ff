import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';

export interface DueOfferRow {
  id: string;
  order_id: string;
}

/** Offers that ran out, oldest first, by idx_shipping_assignments_expiring. */
export function dueOffers(limit: number): Prisma.Sql {
  return Prisma.sql`
    SELECT a.id, a.order_id
      FROM shipping_assignments a
     WHERE a.store_id = ${currentStore()}::uuid
       AND a.status = 'OFFERED'
       AND a.offer_expires_at <= now()
     ORDER BY a.offer_expires_at
     LIMIT ${limit}::int`;
}

export interface EndedOfferRow {
  order_id: string;
  /** Null: it was open to all. */
  agent_id: string | null;
  zip: string;
  round: number;
  offer_rounds: number;
  /** The order has been offered again since, or has ended: nothing is to be done. */
  settled: boolean;
}

/** An offer that came to nothing, and whether it is still the last word on its order. The caller has locked the order. */
export function endedOffer(id: string): Prisma.Sql {
  return Prisma.sql`
    SELECT a.order_id, a.agent_id, a.zip, a.round, s.offer_rounds,
           o.status NOT IN ('CONFIRMED', 'PREPARING', 'SHIPPING') OR EXISTS (
             SELECT 1
               FROM shipping_assignments later
              WHERE later.store_id = a.store_id AND later.order_id = a.order_id
                AND (later.offered_at, later.id) > (a.offered_at, a.id)
           ) AS settled
      FROM shipping_assignments a
      JOIN orders o ON o.store_id = a.store_id AND o.id = a.order_id
      JOIN stores s ON s.id = a.store_id
     WHERE a.store_id = ${currentStore()}::uuid
       AND a.id = ${id}::uuid
       AND a.status IN ('EXPIRED', 'REJECTED')`;
}

/**
 * Whom to ask next: online, serving the zip code, under his float limit, and never asked for this order before, nor had it,
 * nor turned it down. Who has the fewest parcels first; among these, who has had none for longest.
 */
export function nextAgent(orderId: string, zip: string): Prisma.Sql {
  return Prisma.sql`
    SELECT d.id
      FROM delivery_agents d
      JOIN stores s ON s.id = d.store_id
     CROSS JOIN LATERAL (
       SELECT count(*) AS parcels
         FROM shipping_assignments a
        WHERE a.store_id = d.store_id AND a.agent_id = d.id AND a.status IN ('OFFERED', 'ACCEPTED', 'PICKED_UP')
     ) has
     CROSS JOIN LATERAL (
       SELECT max(a.closed_at) AS at
         FROM shipping_assignments a
        WHERE a.store_id = d.store_id AND a.agent_id = d.id AND a.closed_at IS NOT NULL
     ) latest
     WHERE d.store_id = ${currentStore()}::uuid
       AND d.status = 'ONLINE'
       AND d.service_zip_codes @> ARRAY[${zip}]::text[]
       AND agent_exposure(d.store_id, d.id, s.currency) < s.agent_float_limit
       AND NOT EXISTS (
         SELECT 1
           FROM shipping_assignments a
           LEFT JOIN assignment_rejections r
             ON r.store_id = a.store_id AND r.assignment_id = a.id AND r.agent_id = d.id
          WHERE a.store_id = d.store_id AND a.order_id = ${orderId}::uuid
            AND (a.agent_id = d.id OR r.agent_id IS NOT NULL)
       )
     ORDER BY has.parcels, latest.at NULLS FIRST, d.id
     LIMIT 1`;
}

/** Nobody took it in all its rounds: staff have to see to it. */
export function tellUnclaimed(id: string, orderId: string, rounds: number): Prisma.Sql {
  return Prisma.sql`
    INSERT INTO outbox_events (store_id, aggregate_type, aggregate_id, type, payload)
    VALUES (
      ${currentStore()}::uuid, 'assignment', ${id}::uuid, 'assignment.unclaimed',
      json_build_object('assignmentId', ${id}::uuid, 'orderId', ${orderId}::uuid, 'rounds', ${rounds}::int)
    )`;
}
