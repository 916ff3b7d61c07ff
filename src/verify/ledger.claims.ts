import type { ClaimGroup } from './claim.js';

/** Double entry, read again from the entries alone. */
export const LEDGER: ClaimGroup = {
  name: 'ledger',
  claims: [
    {
      name: 'every ledger transaction balances',
      seconds: 2.5,
      without: ['hashagg', 'hashjoin'],
      sql: `
        SELECT coalesce(t.store_id, e.store_id) AS store_id, coalesce(t.id, e.transaction_id) AS transaction_id, e.entries,
               e.amount
          FROM ledger_transactions t
          FULL JOIN (
            SELECT store_id, transaction_id, bigint_sum(amount) AS amount, count(*) AS entries
              FROM ledger_entries
             GROUP BY store_id, transaction_id
          ) e ON e.store_id = t.store_id AND e.transaction_id = t.id
         WHERE t.id IS NULL OR e.entries IS NULL OR e.entries < 2 OR e.amount <> 0`,
    },
    {
      name: 'a ledger transaction is in one currency',
      // Every entry of another currency than the store's, of which there are few or none, and whatever is posted with it.
      sql: `
        SELECT o.store_id, o.transaction_id, o.currency, e.currency AS other
          FROM (
            SELECT e.store_id, e.transaction_id, e.currency
              FROM ledger_entries e
              JOIN stores s ON s.id = e.store_id AND s.currency <> e.currency
            OFFSET 0
          ) o
         CROSS JOIN LATERAL (
           SELECT currency
             FROM ledger_entries
            WHERE store_id = o.store_id AND transaction_id = o.transaction_id AND currency <> o.currency
           OFFSET 0
         ) e`,
    },
    {
      name: 'a kept balance is the sum of its entries, and every entry is in a wallet of its store and currency',
      sql: `
        SELECT coalesce(w.store_id, e.store_id) AS store_id, coalesce(w.id, e.wallet_id) AS wallet_id, w.kind, w.balance,
               e.amount, e.entries
          FROM wallets w
          FULL JOIN (
            SELECT store_id, wallet_id, currency, sum(amount) AS amount, count(*) AS entries
              FROM ledger_entries
             GROUP BY store_id, wallet_id, currency
          ) e ON e.store_id = w.store_id AND e.wallet_id = w.id AND e.currency = w.currency
         WHERE w.id IS NULL OR (w.balance_kept AND w.balance <> coalesce(e.amount, 0))`,
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
