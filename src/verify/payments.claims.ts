import type { ClaimGroup } from './claim.js';

export const PAYMENTS: ClaimGroup = {
  name: 'payments',
  claims: [
    {
      name: 'a payment is where its order is',
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
    {
      name: 'what was captured is one SALE on the ledger, for what its order says',
      seconds: 6,
      // Goods, delivery, promotions and taxes are wallets of the store, known by their ids: joined for each of millions of
      // entries, all wallets would take as long as everything else. As every transaction
      // balances, the rest of it is the money that was taken.
      without: ['hashagg'],
      sql: `
        SELECT coalesce(o.store_id, s.store_id) AS store_id, coalesce(o.id::text, s.reference) AS order_id, o.total,
               s.sales, s.fees, s.promotions, s.taxes
          FROM (
            SELECT o.store_id, o.id, o.total, o.discount, o.tax,
                   o.subtotal - CASE WHEN o.tax_inclusive THEN o.tax - o.delivery_tax ELSE 0 END AS goods,
                   o.delivery_fee - CASE WHEN o.tax_inclusive THEN o.delivery_tax ELSE 0 END AS fee
              FROM orders o
              JOIN payments p ON p.store_id = o.store_id AND p.order_id = o.id
             WHERE p.status IN ('CAPTURED', 'PARTIALLY_REFUNDED', 'REFUNDED') AND o.total > 0
          ) o
          FULL JOIN (
            SELECT t.store_id, t.reference, e.sales, e.fees, e.promotions, e.taxes
              FROM ledger_transactions t
              JOIN (
                SELECT e.store_id, e.transaction_id,
                       bigint_sum(e.amount) FILTER (WHERE e.wallet_id = own.sales) AS sales,
                       bigint_sum(e.amount) FILTER (WHERE e.wallet_id = own.fees) AS fees,
                       bigint_sum(e.amount) FILTER (WHERE e.wallet_id = own.promotions) AS promotions,
                       bigint_sum(e.amount) FILTER (WHERE e.wallet_id = own.taxes) AS taxes
                  FROM ledger_entries e
                  JOIN (
                    SELECT store_id,
                           (array_agg(id) FILTER (WHERE kind = 'SALES'))[1] AS sales,
                           (array_agg(id) FILTER (WHERE kind = 'DELIVERY_FEES'))[1] AS fees,
                           (array_agg(id) FILTER (WHERE kind = 'PROMOTIONS'))[1] AS promotions,
                           (array_agg(id) FILTER (WHERE kind = 'TAXES'))[1] AS taxes
                      FROM wallets
                     WHERE NOT balance_kept
                     GROUP BY store_id
                  ) own ON own.store_id = e.store_id
                 GROUP BY e.store_id, e.transaction_id
              ) e ON e.store_id = t.store_id AND e.transaction_id = t.id
             WHERE t.type = 'SALE'
          ) s ON s.store_id = o.store_id AND s.reference = o.id::text
         WHERE o.id IS NULL OR s.reference IS NULL OR s.sales <> o.goods OR s.fees <> o.fee
            OR s.promotions <> -o.discount OR s.taxes <> o.tax`,
    },
  ],
};
