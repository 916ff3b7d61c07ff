import { type Damage, one } from './damage.js';

const PAID =
  'an agent was paid for deliveries that he made, once for each; his attempts of a folded day, and his pay, are counted as they are';
const TRIED =
  'attempts to deliver of a folded day are counted as they are, by zip code and in all, the first of them, and how long they took';

/** The first row of a rollup for which something holds. */
const first = (table: string, condition = 'true'): string =>
  `ctid = (SELECT ctid FROM ${table} WHERE ${condition} ORDER BY 1 LIMIT 1)`;

export const DASHBOARDS: Damage[] = [
  {
    claim: 'orders of a folded day are counted as they are',
    sql: `UPDATE order_days SET total = total + 1 WHERE ${first('order_days')} RETURNING day::text AS id`,
  },
  {
    claim: 'orders of a folded day are counted as they are',
    sql: `UPDATE orders SET status = 'RETURNED' WHERE id = (SELECT id FROM orders WHERE status = 'DELIVERED' ORDER BY placed_at LIMIT 1)
          RETURNING 'RETURNED' AS id`,
  },
  {
    claim: 'goods sold on a folded day are counted as they are',
    sql: `UPDATE product_days SET units = units + 1 WHERE ${first('product_days')} RETURNING variant_id::text AS id`,
  },
  {
    claim: 'goods sold in a month are those of its folded days',
    sql: `DELETE FROM product_months WHERE ${first('product_months')} RETURNING variant_id::text AS id`,
  },
  {
    claim: PAID,
    sql: `UPDATE agent_days SET earnings = earnings + 1 WHERE ${first('agent_days')} RETURNING agent_id::text AS id`,
  },
  {
    claim: PAID,
    sql: `DELETE FROM agent_days WHERE ${first('agent_days')} RETURNING agent_id::text AS id`,
  },
  {
    claim: PAID,
    // To the same agent, in the same fact, on a day that is not folded.
    sql: `WITH fee AS (SELECT t.id, a.agent_id FROM ledger_transactions t JOIN shipping_assignments a ON a.id::text = t.reference
             WHERE t.type = 'AGENT_FEE' ORDER BY a.closed_at DESC LIMIT 1),
          more AS (INSERT INTO ledger_entries (store_id, wallet_id, transaction_id, amount, currency)
            SELECT e.store_id, e.wallet_id, e.transaction_id, e.amount, e.currency FROM fee JOIN ledger_entries e ON e.transaction_id = fee.id)
          SELECT agent_id::text AS id FROM fee`,
  },
  {
    claim: PAID,
    // To another agent.
    sql: `WITH fee AS (SELECT id, reference FROM ledger_transactions WHERE type = 'AGENT_FEE' LIMIT 1),
          moved AS (UPDATE ledger_entries e
             SET wallet_id = (SELECT o.id FROM wallets o WHERE o.kind = 'AGENT_EARNINGS' AND o.store_id = e.store_id AND o.id <> e.wallet_id LIMIT 1)
            FROM fee WHERE e.transaction_id = fee.id AND e.amount > 0)
          SELECT reference AS id FROM fee`,
  },
  {
    claim: PAID,
    // The attempt failed after all.
    sql: `UPDATE shipping_assignments SET status = 'FAILED' WHERE ${one('shipping_assignments', 'id', "status = 'DELIVERED'")}
          RETURNING id::text`,
  },
  {
    claim: TRIED,
    sql: `DELETE FROM zip_days WHERE ${first('zip_days')} RETURNING day::text AS id`,
  },
  {
    claim: TRIED,
    sql: `UPDATE fulfilment_days SET on_time = on_time + 1 WHERE ${first('fulfilment_days')} RETURNING day::text AS id`,
  },
  {
    claim: TRIED,
    sql: `UPDATE fulfilment_days SET first_deliveries = first_deliveries - 1, first_attempts = first_attempts - 1
           WHERE ${first('fulfilment_days')} RETURNING day::text AS id`,
  },
  {
    claim: TRIED,
    sql: `UPDATE delivery_minutes SET minutes = minutes + 100000 WHERE ${first('delivery_minutes')} RETURNING day::text AS id`,
  },
  {
    claim: TRIED,
    // As many deliveries, as many minutes, and the same sum of squares: 0 + 4 + 5 and 1 + 2 + 6.
    sql: `INSERT INTO delivery_minutes (store_id, day, stage, minutes, deliveries)
          SELECT d.store_id, d.day, 'ALL', 50000 + m.minutes, m.deliveries
            FROM (SELECT store_id, day FROM fulfilment_days ORDER BY day LIMIT 1) d
           CROSS JOIN (VALUES (0, 1), (4, 1), (5, 1), (1, -1), (2, -1), (6, -1)) AS m (minutes, deliveries)
          RETURNING day::text AS id`,
  },
  {
    claim: 'half of the deliveries of a folded day, and 95 in 100, took no longer than is kept of it',
    sql: `UPDATE fulfilment_days SET to_deliver[2] = to_deliver[2] + 1 WHERE ${first('fulfilment_days', 'deliveries > 0')} RETURNING day::text AS id`,
  },
  {
    claim: 'half of the deliveries of a folded day, and 95 in 100, took no longer than is kept of it',
    sql: `UPDATE fulfilment_days SET in_all = NULL WHERE ${first('fulfilment_days', 'deliveries > 0')} RETURNING day::text AS id`,
  },
];
