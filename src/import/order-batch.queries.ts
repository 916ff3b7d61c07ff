import { JUDGE, KNOWN_FROM_CATALOG, STAGE, STAGE_TABLES } from './stage-orders.queries.js';
import { KEEP_KEYS, WRITE } from './write-orders.queries.js';

/** Each planned anew: what is good for an empty table is not for a full one. */
const execute = (statements: readonly string[]): string =>
  statements
    .map(
      (statement) =>
        `EXECUTE $step$${statement}$step$ USING p_store, p_import, p_password, p_orders, p_lines, p_steps;`,
    )
    .join('\n');

/**
 * A batch is one call, so that the server works on it alone while the next one is read: told statement by statement it waited for
 * the reader half of the time. A function of this connection only. In its statements $1 is the store, $2 the import, $3 a
 * hash of a password that nobody knows, $4 to $6 are orders, lines and steps as JSON.
 */
export const PREPARE_ORDER_BATCHES = `
  ${STAGE_TABLES};
  CREATE FUNCTION pg_temp.import_orders(
    p_store uuid, p_import uuid, p_password text, p_dry_run boolean, p_orders json, p_lines json, p_steps json
  ) RETURNS TABLE (order_id uuid, order_fate text, fate_line int) LANGUAGE plpgsql AS $import$
  BEGIN
    ${execute(STAGE)}
    IF p_dry_run THEN
      ${execute([KNOWN_FROM_CATALOG])}
    END IF;
    ${execute([JUDGE])}
    IF NOT p_dry_run THEN
      ${execute(WRITE)}
    END IF;
    ${execute([KEEP_KEYS])}
    RETURN QUERY SELECT o.id, o.fate, coalesce(o.fate_line, 1) FROM staged_orders o WHERE o.fate IS NOT NULL;
  END $import$`;

export interface OrderFateRow {
  id: string;
  /** PRESENT, or why it is rejected. */
  fate: string;
  /** Of which of its lines that is said, counted from 1. */
  line: number;
}

export const IMPORT_ORDERS = `
  SELECT order_id AS id, order_fate AS fate, fate_line AS line
    FROM pg_temp.import_orders($1, $2, $3, $4, $5, $6, $7)`;
