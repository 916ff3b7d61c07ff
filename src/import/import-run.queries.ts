/** $1 is always the store. In a dry run these tables are temporary ones of the same name (SHADOWS), and nothing is kept. */

export const SHADOWS = `
  CREATE TEMP TABLE imports (LIKE public.imports INCLUDING ALL);
  CREATE TEMP TABLE import_keys (LIKE public.import_keys INCLUDING ALL);
  CREATE TEMP TABLE import_rejections (LIKE public.import_rejections INCLUDING ALL)`;

export interface RunRow {
  id: string;
  status: 'RUNNING' | 'DONE';
  position_bytes: string;
  position_lines: string;
  imported: string;
  present: string;
  rejected: string;
}

const COLUMNS = 'id, status, position_bytes, position_lines, imported, present, rejected';

/** $2: a new id, $3: kind, $4: name, $5: bytes, $6: fingerprint of the file. The row there is for this file, or a new one. */
export const BEGIN_RUN = `
  WITH made AS (
    INSERT INTO imports (store_id, id, kind, file_name, file_bytes, fingerprint)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (store_id, kind, fingerprint) DO NOTHING
    RETURNING ${COLUMNS}
  )
  SELECT ${COLUMNS} FROM made
   UNION ALL
  SELECT ${COLUMNS} FROM imports WHERE store_id = $1 AND kind = $3 AND fingerprint = $6`;

/** $2: the import, whose file is read once more from its beginning: for the lines that were rejected. */
export const BEGIN_AGAIN = [
  `UPDATE imports
      SET status = 'RUNNING', finished_at = NULL, position_bytes = 0, position_lines = 0, imported = 0, present = 0, rejected = 0,
          started_at = now()
    WHERE store_id = $1 AND id = $2`,
  `DELETE FROM import_rejections WHERE store_id = $1 AND import_id = $2`,
];

/** $2: the import, $3 and $4: the position, $5 to $7: how many more were imported, there already, rejected. */
export const ADVANCE = `
  UPDATE imports
     SET position_bytes = $3, position_lines = $4, imported = imported + $5, present = present + $6, rejected = rejected + $7
   WHERE store_id = $1 AND id = $2`;

/** $2: the import, $3: [{line, reason, content}]. */
export const KEEP_REJECTIONS = `
  INSERT INTO import_rejections (store_id, import_id, line_no, reason, content)
  SELECT $1, $2, r.line, r.reason, r.content
    FROM json_to_recordset($3) AS r (line bigint, reason text, content text)
  ON CONFLICT (store_id, import_id, line_no) DO NOTHING`;

/** $2: the import. Without rejected lines its file is never read again, and its keys are of no more use. */
export const FINISH = [
  `UPDATE imports SET status = 'DONE', finished_at = now(), position_bytes = file_bytes WHERE store_id = $1 AND id = $2`,
  `DELETE FROM import_keys k
    USING imports i
    WHERE k.store_id = $1 AND k.import_id = $2 AND i.store_id = $1 AND i.id = $2 AND i.rejected = 0`,
];

export interface RejectionRow {
  line_no: string;
  reason: string;
  content: string;
}

/** $2: the import, $3: the line after which, $4: how many. */
export const REJECTIONS = `
  SELECT line_no, reason, content
    FROM import_rejections
   WHERE store_id = $1 AND import_id = $2 AND line_no > $3
   ORDER BY line_no
   LIMIT $4`;

/** What each kind fills: rows that were not there a minute ago, of which the planner is told. */
export const FILLED = {
  CATALOG: 'products, variants, stock_levels, stock_movements, categories, search_words',
  ORDERS:
    'users, wallets, delivery_agents, orders, order_lines, order_history, payments, refunds, shipping_assignments, ' +
    'ledger_transactions, ledger_entries',
};
