import type { ClaimGroup } from './claim.js';
import { ofThePast } from './of-the-past.js';

/** What providers were asked and answered, and what Larder made of it. Orders of the past came without. */
export const CARDS: ClaimGroup = {
  name: 'cards',
  claims: [
    {
      name: 'a card is where the operations on it have brought it, each of them done once',
      without: ['hashjoin'],
      sql: `
        SELECT p.store_id, p.id AS payment_id, p.status, p.authorized_amount, op.authorized, op.captured, op.voided, op.running
          FROM payments p
          LEFT JOIN (
            SELECT store_id, payment_id,
                   count(*) FILTER (WHERE kind = 'AUTHORIZE' AND status = 'SUCCEEDED') AS authorized,
                   count(*) FILTER (WHERE kind = 'CAPTURE' AND status = 'SUCCEEDED') AS captured,
                   count(*) FILTER (WHERE kind = 'VOID' AND status = 'SUCCEEDED' AND provider_ref IS NULL) AS voided,
                   count(*) FILTER (WHERE status = 'PENDING' AND kind <> 'REFUND') AS running
              FROM payment_operations
             GROUP BY store_id, payment_id
          ) op ON op.store_id = p.store_id AND op.payment_id = p.id
         WHERE p.method = 'CARD' AND p.amount > 0 AND NOT ${ofThePast('p')}
           AND (
             op.authorized > 1 OR op.captured > 1 OR op.voided > 1 OR op.captured > 0 AND op.voided > 0
             OR CASE p.status
                  WHEN 'PENDING' THEN p.authorized_amount > 0 OR op.authorized > 0
                  WHEN 'AUTHORIZED' THEN p.authorized_amount <> p.amount OR op.authorized IS DISTINCT FROM 1 OR op.captured > 0
                  WHEN 'VOIDED' THEN op.captured > 0 OR (p.authorized_amount > 0 AND coalesce(op.running, 0) = 0)
                  ELSE p.authorized_amount > 0 OR op.captured IS DISTINCT FROM 1
                END
           )`,
    },
    {
      name: 'an order that has ended keeps no money of a card, unless the way back is open or was refused',
      sql: `
        SELECT p.store_id, p.order_id, p.id AS payment_id, p.captured_amount, p.refunded_amount, p.refunding_amount
          FROM payments p
          JOIN orders o ON o.store_id = p.store_id AND o.id = p.order_id
         WHERE p.method = 'CARD' AND o.status IN ('CANCELLED', 'EXPIRED') AND o.imported_at IS NULL
           AND p.refunded_amount + p.refunding_amount < p.captured_amount
           AND NOT EXISTS (
             SELECT 1 FROM refunds r WHERE r.store_id = p.store_id AND r.payment_id = p.id AND r.status = 'FAILED'
           )`,
    },
    {
      name: 'a refund by card is where its operation is',
      sql: `
        SELECT op.store_id, op.id AS operation_id, op.status, r.id AS refund_id, r.status AS refund, r.amount, op.amount AS asked
          FROM payment_operations op
          JOIN refunds r ON r.store_id = op.store_id AND r.id = op.refund_id
         WHERE op.kind = 'REFUND'
           AND (r.amount <> op.amount OR NOT r.status = ANY (
             CASE op.status
               WHEN 'PENDING' THEN ARRAY['PROCESSING']
               WHEN 'SUCCEEDED' THEN ARRAY['SUCCEEDED']
               ELSE ARRAY['FAILED', 'PROCESSING', 'SUCCEEDED']
             END
           ))`,
    },
  ],
};
