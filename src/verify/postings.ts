/**
 * What facts of these types moved in wallets of these kinds: store_id, type, reference, owner_id, kind, amount. OFFSET 0 has
 * transactions and entries joined before the wallets are: wallets of a kind are few, so the planner takes their entries to be
 * few too, and joined all entries of the busiest wallets with all transactions: 11 s of CPU for a handful of settlements.
 */
export function postings(types: readonly string[], kinds: readonly string[]): string {
  return `(
    SELECT m.store_id, m.type, m.reference, w.owner_id, w.kind, m.amount
      FROM (
        SELECT t.store_id, t.type, t.reference, e.wallet_id, e.amount
          FROM ledger_transactions t
          JOIN ledger_entries e ON e.store_id = t.store_id AND e.transaction_id = t.id
         WHERE t.type IN (${literals(types)})
        OFFSET 0
      ) m
      JOIN wallets w ON w.id = m.wallet_id AND w.kind IN (${literals(kinds)})
  )`;
}

function literals(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(', ');
}
