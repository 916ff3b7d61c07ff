import type { ClaimGroup } from './claim.js';

/** Double entry, read again from the entries alone. */
export const LEDGER: ClaimGroup = {
  name: 'ledger',
  claims: [
    {
      name: 'every ledger transaction balances, and what was captured is one SALE for what its order says',
      seconds: 7,
      // One pass: reading millions of entries takes longer than adding them up. Goods, delivery, promotions and taxes are
      // wallets of the store, known by their ids: joined for each entry, all wallets would take as long as everything else. As
      // the transaction balances, the rest of it is the money that was taken.
      without: ['hashagg', 'hashjoin'],
      sql: `
        SELECT coalesce(t.store_id, o.store_id) AS store_id, t.transaction_id, coalesce(t.order_id, o.id::text) AS order_id,
               t.entries, t.amount, o.total, t.sales, t.fees, t.promotions, t.taxes
          FROM (
            SELECT coalesce(t.store_id, e.store_id) AS store_id, coalesce(t.id, e.transaction_id) AS transaction_id,
                   CASE t.type WHEN 'SALE' THEN t.reference END AS order_id,
                   e.entries, e.amount, e.sales, e.fees, e.promotions, e.taxes
              FROM ledger_transactions t
              FULL JOIN (
                SELECT e.store_id, e.transaction_id, count(*) AS entries, bigint_sum(e.amount) AS amount,
                       bigint_sum(e.amount) FILTER (WHERE e.wallet_id = own.sales) AS sales,
                       bigint_sum(e.amount) FILTER (WHERE e.wallet_id = own.fees) AS fees,
                       bigint_sum(e.amount) FILTER (WHERE e.wallet_id = own.promotions) AS promotions,
                       bigint_sum(e.amount) FILTER (WHERE e.wallet_id = own.taxes) AS taxes
                  FROM ledger_entries e
                  LEFT JOIN (
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
             WHERE t.type = 'SALE' OR t.id IS NULL OR e.entries IS NULL OR e.entries < 2 OR e.amount <> 0
          ) t
          FULL JOIN (
            SELECT o.store_id, o.id, o.total, o.discount, o.tax,
                   o.subtotal - CASE WHEN o.tax_inclusive THEN o.tax - o.delivery_tax ELSE 0 END AS goods,
                   o.delivery_fee - CASE WHEN o.tax_inclusive THEN o.delivery_tax ELSE 0 END AS fee
              FROM orders o
              JOIN payments p ON p.store_id = o.store_id AND p.order_id = o.id
             WHERE p.status IN ('CAPTURED', 'PARTIALLY_REFUNDED', 'REFUNDED') AND o.total > 0
          ) o ON o.store_id = t.store_id AND o.id::text COLLATE "C" = t.order_id COLLATE "C"
         WHERE o.id IS NULL OR t.entries IS NULL OR t.entries < 2 OR t.amount <> 0 OR t.sales <> o.goods OR t.fees <> o.fee
            OR t.promotions <> -o.discount OR t.taxes <> o.tax`,
    },
    {
      name: 'a kept balance, and a checkpoint, is the sum of its entries, which are in its currency, as are those posted with them; the books add up to zero',
      seconds: 2.5,
      // One pass for all sums, apart for what lies between two checkpoints. Of entries in another currency than the store's, of
      // which there are few or none, whatever is posted with them is looked up.
      without: ['mergejoin', 'sort'],
      sql: `
        WITH checkpoints AS MATERIALIZED (
          SELECT store_id, wallet_id, array_agg(entry_id ORDER BY entry_id) AS entry_ids,
                 array_agg(balance ORDER BY entry_id) AS balances
            FROM wallet_checkpoints
           WHERE balance IS NOT NULL
           GROUP BY store_id, wallet_id
        ), stretches AS MATERIALIZED (
          SELECT e.store_id, e.wallet_id, e.currency, width_bucket(e.id - 1, k.entry_ids) AS after, sum(e.amount) AS amount,
                 count(*) AS entries
            FROM ledger_entries e
            LEFT JOIN checkpoints k ON k.store_id = e.store_id AND k.wallet_id = e.wallet_id
           GROUP BY e.store_id, e.wallet_id, e.currency, width_bucket(e.id - 1, k.entry_ids)
        ), moved AS MATERIALIZED (
          SELECT store_id, wallet_id, currency, sum(amount) AS amount, sum(entries) AS entries
            FROM stretches
           GROUP BY store_id, wallet_id, currency
        )
        SELECT coalesce(w.store_id, m.store_id) AS store_id, coalesce(w.id, m.wallet_id) AS wallet_id, w.kind,
               coalesce(w.currency, m.currency) AS currency, w.balance, m.amount, m.entries, NULL::uuid AS transaction_id,
               NULL::bpchar AS other
          FROM wallets w
          FULL JOIN moved m ON m.store_id = w.store_id AND m.wallet_id = w.id AND m.currency = w.currency
         WHERE w.id IS NULL OR (w.balance_kept AND w.balance <> coalesce(m.amount, 0))
         UNION ALL
        SELECT k.store_id, k.wallet_id, 'checkpoint', NULL, k.balance, k.amount, NULL, NULL, NULL
          FROM (
            SELECT c.store_id, c.wallet_id, c.balances[n] AS balance, n,
                   sum(coalesce(s.amount, 0)) OVER (PARTITION BY c.store_id, c.wallet_id ORDER BY n) AS amount
              FROM checkpoints c
             CROSS JOIN LATERAL generate_subscripts(c.entry_ids, 1) AS n
              LEFT JOIN (
                SELECT store_id, wallet_id, after, sum(amount) AS amount
                  FROM stretches
                 GROUP BY store_id, wallet_id, after
              ) s ON s.store_id = c.store_id AND s.wallet_id = c.wallet_id AND s.after = n - 1
          ) k
         WHERE k.balance <> k.amount
         UNION ALL
        SELECT store_id, NULL, 'all wallets', currency, NULL, sum(amount), sum(entries), NULL, NULL
          FROM moved
         GROUP BY store_id, currency
        HAVING sum(amount) <> 0
         UNION ALL
        SELECT m.store_id, m.wallet_id, NULL, m.currency, NULL, NULL, NULL, e.transaction_id, other.currency
          FROM moved m
          JOIN stores s ON s.id = m.store_id AND s.currency <> m.currency
         CROSS JOIN LATERAL (
           SELECT transaction_id
             FROM ledger_entries
            WHERE wallet_id = m.wallet_id AND store_id = m.store_id AND currency = m.currency
           OFFSET 0
         ) e
         CROSS JOIN LATERAL (
           SELECT currency
             FROM ledger_entries
            WHERE store_id = m.store_id AND transaction_id = e.transaction_id AND currency <> m.currency
           OFFSET 0
         ) other`,
    },
    {
      name: 'no wallet is below zero that may not be, and no agent holds less cash than none',
      sql: `
        SELECT store_id, id AS wallet_id, kind, balance
          FROM wallets
         WHERE (balance < 0 AND NOT allow_negative) OR (kind = 'AGENT_CASH' AND balance > 0)`,
    },
  ],
};
