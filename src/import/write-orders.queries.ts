import { STEP } from './stage-orders.queries.js';

/** What is written of a staged batch, in the order of WRITE. Milliseconds become times. */

const at = (column: string): string => `to_timestamp(${column}::float8 / 1000)`;

/**
 * With the wallets that open_user_wallets() opens one by one. Sorted, so that two who add the same people wait for each other
 * in one direction.
 */
const PEOPLE = `
  WITH people AS (
    SELECT email, min(name) AS name, min(role) AS role, min(seen) AS seen
      FROM (
        SELECT customer_email AS email, customer_name AS name, 'CUSTOMER' AS role, placed_at AS seen
          FROM staged_orders WHERE fate IS NULL AND customer_id IS NULL
         UNION ALL
        SELECT agent_email, agent_name, 'AGENT', placed_at
          FROM staged_orders WHERE fate IS NULL AND agent_id IS NULL AND agent_email IS NOT NULL
      ) named
     GROUP BY email
  ), added AS (
    INSERT INTO users (store_id, id, email, name, password_hash, roles, created_at)
    SELECT $1, uuid_v7(), p.email, p.name, $3, ARRAY[p.role], ${at('p.seen')}
      FROM people p
     WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.store_id = $1 AND u.email = p.email)
     ORDER BY p.email
    ON CONFLICT (store_id, email) DO NOTHING
    RETURNING store_id, id, name, roles
  ), agents AS (
    INSERT INTO delivery_agents (store_id, id, name) SELECT store_id, id, name FROM added WHERE roles = ARRAY['AGENT']
  )
  INSERT INTO wallets (store_id, id, kind, owner_id, currency, balance_kept, allow_negative)
  SELECT a.store_id, uuid_v7(), k.kind, a.id, s.currency, true, k.kind = 'AGENT_CASH'
    FROM added a
    JOIN stores s ON s.id = a.store_id
    JOIN (VALUES ('CUSTOMER', 'CUSTOMER'), ('AGENT', 'AGENT_EARNINGS'), ('AGENT', 'AGENT_CASH')) AS k (role, kind)
      ON k.role = ANY (a.roles)`;

const CUSTOMERS = `
  UPDATE staged_orders o
     SET customer_id = u.id
    FROM users u
   WHERE u.store_id = $1 AND u.email = o.customer_email AND o.customer_id IS NULL AND o.fate IS NULL`;

const AGENTS = `
  UPDATE staged_orders o
     SET agent_id = u.id
    FROM users u
   WHERE u.store_id = $1 AND u.email = o.agent_email AND o.agent_id IS NULL AND o.fate IS NULL`;

const ORDERS = `
  INSERT INTO orders (
    store_id, id, number, customer_id, status, version, payment_method, currency, subtotal, discount, delivery_fee,
    delivery_discount, tax, delivery_tax, tax_inclusive, total, delivery_address, delivery_zip, delivery_code, note,
    promised_at, placed_at, updated_at, imported_at
  )
  SELECT $1, o.id, o.reference, o.customer_id, o.status, o.version, o.method, s.currency, o.subtotal, o.discount, o.delivery_fee,
         o.delivery_discount, o.tax, o.delivery_tax, o.tax_inclusive, o.total, o.address, o.zip, '000000', o.note,
         ${at('o.promised_at')}, ${at('o.placed_at')}, ${at('o.updated_at')}, now()
    FROM staged_orders o
    JOIN stores s ON s.id = $1
   WHERE o.fate IS NULL`;

const LINES = `
  INSERT INTO order_lines (store_id, order_id, line_no, variant_id, sku, name, quantity, unit_price, total, discount, tax)
  SELECT $1, l.order_id, l.line_no, l.variant_id, l.sku, l.name, l.quantity, l.unit_price, l.total, l.discount, l.tax
    FROM staged_lines l
    JOIN staged_orders o ON o.id = l.order_id
   WHERE o.fate IS NULL`;

const STEPS = `
  INSERT INTO order_history (store_id, order_id, version, from_status, to_status, actor_id, actor_role, reason, created_at)
  SELECT $1, h.order_id, h.version, h.from_status, h.to_status,
         CASE h.role WHEN 'CUSTOMER' THEN o.customer_id WHEN 'AGENT' THEN o.agent_id END, h.role, h.reason, ${at('h.at')}
    FROM json_to_recordset($6) AS h (${STEP})
    JOIN staged_orders o ON o.id = h.order_id
   WHERE o.fate IS NULL`;

const PAYMENTS = `
  INSERT INTO payments (
    store_id, id, order_id, method, status, currency, amount, captured_amount, refunded_amount, provider, created_at, updated_at
  )
  SELECT $1, o.payment_id, o.id, o.method, o.payment_status, s.currency, o.total, o.captured, o.refunded,
         CASE o.method WHEN 'CARD' THEN 'imported' END, ${at('o.placed_at')},
         ${at('coalesce(o.refunded_at, o.sold_at, o.updated_at)')}
    FROM staged_orders o
    JOIN stores s ON s.id = $1
   WHERE o.fate IS NULL`;

const REFUNDS = `
  INSERT INTO refunds (store_id, id, payment_id, amount, destination, status, reason, created_at, finished_at)
  SELECT $1, o.refund_id, o.payment_id, o.refunded, 'ORIGINAL', 'SUCCEEDED', o.reason, ${at('o.refunded_at')},
         ${at('o.refunded_at')}
    FROM staged_orders o
   WHERE o.fate IS NULL AND o.refunded > 0`;

const ASSIGNMENTS = `
  INSERT INTO shipping_assignments (
    store_id, id, order_id, agent_id, status, zip, cash_due, cash_collected, currency, fail_reason, offered_at, accepted_at,
    picked_up_at, delivered_at, closed_at, promised_at, created_at
  )
  SELECT $1, o.assignment_id, o.id, o.agent_id, CASE WHEN o.delivered_at IS NULL THEN 'FAILED' ELSE 'DELIVERED' END, o.zip,
         o.cash_due, o.cash_collected, s.currency,
         CASE WHEN o.delivered_at IS NULL THEN coalesce(o.fail_reason, 'not delivered') END,
         ${at('o.offered_at')}, ${at('o.accepted_at')}, ${at('o.picked_up_at')}, ${at('o.delivered_at')},
         ${at('coalesce(o.delivered_at, o.failed_at)')}, ${at('o.promised_at')}, ${at('o.offered_at')}
    FROM staged_orders o
    JOIN stores s ON s.id = $1
   WHERE o.fate IS NULL AND o.assignment_id IS NOT NULL`;

/**
 * Sales, their refunds and the fees of agents, each balanced in itself and at its own time. The money of the past is in the bank
 * (PSP_CLEARING): no customer's wallet, no agent's cash and no vault of today is touched by it. One statement posts them all,
 * the ledger's triggers check them as any other.
 */
const LEDGER = `
  WITH wallet AS MATERIALIZED (
    SELECT w.kind, w.id, w.currency FROM wallets w WHERE w.store_id = $1 AND w.owner_id = $1
  ), sale AS MATERIALIZED (
    SELECT o.*, ARRAY['DELIVERY_FEES', 'PROMOTIONS', 'SALES', 'TAXES'] AS kinds, ARRAY[o.fees, -o.discount, o.sales, o.tax] AS parts
      FROM staged_orders o
     WHERE o.fate IS NULL AND o.captured > 0
  ), fact AS MATERIALIZED (
    SELECT sale.sale_id AS id, 'SALE' AS type, sale.id::text AS reference, sale.sold_at AS at, sale.kinds || 'PSP_CLEARING'::text AS kinds,
           sale.parts || -sale.total AS amounts
      FROM sale
     UNION ALL
    SELECT sale.reversal_id, 'SALE_REFUND', sale.refund_id::text, sale.refunded_at, sale.kinds || 'PSP_CLEARING'::text,
           ARRAY(SELECT -part FROM unnest(split_over_sale(sale.refunded, sale.parts)) AS part) || sale.refunded
      FROM sale
     WHERE sale.refunded > 0
     UNION ALL
    SELECT o.fee_id, 'PAST_AGENT_FEE', o.assignment_id::text, o.delivered_at, ARRAY['DELIVERY_FEES', 'PSP_CLEARING'],
           ARRAY[-o.agent_fee, o.agent_fee]
      FROM staged_orders o
     WHERE o.fate IS NULL AND o.agent_fee > 0
  ), posted AS (
    INSERT INTO ledger_transactions (store_id, id, type, reference, memo, created_at)
    SELECT $1, fact.id, fact.type, fact.reference, 'imported', ${at('fact.at')}
      FROM fact
  )
  INSERT INTO ledger_entries (store_id, wallet_id, transaction_id, amount, currency, created_at)
  SELECT $1, wallet.id, fact.id, entry.amount, wallet.currency, ${at('fact.at')}
    FROM fact
   CROSS JOIN LATERAL unnest(fact.kinds, fact.amounts) AS entry (kind, amount)
    JOIN wallet ON wallet.kind = entry.kind
   WHERE entry.amount <> 0`;

export const KEEP_KEYS = `
  INSERT INTO import_keys (store_id, import_id, key, line_no)
  SELECT $1, $2, o.reference, o.file_line FROM staged_orders o WHERE o.fate IS NULL`;

/** The dashboards count these days anew. */
const UNFOLD = `
  SELECT unfold_days($1, array_agg(written.at))
    FROM (
      SELECT ${at('o.placed_at')} AS at FROM staged_orders o WHERE o.fate IS NULL
       UNION ALL
      SELECT ${at('coalesce(o.delivered_at, o.failed_at)')}
        FROM staged_orders o
       WHERE o.fate IS NULL AND o.assignment_id IS NOT NULL
    ) written`;

export const WRITE = [PEOPLE, CUSTOMERS, AGENTS, ORDERS, LINES, STEPS, PAYMENTS, REFUNDS, ASSIGNMENTS, LEDGER, UNFOLD];
