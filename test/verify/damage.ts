/** Something that went wrong behind every constraint's back, and what is told of it. */
export interface Damage {
  claim: string;
  /** Constraints that would have none of it. */
  after?: string;
  /** Answers with the id that the finding has to name. */
  sql: string;
}

/** The first row of a table for which something holds. */
export const one = (table: string, id: string, condition = 'true'): string =>
  `${id} = (SELECT ${id} FROM ${table} WHERE ${condition} ORDER BY ${id} LIMIT 1)`;

export const change = (table: string, set: string, id = 'id', condition = 'true'): string =>
  `UPDATE ${table} SET ${set} WHERE ${one(table, id, condition)} RETURNING ${id}::text AS id`;

/** Takes the entries of one fact away, and itself. */
export const unpost = (type: string): string => `
  WITH gone AS (DELETE FROM ledger_transactions t WHERE t.ctid = (
    SELECT ctid FROM ledger_transactions WHERE type = '${type}' LIMIT 1) RETURNING *),
  moved AS (DELETE FROM ledger_entries e USING gone WHERE e.transaction_id = gone.id)
  SELECT reference AS id FROM gone`;

/** The same fact once more, under another reference of the same kind. */
export const postAgain = (type: string): string => `
  WITH more AS (INSERT INTO ledger_transactions (store_id, id, type, reference)
    SELECT store_id, uuid_v7(), type, uuid_v7()::text FROM ledger_transactions WHERE type = '${type}' LIMIT 1 RETURNING *),
  moved AS (INSERT INTO ledger_entries (store_id, wallet_id, transaction_id, amount, currency)
    SELECT e.store_id, e.wallet_id, more.id, e.amount, e.currency FROM more
      JOIN ledger_entries e ON e.transaction_id = (SELECT id FROM ledger_transactions WHERE type = '${type}' LIMIT 1))
  SELECT reference AS id FROM more`;

export const noCheck = (table: string, ...names: string[]): string =>
  names.map((name) => `ALTER TABLE ${table} DROP CONSTRAINT ${table}_${name}_check`).join('; ');
