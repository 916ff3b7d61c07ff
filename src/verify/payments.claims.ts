import type { ClaimGroup } from './claim.js';

export const PAYMENTS: ClaimGroup = {
  name: 'payments',
  claims: [
    {
      name: 'a payment is where its order is',
      without: ['hashjoin'],
      sql: `
        SELECT o.store_id, o.id AS order_id, o.status, p.id AS payment_id, p.method, p.status AS payment
          FROM orders o
          LEFT JOIN payments p ON p.store_id = o.store_id AND p.order_id = o.id
         WHERE p.id IS NULL OR p.method <> o.payment_method OR p.currency <> o.currency OR p.amount <> o.total
            OR NOT p.status = ANY (
              CASE
                WHEN p.amount = 0 AND p.method <> 'COD' THEN ARRAY['CAPTURED', 'REFUNDED']
                WHEN p.method = 'WALLET' THEN ARRAY['CAPTURED', 'PARTIALLY_REFUNDED', 'REFUNDED']
                WHEN p.method = 'COD' AND o.status = 'DELIVERED' THEN ARRAY['CAPTURED', 'PARTIALLY_REFUNDED', 'REFUNDED']
                WHEN p.method = 'COD' AND o.status IN ('CANCELLED', 'EXPIRED') THEN ARRAY['VOIDED']
                WHEN p.method = 'COD' AND o.status = 'RETURNED'
                  THEN ARRAY['VOIDED', 'CAPTURED', 'PARTIALLY_REFUNDED', 'REFUNDED']
                WHEN p.method = 'COD' THEN ARRAY['PENDING']
                WHEN o.status = 'PENDING' THEN ARRAY['PENDING', 'FAILED']
                WHEN o.status IN ('CANCELLED', 'EXPIRED', 'RETURNED')
                  THEN ARRAY['VOIDED', 'FAILED', 'EXPIRED', 'AUTHORIZED', 'CAPTURED', 'PARTIALLY_REFUNDED', 'REFUNDED']
                ELSE ARRAY['AUTHORIZED', 'CAPTURED', 'PARTIALLY_REFUNDED', 'REFUNDED']
              END
            )`,
    },
    {
      name: 'the status of a payment says what was captured and refunded of it',
      sql: `
        SELECT store_id, id AS payment_id, order_id, method, status, amount, captured_amount, refunded_amount, refunding_amount
          FROM payments
         WHERE refunded_amount + refunding_amount > captured_amount OR captured_amount > amount
            OR refunded_amount < 0 OR refunding_amount < 0
            OR CASE status
                 WHEN 'CAPTURED' THEN refunded_amount > 0 OR (captured_amount < amount AND method <> 'COD')
                 WHEN 'PARTIALLY_REFUNDED' THEN refunded_amount NOT BETWEEN 1 AND captured_amount - 1
                 WHEN 'REFUNDED' THEN refunded_amount <> captured_amount
                 ELSE captured_amount > 0
               END`,
    },
  ],
};
