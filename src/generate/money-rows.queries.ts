import { AGENT_FEE, KIND, POSTING_KIND } from './draw.queries.js';

const paymentOf = (n: string, at: string): string => `pg_temp.id_of(${KIND.payment}, ${n}, ${at})`;
const settlementOf = (n: string, at: string): string => `pg_temp.id_of(${KIND.settlement}, ${n}, ${at})`;
const manager = `pg_temp.person(${KIND.staff}, 1)`;
const otherManager = `pg_temp.person(${KIND.staff}, 2)`;

const PAYMENTS = `
  INSERT INTO payments (
    store_id, id, order_id, method, status, currency, amount, captured_amount, refunded_amount, refunding_amount, provider,
    provider_ref, created_at, updated_at
  )
  SELECT pg_temp.store(), ${paymentOf('f.n', 'f.placed_at')}, f.order_id, f.method,
         CASE WHEN f.reversed THEN 'REFUNDED'
              WHEN r.status = 'SUCCEEDED' THEN 'PARTIALLY_REFUNDED'
              WHEN f.captured THEN 'CAPTURED'
              WHEN f.status IN ('CANCELLED', 'EXPIRED', 'RETURNED') THEN 'VOIDED' ELSE 'PENDING' END,
         pg_temp.currency(), f.total, CASE WHEN f.captured THEN f.total - f.owed + f.settled ELSE 0 END,
         CASE r.status WHEN 'SUCCEEDED' THEN r.amount ELSE 0 END, CASE r.status WHEN 'REQUESTED' THEN r.amount ELSE 0 END,
         CASE f.method WHEN 'CARD' THEN 'test' END, CASE WHEN f.method = 'CARD' AND f.captured THEN 'test_' || f.order_id END,
         f.placed_at, coalesce(r.finished_at, f.stands_since)
    FROM facts f
    LEFT JOIN returns r USING (n)
   ORDER BY f.n`;

const SETTLEMENTS = `
  INSERT INTO payment_settlements (store_id, id, payment_id, amount, currency, actor_id, created_at)
  SELECT pg_temp.store(), ${settlementOf('n', 'arrived_at')}, ${paymentOf('n', 'placed_at')}, settled, pg_temp.currency(), ${manager},
         arrived_at + interval '1 day'
    FROM facts
   WHERE settled > 0`;

const REFUNDS = `
  INSERT INTO refunds (store_id, id, payment_id, amount, destination, status, reason, actor_id, created_at, finished_at)
  SELECT pg_temp.store(), refund_id, ${paymentOf('n', 'placed_at')}, amount, destination, status,
         CASE WHEN by_line THEN (ARRAY['damaged', 'missing', 'not as expected', 'late', 'wrong item'])[1 + floor(5 * reason)::int]
              ELSE 'order undone' END,
         CASE WHEN by_line THEN ${manager} END, asked_at, CASE WHEN status <> 'REQUESTED' THEN finished_at END
    FROM returns`;

const REFUND_LINES = `
  INSERT INTO refund_lines (store_id, refund_id, order_id, line_no, quantity, amount, goods, discount, tax)
  SELECT pg_temp.store(), refund_id, order_id, 1, quantity, amount, goods, discount, tax FROM returns WHERE by_line`;

const CARD_OPERATIONS = `
  INSERT INTO payment_operations (store_id, id, payment_id, kind, amount, status, source, attempts, created_at, finished_at)
  SELECT pg_temp.store(), pg_temp.id_of(${KIND.operation}, 4 * f.n + k.k, f.placed_at), ${paymentOf('f.n', 'f.placed_at')}, k.kind, f.total,
         'SUCCEEDED', CASE k.kind WHEN 'AUTHORIZE' THEN 'tok_ok' END, 1, f.placed_at, f.captured_at
    FROM facts f
   CROSS JOIN (VALUES (0, 'AUTHORIZE'), (1, 'CAPTURE')) AS k (k, kind)
   WHERE f.method = 'CARD' AND f.captured`;

const CARD_REFUNDS = `
  INSERT INTO payment_operations (store_id, id, payment_id, refund_id, kind, amount, status, attempts, created_at, finished_at)
  SELECT pg_temp.store(), pg_temp.id_of(${KIND.operation}, 4 * n + 2, finished_at), ${paymentOf('n', 'placed_at')}, refund_id, 'REFUND', amount,
         'SUCCEEDED', 1, finished_at, finished_at
    FROM returns
   WHERE method = 'CARD' AND destination = 'ORIGINAL' AND status = 'SUCCEEDED'`;

const REFUND_APPROVALS = `
  INSERT INTO approvals (
    store_id, id, kind, subject_id, amount, currency, reason, payload, requested_by, required, approved, status, created_at, decided_at
  )
  SELECT pg_temp.store(), pg_temp.id_of(${KIND.approval}, n, asked_at), 'REFUND', refund_id, amount, pg_temp.currency(), 'not as expected', '{}',
         ${manager}, 1, CASE status WHEN 'SUCCEEDED' THEN 1 ELSE 0 END,
         CASE status WHEN 'SUCCEEDED' THEN 'APPROVED' WHEN 'REQUESTED' THEN 'PENDING' ELSE 'REJECTED' END, asked_at,
         CASE WHEN status <> 'REQUESTED' THEN decided_at END
    FROM returns
   WHERE to_approve`;

const VARIANCE_APPROVALS = `
  INSERT INTO approvals (
    store_id, id, kind, subject_id, amount, currency, reason, payload, requested_by, required, approved, status, created_at, decided_at
  )
  SELECT pg_temp.store(), pg_temp.id_of(${KIND.approval}, number, opened_at), 'CASH_VARIANCE', shift_id, -missing, pg_temp.currency(), 'missing',
         '{}', ${manager}, 1, CASE WHEN decided_at <= pg_temp.until() THEN 1 ELSE 0 END,
         CASE WHEN decided_at <= pg_temp.until() THEN 'APPROVED' ELSE 'PENDING' END, closing_at,
         CASE WHEN decided_at <= pg_temp.until() THEN decided_at END
    FROM shifts
   WHERE missing > 0`;

const DECISIONS = `
  INSERT INTO approval_decisions (store_id, approval_id, approver_id, decision, decided_at)
  SELECT a.store_id, a.id, ${otherManager}, a.status, a.decided_at
    FROM approvals a
    JOIN (
      SELECT 'REFUND' AS kind, refund_id AS subject_id FROM returns WHERE to_approve
       UNION ALL
      SELECT 'CASH_VARIANCE', shift_id FROM shifts WHERE missing > 0
    ) s ON s.kind = a.kind AND s.subject_id = a.subject_id
   WHERE a.store_id = pg_temp.store() AND a.status <> 'PENDING'`;

/**
 * Every fact with where its money came from and went to: when, what it is posted as, and its wallets by kind and owner. Who pays from
 * his wallet fills it up before, in twenties; agents are paid nine tenths of a day's fees at its end.
 */
export const POSTINGS = `
  SELECT pg_temp.id_of(${POSTING_KIND} + p.kind, p.n, p.at) AS transaction_id, p.*
    FROM (
      SELECT 0 AS kind, n, captured_at AS at, 'SALE' AS type, order_id::text AS reference,
             ARRAY[
               CASE method WHEN 'COD' THEN 'AGENT_CASH' WHEN 'WALLET' THEN 'CUSTOMER' ELSE 'PSP_CLEARING' END,
               'RECEIVABLES', 'SALES', 'DELIVERY_FEES', 'PROMOTIONS', 'TAXES'
             ] AS kinds,
             ARRAY[
               CASE method WHEN 'COD' THEN agent_id WHEN 'WALLET' THEN customer_id ELSE pg_temp.store() END,
               pg_temp.store(), pg_temp.store(), pg_temp.store(), pg_temp.store(), pg_temp.store()
             ] AS owners,
             ARRAY[
               owed - total, -owed, subtotal - CASE WHEN pg_temp.inclusive() THEN tax - delivery_tax ELSE 0 END,
               fee - CASE WHEN pg_temp.inclusive() THEN delivery_tax ELSE 0 END, -discount, tax
             ] AS amounts
        FROM facts
       WHERE captured
       UNION ALL
      SELECT 1, n, finished_at, 'SALE_REFUND', refund_id::text,
             ARRAY[
               CASE WHEN destination = 'WALLET' OR method = 'WALLET' THEN 'CUSTOMER' WHEN method = 'COD' THEN 'CASH_VAULT'
                    ELSE 'PSP_CLEARING' END,
               'SALES', 'DELIVERY_FEES', 'PROMOTIONS', 'TAXES'
             ],
             ARRAY[
               CASE WHEN destination = 'WALLET' OR method = 'WALLET' THEN customer_id ELSE pg_temp.store() END,
               pg_temp.store(), pg_temp.store(), pg_temp.store(), pg_temp.store()
             ],
             ARRAY[amount, -(amount + discount - tax - fee), -fee, discount, -tax]
        FROM returns
       WHERE status = 'SUCCEEDED'
       UNION ALL
      SELECT 2, n, ended_at, 'AGENT_FEE', assignment_id::text, ARRAY['AGENT_EARNINGS', 'DELIVERY_FEES'], ARRAY[agent_id, pg_temp.store()],
             ARRAY[${AGENT_FEE}, -${AGENT_FEE}]
        FROM attempts
       WHERE status = 'DELIVERED'
       UNION ALL
      SELECT 3, number, closing_at, 'REMITTANCE', pg_temp.id_of(${KIND.remittance}, number, closing_at)::text, ARRAY['AGENT_CASH', 'CASH_VAULT'],
             ARRAY[agent_id, pg_temp.store()], ARRAY[amount - missing, missing - amount]
        FROM shifts
       WHERE counted
       UNION ALL
      SELECT 4, number, decided_at, 'CASH_VARIANCE', shift_id::text, ARRAY['AGENT_CASH', 'CASH_SHORT_OVER'],
             ARRAY[agent_id, pg_temp.store()], ARRAY[missing, -missing]
        FROM shifts
       WHERE missing > 0 AND decided_at <= pg_temp.until()
       UNION ALL
      SELECT 5, f.n, f.arrived_at, 'OVERPAYMENT', a.assignment_id::text, ARRAY['AGENT_CASH', 'CUSTOMER'],
             ARRAY[f.agent_id, f.customer_id], ARRAY[-f.above, f.above]
        FROM facts f
        JOIN attempts a ON a.n = f.n AND a.status = 'DELIVERED'
       WHERE f.above > 0
       UNION ALL
      SELECT 6, n, arrived_at + interval '1 day', 'SETTLEMENT', ${settlementOf('n', 'arrived_at')}::text,
             ARRAY['RECEIVABLES', 'CASH_VAULT'], ARRAY[pg_temp.store(), pg_temp.store()], ARRAY[settled, -settled]
        FROM facts
       WHERE settled > 0
       UNION ALL
      SELECT 7, min(n), min(placed_at) - interval '10 minutes', 'TOP_UP', 'top-up ' || customer_id || ' ' || day,
             ARRAY['CUSTOMER', 'PSP_CLEARING'], ARRAY[customer_id, pg_temp.store()],
             ARRAY[(sum(total)::bigint + 1999) / 2000 * 2000, -((sum(total)::bigint + 1999) / 2000 * 2000)]
        FROM facts
       WHERE method = 'WALLET'
       GROUP BY customer_id, day
       UNION ALL
      SELECT 8, min(n), max(ended_at) + interval '40 minutes', 'WITHDRAWAL', 'pay-out ' || agent_id || ' ' || day,
             ARRAY['AGENT_EARNINGS', 'PSP_CLEARING'], ARRAY[agent_id, pg_temp.store()],
             ARRAY[-count(*) * ${AGENT_FEE} * 9 / 10, count(*) * ${AGENT_FEE} * 9 / 10]
        FROM attempts
       WHERE status = 'DELIVERED'
       GROUP BY agent_id, day
      HAVING max(ended_at) + interval '40 minutes' <= pg_temp.until()
    ) p`;

/** In one statement, as larder.ledger_bulk wants it. */
export const ledgerRows = (postings: string): string => `
  WITH posting AS MATERIALIZED (
    ${postings}
  ), opened AS (
    INSERT INTO ledger_transactions (store_id, id, type, reference, created_at)
    SELECT pg_temp.store(), transaction_id, type, reference, at FROM posting ORDER BY at, transaction_id
  )
  INSERT INTO ledger_entries (store_id, wallet_id, transaction_id, amount, currency, created_at)
  SELECT pg_temp.store(), w.id, p.transaction_id, e.amount, pg_temp.currency(), p.at
    FROM posting p
   CROSS JOIN LATERAL unnest(p.kinds, p.owners, p.amounts) AS e (kind, owner_id, amount)
    JOIN wallets w ON w.store_id = pg_temp.store() AND w.owner_id = e.owner_id AND w.kind = e.kind
   WHERE e.amount <> 0
   ORDER BY p.at, p.transaction_id`;

export const MONEY_ROWS = [
  PAYMENTS, SETTLEMENTS, REFUNDS, REFUND_LINES, CARD_OPERATIONS, CARD_REFUNDS, REFUND_APPROVALS, VARIANCE_APPROVALS, DECISIONS,
]; // prettier-ignore
