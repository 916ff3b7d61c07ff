import type { ClaimGroup } from './claim.js';
import { ofThePast } from './of-the-past.js';
import { postings } from './postings.js';

/** Cash on its way from the customer's door to the vault; docs/cash.md. Orders of the past brought none that is still about. */
export const CASH: ClaimGroup = {
  name: 'cash',
  claims: [
    {
      name: 'what an agent took at the door is what was captured, owed and kept for the customer',
      seconds: 3.5,
      without: ['indexscan', 'mergejoin'],
      sql: `
        SELECT a.store_id, a.id AS assignment_id, a.order_id, a.cash_due, a.cash_collected, p.captured_amount, s.settled,
               sale.cash, sale.owed, kept.above
          FROM shipping_assignments a
          JOIN payments p ON p.store_id = a.store_id AND p.order_id = a.order_id AND p.method = 'COD'
          LEFT JOIN (
            SELECT store_id, payment_id, sum(amount) AS settled FROM payment_settlements GROUP BY store_id, payment_id
          ) s ON s.store_id = p.store_id AND s.payment_id = p.id
          LEFT JOIN (
            SELECT store_id, reference, -sum(amount) FILTER (WHERE kind = 'AGENT_CASH') AS cash,
                   -sum(amount) FILTER (WHERE kind = 'RECEIVABLES') AS owed
              FROM ${postings(['SALE'], ['AGENT_CASH', 'RECEIVABLES'])} sold
             GROUP BY store_id, reference
          ) sale ON sale.store_id = a.store_id AND sale.reference = a.order_id::text
          LEFT JOIN (
            SELECT store_id, reference, -sum(amount) AS above
              FROM ${postings(['OVERPAYMENT'], ['AGENT_CASH'])} given
             GROUP BY store_id, reference
          ) kept ON kept.store_id = a.store_id AND kept.reference = a.id::text
         WHERE a.status = 'DELIVERED' AND NOT ${ofThePast('a')}
           AND (
             a.cash_collected IS NULL OR (a.short_reason IS NOT NULL) <> (a.cash_collected < a.cash_due)
             OR p.captured_amount <> least(a.cash_collected, a.cash_due) + coalesce(s.settled, 0)
             OR coalesce(sale.cash, 0) <> least(a.cash_collected, a.cash_due)
             OR coalesce(sale.owed, 0) <> greatest(a.cash_due - a.cash_collected, 0)
             OR coalesce(kept.above, 0) <> greatest(a.cash_collected - a.cash_due, 0)
           )`,
    },
    {
      name: 'what customers settled later is on the ledger, and what is there was settled',
      without: ['mergejoin'],
      sql: `
        SELECT store_id, settlement_id, sum(settled) AS settled, sum(posted) AS posted
          FROM (
            SELECT store_id, id::text AS settlement_id, amount AS settled, 0 AS posted
              FROM payment_settlements
             UNION ALL
            SELECT store_id, reference, 0, amount
              FROM ${postings(['SETTLEMENT'], ['RECEIVABLES'])} posted
          ) money
         GROUP BY store_id, settlement_id
        HAVING sum(settled) <> sum(posted)`,
    },
    {
      name: 'a shift that was counted expected what its rows add up to',
      without: ['mergejoin'],
      sql: `
        SELECT s.store_id, s.id AS shift_id, s.agent_id, s.opening_cash, s.charged, d.collected, r.remitted, s.expected, s.counted
          FROM agent_shifts s
          LEFT JOIN (
            SELECT store_id, shift_id, sum(cash_collected) AS collected
              FROM shipping_assignments
             WHERE shift_id IS NOT NULL
             GROUP BY store_id, shift_id
          ) d ON d.store_id = s.store_id AND d.shift_id = s.id
          LEFT JOIN (
            SELECT store_id, shift_id, sum(amount) AS remitted
              FROM remittances
             WHERE shift_id IS NOT NULL
             GROUP BY store_id, shift_id
          ) r ON r.store_id = s.store_id AND r.shift_id = s.id
          LEFT JOIN (
            SELECT DISTINCT store_id, owner_id
              FROM ${postings(['ADJUSTMENT'], ['AGENT_CASH'])} by_hand
          ) corrected ON corrected.store_id = s.store_id AND corrected.owner_id = s.agent_id
         WHERE s.status <> 'OPEN' AND corrected.owner_id IS NULL
           AND s.expected <> s.opening_cash + s.charged + coalesce(d.collected, 0)
                             - (coalesce(r.remitted, 0) - least(s.expected, s.counted))`,
    },
    {
      name: 'what was missing or too much at a count was decided on by others, and is then on the ledger once',
      without: ['mergejoin'],
      sql: `
        SELECT s.store_id, s.id AS shift_id, s.status, s.expected, s.counted, a.status AS approval, a.amount, v.posted
          FROM agent_shifts s
          LEFT JOIN approvals a ON a.store_id = s.store_id AND a.kind = 'CASH_VARIANCE' AND a.subject_id = s.id
          LEFT JOIN (
            SELECT store_id, reference, sum(amount) AS posted
              FROM ${postings(['CASH_VARIANCE'], ['CASH_SHORT_OVER'])} counted
             GROUP BY store_id, reference
          ) v ON v.store_id = s.store_id AND v.reference = s.id::text
         WHERE (s.counted IS DISTINCT FROM s.expected) <> (a.id IS NOT NULL)
            OR a.amount <> s.counted - s.expected
            OR (s.status = 'COUNTED') <> (coalesce(a.status, '') = 'PENDING')
            OR coalesce(v.posted, 0) <> CASE a.status WHEN 'APPROVED' THEN a.amount ELSE 0 END`,
    },
    {
      name: 'the cash that an agent holds is what he took, less what he handed in and what was written off',
      seconds: 2,
      without: ['indexscan', 'mergejoin'],
      sql: `
        SELECT w.store_id, w.owner_id AS agent_id, -w.balance AS cash, sum(m.amount) AS moved
          FROM wallets w
          LEFT JOIN (
            SELECT a.store_id, a.agent_id, a.cash_collected AS amount
              FROM shipping_assignments a
             WHERE a.status = 'DELIVERED' AND a.cash_collected <> 0 AND NOT ${ofThePast('a')}
             UNION ALL
            SELECT store_id, agent_id, -amount FROM remittances
             UNION ALL
            SELECT own.store_id, own.owner_id, -own.amount
              FROM (
                SELECT e.store_id, e.transaction_id, held.owner_id, e.amount
                  FROM ledger_entries e
                  JOIN wallets held ON held.id = e.wallet_id AND held.kind = 'AGENT_CASH'
                 WHERE e.wallet_id = ANY (ARRAY(SELECT id FROM wallets WHERE kind = 'AGENT_CASH'))
                OFFSET 0
              ) own
              JOIN ledger_transactions t
                ON t.store_id = own.store_id AND t.id = own.transaction_id
               AND t.type NOT IN ('SALE', 'OVERPAYMENT', 'REMITTANCE')
          ) m ON m.store_id = w.store_id AND m.agent_id = w.owner_id
         WHERE w.kind = 'AGENT_CASH'
         GROUP BY w.store_id, w.id
        HAVING -w.balance <> coalesce(sum(m.amount), 0)`,
    },
    {
      name: 'an agent who holds cash is in a shift, or a count of it waits for a decision',
      without: ['mergejoin'],
      sql: `
        SELECT w.store_id, w.owner_id AS agent_id, -w.balance AS cash
          FROM wallets w
          LEFT JOIN (
            SELECT store_id, agent_id, bool_or(status = 'OPEN') AS open,
                   coalesce(sum(expected - counted) FILTER (WHERE status = 'COUNTED' AND counted < expected), 0) AS pending
              FROM agent_shifts
             GROUP BY store_id, agent_id
          ) s ON s.store_id = w.store_id AND s.agent_id = w.owner_id
          LEFT JOIN (
            SELECT DISTINCT store_id, owner_id
              FROM ${postings(['ADJUSTMENT'], ['AGENT_CASH'])} by_hand
          ) corrected ON corrected.store_id = w.store_id AND corrected.owner_id = w.owner_id
         WHERE w.kind = 'AGENT_CASH' AND corrected.owner_id IS NULL
           AND -w.balance > coalesce(s.pending, 0) AND s.open IS NOT TRUE`,
    },
  ],
};
