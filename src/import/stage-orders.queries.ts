const ORDER = `
  id uuid, file_line bigint, reference text, status text, version int, method text,
  customer_email text, customer_name text, agent_email text, agent_name text,
  subtotal bigint, discount bigint, tax bigint, total bigint,
  delivery_fee bigint, delivery_discount bigint, delivery_tax bigint, tax_inclusive boolean,
  address json, zip text, note text,
  placed_at bigint, promised_at bigint, updated_at bigint,
  payment_id uuid, payment_status text, captured bigint, sold_at bigint, refunded bigint, refunded_at bigint,
  sale_id uuid, sales bigint, fees bigint, refund_id uuid, reversal_id uuid, reason text,
  assignment_id uuid, offered_at bigint, accepted_at bigint, picked_up_at bigint, delivered_at bigint, failed_at bigint,
  fail_reason text, cash_due bigint, cash_collected bigint, fee_id uuid, agent_fee bigint`;
const LINE = `
  order_id uuid, line_no int, sku text, item text, quantity int, unit_price bigint, total bigint, discount bigint, tax bigint`;
/** Steps are written as they come: nothing has to be found for them. */
export const STEP = 'order_id uuid, version int, from_status text, to_status text, role text, reason text, at bigint';

/**
 * A batch of orders in tables that only this connection sees, emptied by each commit. `fate` says why an order is not to be
 * written: PRESENT, or the reason of its rejection. Milliseconds stay what they are until they are written.
 */
export const STAGE_TABLES = `
  CREATE TEMP TABLE staged_orders (
    ${ORDER}, first_line bigint, customer_id uuid, agent_id uuid, fate text, fate_line int
  ) ON COMMIT DELETE ROWS;
  CREATE TEMP TABLE staged_lines (${LINE}, variant_id uuid, name text) ON COMMIT DELETE ROWS`;

/** For the next one within the same transaction. */
export const CLEAR_STAGE = 'DELETE FROM staged_orders; DELETE FROM staged_lines';

/**
 * Orders with what there is already of each: by its key of this very file, by its number, its people. Looked up one by one
 * (OFFSET 0): joined, the whole of orders and users was read for each batch.
 */
const STAGE_ORDERS = `
  INSERT INTO staged_orders
  SELECT o.*, customer.id, agent.id,
         CASE WHEN k.line_no = o.file_line THEN 'PRESENT'
              WHEN k.line_no IS NOT NULL THEN 'reference: of another order too, in line ' || k.line_no
              WHEN o.file_line > o.first_line THEN 'reference: of another order too, in line ' || o.first_line
              WHEN known.imported_at IS NOT NULL THEN 'PRESENT'
              WHEN known.id IS NOT NULL THEN 'reference: the number of an order placed here'
              WHEN NOT 'AGENT' = ANY (agent.roles) THEN 'agent_email: of somebody who is no agent'
         END
    FROM (
      SELECT *, min(file_line) OVER (PARTITION BY reference) AS first_line FROM json_to_recordset($4) AS named (${ORDER})
    ) o
    LEFT JOIN LATERAL (
      SELECT line_no FROM import_keys WHERE store_id = $1 AND import_id = $2 AND key = o.reference OFFSET 0
    ) k ON true
    LEFT JOIN LATERAL (
      SELECT id, imported_at FROM orders WHERE store_id = $1 AND number = o.reference OFFSET 0
    ) known ON true
    LEFT JOIN LATERAL (SELECT id FROM users WHERE store_id = $1 AND email = o.customer_email OFFSET 0) customer ON true
    LEFT JOIN LATERAL (SELECT id, roles FROM users WHERE store_id = $1 AND email = o.agent_email OFFSET 0) agent ON true`;

const STAGE_LINES = `
  INSERT INTO staged_lines
  SELECT l.*, v.id, coalesce(l.item, concat_ws(' ', p.name, nullif(v.name, '')))
    FROM json_to_recordset($5) AS l (${LINE})
    LEFT JOIN variants v ON v.store_id = $1 AND v.sku = l.sku AND v.archived_at IS NULL
    LEFT JOIN products p ON p.store_id = v.store_id AND p.id = v.product_id`;

/** What is sold no more was archived, perhaps several times under the same SKU: the latest of them. */
const FIND_ARCHIVED = `
  UPDATE staged_lines l
     SET variant_id = v.id, name = coalesce(l.item, concat_ws(' ', v.product, nullif(v.name, '')))
    FROM (
      SELECT DISTINCT ON (v.sku) v.sku, v.id, v.name, p.name AS product
        FROM variants v
        JOIN products p ON p.store_id = v.store_id AND p.id = v.product_id
       WHERE v.store_id = $1
         AND v.archived_at IS NOT NULL
         AND v.sku = ANY (ARRAY(SELECT sku FROM staged_lines WHERE variant_id IS NULL))
       ORDER BY v.sku, v.archived_at DESC
    ) v
   WHERE v.sku = l.sku AND l.variant_id IS NULL`;

export const STAGE = [STAGE_ORDERS, STAGE_LINES, FIND_ARCHIVED];

/** In a dry run what the catalog before would have brought in is known by its keys alone. */
export const KNOWN_FROM_CATALOG = `
  UPDATE staged_lines l
     SET variant_id = k.import_id
    FROM import_keys k
    JOIN imports i ON i.store_id = k.store_id AND i.id = k.import_id AND i.kind = 'CATALOG'
   WHERE k.store_id = $1 AND k.key = l.sku AND l.variant_id IS NULL`;

/** Which orders can't be written for what they name. */
export const JUDGE = `
  UPDATE staged_orders o
     SET fate = 'sku: ' || unknown.sku || ' is not in the catalog', fate_line = unknown.line_no
    FROM (
      SELECT DISTINCT ON (order_id) order_id, line_no, sku FROM staged_lines WHERE variant_id IS NULL ORDER BY order_id, line_no
    ) unknown
   WHERE o.id = unknown.order_id AND o.fate IS NULL`;
