import type { ClaimGroup } from './claim.js';
import { postings } from './postings.js';

/** Money that waits for somebody: for a decision, or for a customer to bring it. */
export const WALLETS: ClaimGroup = {
  name: 'wallets',
  claims: [
    {
      name: 'a withdrawal that had to be approved is where its approval is, and was paid or given back once, or neither',
      without: ['mergejoin'],
      sql: `
        SELECT w.store_id, w.id AS withdrawal_id, w.status, w.amount, a.status AS approval, t.type, t.amount AS posted
          FROM withdrawals w
          LEFT JOIN approvals a
            ON a.store_id = w.store_id AND a.kind = 'WITHDRAWAL' AND a.subject_id = w.id AND a.amount = w.amount
          LEFT JOIN (
            SELECT store_id, reference, min(type) AS type, -sum(amount) AS amount
              FROM ${postings(['WITHDRAWAL_PAID', 'WITHDRAWAL_RETURNED'], ['PAYOUTS_PENDING'])} ended
             GROUP BY store_id, reference
          ) t ON t.store_id = w.store_id AND t.reference = w.id::text
         WHERE a.id IS NULL
            OR (w.status, a.status) NOT IN (('REQUESTED', 'PENDING'), ('PAID', 'APPROVED'), ('REJECTED', 'REJECTED'))
            OR t.type IS DISTINCT FROM CASE w.status WHEN 'PAID' THEN 'WITHDRAWAL_PAID' WHEN 'REJECTED' THEN 'WITHDRAWAL_RETURNED' END
            OR t.amount <> w.amount`,
    },
    {
      name: 'a correction of the books was posted once when it was approved, and none without',
      sql: `
        SELECT store_id, adjustment_id, sum(approved) AS approved, sum(posted) AS posted
          FROM (
            SELECT store_id, subject_id::text AS adjustment_id, amount AS approved, 0 AS posted
              FROM approvals
             WHERE kind = 'LEDGER_ADJUSTMENT' AND status = 'APPROVED'
             UNION ALL
            SELECT t.store_id, t.reference, 0, e.amount
              FROM ledger_transactions t
             CROSS JOIN LATERAL (
               SELECT sum(amount) AS amount
                 FROM ledger_entries
                WHERE store_id = t.store_id AND transaction_id = t.id AND amount > 0
             ) e
             WHERE t.type = 'ADJUSTMENT'
          ) corrections
         GROUP BY store_id, adjustment_id
        HAVING sum(approved) <> sum(posted)`,
    },
    {
      name: 'PAYOUTS_PENDING holds what withdrawals wait for, RECEIVABLES what customers still owe for parcels they have',
      // Corrections by hand aside, which may say otherwise.
      without: ['mergejoin'],
      sql: `
        SELECT store_id, kind, sum(held) AS held, sum(expected) AS expected
          FROM (
            SELECT w.store_id, w.kind, e.amount AS held, 0 AS expected
              FROM wallets w
             CROSS JOIN LATERAL (SELECT sum(amount) AS amount FROM ledger_entries WHERE wallet_id = w.id) e
             WHERE w.kind IN ('PAYOUTS_PENDING', 'RECEIVABLES') AND e.amount <> 0
             UNION ALL
            SELECT store_id, kind, -amount, 0
              FROM ${postings(['ADJUSTMENT'], ['PAYOUTS_PENDING', 'RECEIVABLES'])} by_hand
             UNION ALL
            SELECT store_id, 'PAYOUTS_PENDING', 0, amount
              FROM withdrawals
             WHERE status = 'REQUESTED'
             UNION ALL
            SELECT p.store_id, 'RECEIVABLES', 0, p.captured_amount - p.amount
              FROM payments p
              JOIN orders o ON o.store_id = p.store_id AND o.id = p.order_id
             WHERE o.status = 'DELIVERED' AND p.method = 'COD' AND p.captured_amount < p.amount
          ) waiting
         GROUP BY store_id, kind
        HAVING sum(held) <> sum(expected)`,
    },
  ],
};
