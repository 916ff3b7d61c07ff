/**
 * A batch of orders in tables that only this connection sees, emptied by each commit. `fate` says why an order is not to be
 * written: PRESENT, or the reason of its rejection.
 */
export const STAGE_TABLES = `
  CREATE TEMP TABLE staged_orders (
    id uuid PRIMARY KEY, file_line bigint, reference text, status text, version int, method text,
    customer_email text, customer_name text, agent_email text, agent_name text,
    subtotal bigint, discount bigint, tax bigint, total bigint,
    delivery_fee bigint, delivery_discount bigint, delivery_tax bigint, tax_inclusive boolean,
    address json, zip text, note text,
    placed_at bigint, promised_at bigint, updated_at bigint,
    payment_id uuid, payment_status text, captured bigint, sold_at bigint, refunded bigint, refunded_at bigint,
    sale_id uuid, sales bigint, fees bigint, refund_id uuid, reversal_id uuid, reason text,
    assignment_id uuid, offered_at bigint, accepted_at bigint, picked_up_at bigint, delivered_at bigint, failed_at bigint,
    fail_reason text, cash_due bigint, cash_collected bigint, fee_id uuid, agent_fee bigint,
    customer_id uuid, agent_id uuid, fate text, fate_line int
  ) ON COMMIT DELETE ROWS;
  CREATE TEMP TABLE staged_lines (
    order_id uuid, line_no int, sku text, item text, quantity int, unit_price bigint, total bigint, discount bigint, tax bigint,
    variant_id uuid, name text
  ) ON COMMIT DELETE ROWS;
  CREATE TEMP TABLE staged_steps (
    order_id uuid, version int, from_status text, to_status text, role text, reason text, at bigint
  ) ON COMMIT DELETE ROWS`;

/** Milliseconds stay what they are until they are written. */
export const STAGE = [
  'INSERT INTO staged_orders SELECT * FROM json_populate_recordset(NULL::staged_orders, $4)',
  'INSERT INTO staged_lines SELECT * FROM json_populate_recordset(NULL::staged_lines, $5)',
  'INSERT INTO staged_steps SELECT * FROM json_populate_recordset(NULL::staged_steps, $6)',
];

/** What there is already of an order, and which variants its lines are of. */
export const LOOK_UP = [
  // Of the same file: this very line, or another one.
  `UPDATE staged_orders o
      SET fate = CASE WHEN k.line_no = o.file_line THEN 'PRESENT'
                      ELSE 'reference: of another order too, in line ' || k.line_no END
     FROM import_keys k
    WHERE k.store_id = $1 AND k.import_id = $2 AND k.key = o.reference`,
  `UPDATE staged_orders o
      SET fate = 'reference: of another order too, in line ' || twice.first_line
     FROM (
       SELECT id, file_line, min(file_line) OVER (PARTITION BY reference) AS first_line FROM staged_orders
     ) twice
    WHERE o.id = twice.id AND twice.file_line > twice.first_line AND o.fate IS NULL`,
  `UPDATE staged_orders o
      SET fate = CASE WHEN known.imported_at IS NOT NULL THEN 'PRESENT' ELSE 'reference: the number of an order placed here' END
     FROM orders known
    WHERE known.store_id = $1 AND known.number = o.reference AND o.fate IS NULL`,
  `UPDATE staged_lines l
      SET variant_id = v.id, name = coalesce(l.item, concat_ws(' ', p.name, nullif(v.name, '')))
     FROM variants v
     JOIN products p ON p.store_id = v.store_id AND p.id = v.product_id
    WHERE v.store_id = $1 AND v.sku = l.sku AND v.archived_at IS NULL`,
  // What is sold no more was archived, perhaps several times under the same SKU: the latest of them.
  `UPDATE staged_lines l
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
    WHERE v.sku = l.sku AND l.variant_id IS NULL`,
];

/** In a dry run what the catalog before would have brought in is known by its keys alone. */
export const KNOWN_FROM_CATALOG = `
  UPDATE staged_lines l
     SET variant_id = k.import_id
    FROM import_keys k
    JOIN imports i ON i.store_id = k.store_id AND i.id = k.import_id AND i.kind = 'CATALOG'
   WHERE k.store_id = $1 AND k.key = l.sku AND l.variant_id IS NULL`;

/** Which orders can't be written for what they name. */
export const JUDGE = [
  `UPDATE staged_orders o
      SET fate = 'sku: ' || unknown.sku || ' is not in the catalog', fate_line = unknown.line_no
     FROM (
       SELECT DISTINCT ON (order_id) order_id, line_no, sku FROM staged_lines WHERE variant_id IS NULL ORDER BY order_id, line_no
     ) unknown
    WHERE o.id = unknown.order_id AND o.fate IS NULL`,
  `UPDATE staged_orders o
      SET fate = 'agent_email: of somebody who is no agent'
     FROM users u
    WHERE u.store_id = $1 AND u.email = o.agent_email AND NOT 'AGENT' = ANY (u.roles) AND o.fate IS NULL`,
];
