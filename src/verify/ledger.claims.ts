import type { ClaimGroup } from './claim.js';

/**
 * Where two tables have to agree, both are put under each other and grouped: one pass over each, and a row that one of them
 * lacks shows like a figure that is wrong.
 */
export const LEDGER: ClaimGroup = {
  name: 'ledger',
  claims: [
    {
      name: 'every ledger transaction balances',
      sql: `
        SELECT store_id, id AS transaction_id, sum(entries) AS entries, sum(amount) AS amount
          FROM (
            SELECT store_id, id, 0 AS amount, 0 AS entries, 1 AS heads, NULL::bpchar AS currency
              FROM ledger_transactions
             UNION ALL
            SELECT store_id, transaction_id, amount, 1, 0, currency
              FROM ledger_entries
          ) posted
         GROUP BY store_id, id
        HAVING sum(amount) <> 0 OR sum(entries) < 2 OR sum(heads) <> 1 OR min(currency) <> max(currency)`,
    },
    {
      name: 'a kept balance is the sum of its entries',
      sql: `
        SELECT min(store_id::text) AS store_id, id AS wallet_id, sum(balance) AS balance, sum(entries) AS entries
          FROM (
            SELECT store_id, id, balance, 0 AS entries, balance_kept AS kept
              FROM wallets
             UNION ALL
            SELECT NULL, wallet_id, 0, sum(amount), NULL
              FROM ledger_entries
             GROUP BY wallet_id
          ) held
         GROUP BY id
        HAVING bool_and(kept) AND sum(balance) <> sum(entries)`,
    },
    {
      name: 'every entry is in a wallet of its store and currency',
      sql: `
        SELECT e.store_id, e.wallet_id, e.currency, e.entries
          FROM (
            SELECT store_id, wallet_id, currency, count(*) AS entries FROM ledger_entries GROUP BY store_id, wallet_id, currency
          ) e
          LEFT JOIN wallets w ON w.store_id = e.store_id AND w.id = e.wallet_id AND w.currency = e.currency
         WHERE w.id IS NULL`,
    },
    {
      name: 'the books of every store add up to zero',
      sql: `
        SELECT store_id, currency, sum(amount) AS amount
          FROM ledger_entries
         GROUP BY store_id, currency
        HAVING sum(amount) <> 0`,
    },
    {
      name: 'no wallet is below zero that may not be, and no agent holds less cash than none',
      sql: `
        SELECT store_id, id AS wallet_id, kind, balance
          FROM wallets
         WHERE (balance < 0 AND NOT allow_negative) OR (kind = 'AGENT_CASH' AND balance > 0)`,
    },
    {
      name: 'a checkpoint is the sum of the entries up to it',
      // From one checkpoint to the next, so that no entry is summed twice; of a wallet without checkpoints, none.
      sql: `
        SELECT k.store_id, k.wallet_id, k.entry_id, k.balance, k.balance - k.earlier AS moved, tail.amount AS entries
          FROM (
            SELECT store_id, wallet_id, entry_id, balance,
                   lag(entry_id, 1, 0::bigint) OVER by_entry AS after_id, lag(balance, 1, 0::bigint) OVER by_entry AS earlier
              FROM wallet_checkpoints
             WHERE balance IS NOT NULL
            WINDOW by_entry AS (PARTITION BY store_id, wallet_id ORDER BY entry_id)
          ) k
         CROSS JOIN LATERAL (
           SELECT coalesce(sum(e.amount), 0) AS amount
             FROM ledger_entries e
            WHERE e.wallet_id = k.wallet_id AND e.id > k.after_id AND e.id <= k.entry_id
         ) tail
         WHERE k.balance - k.earlier <> tail.amount`,
    },
  ],
};
