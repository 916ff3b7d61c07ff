import { KIND, POSTING_KIND } from './draw.queries.js';

const posting = (kind: number, n: string, at: string): string => `pg_temp.id_of(${POSTING_KIND + kind}, ${n}, ${at})`;

/** Customers who had more than one person may pay out; of each three one was paid, one refused, and one waits. */
const WITHDRAWALS = `
  INSERT INTO withdrawals (store_id, id, wallet_id, amount, currency, status, actor_id, created_at, finished_at)
  SELECT pg_temp.store(), pg_temp.id_of(${KIND.withdrawal}, d.c, t.at), w.id, 20000, w.currency, t.status, w.owner_id, t.at,
         CASE WHEN t.status <> 'REQUESTED' THEN t.at + interval '20 hours' END
    FROM generate_series(0, least(pg_temp.customers(), 500) - 1) AS d (c)
   CROSS JOIN LATERAL (SELECT (ARRAY['PAID', 'REJECTED', 'REQUESTED'])[1 + d.c % 50] AS status) s
   CROSS JOIN LATERAL (
     SELECT s.status, date_trunc('milliseconds', CASE s.status WHEN 'REQUESTED' THEN pg_temp.until() - interval '10 hours' * pg_temp.draw(d.c, 80)
              ELSE pg_temp.until() - interval '21 hours' - (pg_temp.until() - pg_temp.opened()) * 0.8 * pg_temp.draw(d.c, 80) END) AS at
   ) t
    JOIN wallets w ON w.store_id = pg_temp.store() AND w.owner_id = pg_temp.person(${KIND.customer}, d.c) AND w.kind = 'CUSTOMER'
   WHERE d.c % 50 < 3`;

const APPROVALS = `
  INSERT INTO approvals (
    store_id, id, kind, subject_id, amount, currency, reason, payload, requested_by, required, approved, status, created_at, decided_at
  )
  SELECT w.store_id, pg_temp.id_of(${KIND.approval}, 1000000000 + row_number() OVER (ORDER BY w.id), w.created_at), 'WITHDRAWAL', w.id,
         w.amount, w.currency, 'withdrawal', '{}'::json, w.actor_id, 1, CASE w.status WHEN 'PAID' THEN 1 ELSE 0 END,
         CASE w.status WHEN 'PAID' THEN 'APPROVED' WHEN 'REJECTED' THEN 'REJECTED' ELSE 'PENDING' END, w.created_at, w.finished_at
    FROM withdrawals w
   WHERE w.store_id = pg_temp.store()
   UNION ALL
  SELECT pg_temp.store(), pg_temp.id_of(${KIND.approval}, 2000000000, t.at), 'LEDGER_ADJUSTMENT', pg_temp.id_of(${KIND.approval}, 2000000001, t.at),
         500, pg_temp.currency(), 'found behind the till', '{}', pg_temp.person(${KIND.staff}, 1), 1, 1, 'APPROVED', t.at, t.at + interval '5 hours'
    FROM (SELECT pg_temp.until() - interval '20 hours' AS at) t`;

const DECISIONS = `
  INSERT INTO approval_decisions (store_id, approval_id, approver_id, decision, decided_at)
  SELECT store_id, id, pg_temp.person(${KIND.staff}, 2), status, decided_at
    FROM approvals
   WHERE store_id = pg_temp.store() AND kind IN ('WITHDRAWAL', 'LEDGER_ADJUSTMENT') AND status <> 'PENDING'`;

/** As the postings of a batch. */
export const CLOSING_POSTINGS = `
  SELECT ${posting(20, "('x' || right(id::text, 8))::bit(32)::bigint", 'created_at')} AS transaction_id,
         created_at - interval '1 hour' AS at, 'TOP_UP' AS type, 'top-up for ' || id AS reference, ARRAY['CUSTOMER', 'PSP_CLEARING'] AS kinds,
         ARRAY[actor_id, pg_temp.store()] AS owners, ARRAY[amount, -amount] AS amounts
    FROM withdrawals
   WHERE store_id = pg_temp.store()
   UNION ALL
  SELECT ${posting(21, "('x' || right(id::text, 8))::bit(32)::bigint", 'created_at')}, created_at, 'WITHDRAWAL', 'withdrawal ' || id,
         ARRAY['CUSTOMER', 'PAYOUTS_PENDING'], ARRAY[actor_id, pg_temp.store()], ARRAY[-amount, amount]
    FROM withdrawals
   WHERE store_id = pg_temp.store()
   UNION ALL
  SELECT ${posting(22, "('x' || right(id::text, 8))::bit(32)::bigint", 'finished_at')}, finished_at,
         CASE status WHEN 'PAID' THEN 'WITHDRAWAL_PAID' ELSE 'WITHDRAWAL_RETURNED' END, id::text,
         ARRAY['PAYOUTS_PENDING', CASE status WHEN 'PAID' THEN 'PSP_CLEARING' ELSE 'CUSTOMER' END],
         ARRAY[pg_temp.store(), CASE status WHEN 'PAID' THEN pg_temp.store() ELSE actor_id END], ARRAY[-amount, amount]
    FROM withdrawals
   WHERE store_id = pg_temp.store() AND status <> 'REQUESTED'
   UNION ALL
  SELECT ${posting(23, '0', 'decided_at')}, decided_at, 'ADJUSTMENT', subject_id::text, ARRAY['CASH_VAULT', 'CASH_SHORT_OVER'],
         ARRAY[pg_temp.store(), pg_temp.store()], ARRAY[-amount, amount]
    FROM approvals
   WHERE store_id = pg_temp.store() AND kind = 'LEDGER_ADJUSTMENT'`;

export const CLOSING_ROWS = [WITHDRAWALS, APPROVALS, DECISIONS];
