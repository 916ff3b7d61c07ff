/** Types of which there is one for every order or delivery. */
const FREQUENT = ['SALE', 'AGENT_FEE'];

/**
 * What facts of these types moved in wallets of these kinds: store_id, type, reference, owner_id, kind, amount. OFFSET 0 has
 * things done in that order: wallets of a kind are few, so the planner takes their entries to be few too. Of the frequent
 * types, the entries of the wallets are read first, as a whole, by their index (a bitmap of it); of the others the facts, and
 * the entries of each by its id.
 */
export function postings(types: readonly string[], kinds: readonly string[]): string {
  return types.some((type) => FREQUENT.includes(type)) ? manyPostings(types, kinds) : fewPostings(types, kinds);
}

function manyPostings(types: readonly string[], kinds: readonly string[]): string {
  return `(
    SELECT t.store_id, t.type, t.reference, m.owner_id, m.kind, m.amount
      FROM (
        SELECT e.store_id, e.transaction_id, w.owner_id, w.kind, e.amount
          FROM ledger_entries e
          JOIN wallets w ON w.id = e.wallet_id AND w.kind IN (${literals(kinds)})
         WHERE e.wallet_id = ANY (ARRAY(SELECT id FROM wallets WHERE kind IN (${literals(kinds)})))
        OFFSET 0
      ) m
      JOIN ledger_transactions t
        ON t.store_id = m.store_id AND t.id = m.transaction_id AND t.type IN (${literals(types)})
  )`;
}

function fewPostings(types: readonly string[], kinds: readonly string[]): string {
  return `(
    SELECT m.store_id, m.type, m.reference, w.owner_id, w.kind, m.amount
      FROM (
        SELECT t.store_id, t.type, t.reference, e.wallet_id, e.amount
          FROM ledger_transactions t
         CROSS JOIN LATERAL (
           SELECT wallet_id, amount
             FROM ledger_entries
            WHERE store_id = t.store_id AND transaction_id = t.id
           OFFSET 0
         ) e
         WHERE t.type IN (${literals(types)})
        OFFSET 0
      ) m
      JOIN wallets w ON w.id = m.wallet_id AND w.kind IN (${literals(kinds)})
  )`;
}

function literals(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(', ');
}
