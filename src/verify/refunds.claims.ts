import type { ClaimGroup } from './claim.js';

export const REFUNDS: ClaimGroup = {
  name: 'refunds',
  claims: [
    {
      name: 'what a payment has refunded, and is about to, is what its refunds say; never more than was captured',
      sql: `
        SELECT coalesce(p.store_id, r.store_id) AS store_id, coalesce(p.id, r.payment_id) AS payment_id, p.order_id,
               p.captured_amount, p.refunded_amount, p.refunding_amount, r.refunded, r.refunding
          FROM (
            SELECT store_id, id, order_id, captured_amount, refunded_amount, refunding_amount
              FROM payments
             WHERE refunded_amount <> 0 OR refunding_amount <> 0 OR captured_amount < 0
          ) p
          FULL JOIN (
            SELECT store_id, payment_id,
                   coalesce(sum(amount) FILTER (WHERE status = 'SUCCEEDED'), 0) AS refunded,
                   coalesce(sum(amount) FILTER (WHERE status IN ('REQUESTED', 'APPROVED', 'PROCESSING')), 0) AS refunding
              FROM refunds
             GROUP BY store_id, payment_id
          ) r ON r.store_id = p.store_id AND r.payment_id = p.id
         WHERE coalesce(p.refunded_amount, 0) <> coalesce(r.refunded, 0)
            OR coalesce(p.refunding_amount, 0) <> coalesce(r.refunding, 0)
            OR p.refunded_amount + p.refunding_amount > p.captured_amount`,
    },
    {
      name: 'of an order that has ended nothing is kept that no refund tried to give back',
      sql: `
        SELECT o.store_id, o.id AS order_id, o.status, p.captured_amount, p.refunded_amount, p.refunding_amount
          FROM orders o
          JOIN payments p ON p.store_id = o.store_id AND p.order_id = o.id
          LEFT JOIN (
            SELECT store_id, payment_id, sum(amount) AS failed FROM refunds WHERE status = 'FAILED' GROUP BY store_id, payment_id
          ) r ON r.store_id = p.store_id AND r.payment_id = p.id
         WHERE o.status IN ('CANCELLED', 'RETURNED', 'EXPIRED')
           AND p.refunded_amount + p.refunding_amount + coalesce(r.failed, 0) < p.captured_amount`,
    },
    {
      name: 'every refund that succeeded is one SALE_REFUND of its amount, and no other is on the ledger',
      sql: `
        SELECT store_id, refund_id, sum(refunded) AS refunded, sum(posted) AS posted
          FROM (
            SELECT store_id, id::text AS refund_id, amount AS refunded, 0 AS posted
              FROM refunds
             WHERE status = 'SUCCEEDED'
             UNION ALL
            SELECT t.store_id, t.reference, 0, e.amount
              FROM ledger_transactions t
             CROSS JOIN LATERAL (
               SELECT wallet_id, amount
                 FROM ledger_entries
                WHERE store_id = t.store_id AND transaction_id = t.id
               OFFSET 0
             ) e
              JOIN wallets w ON w.id = e.wallet_id AND w.kind NOT IN ('SALES', 'DELIVERY_FEES', 'PROMOTIONS', 'TAXES')
             WHERE t.type = 'SALE_REFUND'
          ) given
         GROUP BY store_id, refund_id
        HAVING sum(refunded) <> sum(posted)`,
    },
    {
      name: 'a sale that was taken back as a whole has left nothing of itself on the ledger',
      seconds: 2.5,
      // Of each kind of revenue apart: the shares of all its refunds add up to it, to the cent. Few sales are taken back: they
      // and their entries are looked up one by one. In the order of time, in which they lie on the disk: in the order of a hash
      // table each was a read of its own, 5 s from memory and minutes from a disk.
      sql: `
        WITH refunded AS MATERIALIZED (
          SELECT p.store_id, p.order_id::text AS order_id, r.id::text AS refund_id
            FROM refunds r
            JOIN payments p ON p.store_id = r.store_id AND p.id = r.payment_id
           WHERE r.status = 'SUCCEEDED'
        ), posted AS MATERIALIZED (
          SELECT t.store_id, t.id, f.order_id
            FROM ledger_transactions t
            JOIN refunded f ON f.store_id = t.store_id AND f.refund_id = t.reference
           WHERE t.type = 'SALE_REFUND'
           UNION
          SELECT t.store_id, t.id, f.order_id
            FROM ledger_transactions t
            JOIN refunded f ON f.store_id = t.store_id AND f.order_id = t.reference
           WHERE t.type = 'RECEIVABLE_CANCELLED'
           UNION
          SELECT f.store_id, t.id, f.order_id
            FROM refunded f
           CROSS JOIN LATERAL (
             SELECT id FROM ledger_transactions WHERE store_id = f.store_id AND type = 'SALE' AND reference = f.order_id OFFSET 0
           ) t
           ORDER BY store_id, id
        )
        SELECT store_id, order_id, kind, amount
          FROM (
            SELECT t.store_id, t.order_id, w.kind, sum(e.amount) AS amount,
                   sum(sum(e.amount)) OVER (PARTITION BY t.store_id, t.order_id) AS left_over
              FROM posted t
             CROSS JOIN LATERAL (
               SELECT wallet_id, amount FROM ledger_entries WHERE store_id = t.store_id AND transaction_id = t.id OFFSET 0
             ) e
              JOIN wallets w ON w.id = e.wallet_id AND w.kind IN ('SALES', 'DELIVERY_FEES', 'PROMOTIONS', 'TAXES')
             GROUP BY t.store_id, t.order_id, w.kind
          ) sale
         WHERE (left_over = 0 AND amount <> 0) OR left_over < 0`,
    },
    {
      name: 'the pieces of a line that refunds cover are those of its refunds that did not come to nothing, and no more than it has',
      sql: `
        SELECT coalesce(l.store_id, b.store_id) AS store_id, coalesce(l.order_id, b.order_id) AS order_id,
               coalesce(l.line_no, b.line_no) AS line_no, l.quantity, l.refunded_quantity, b.pieces
          FROM (
            SELECT store_id, order_id, line_no, quantity, refunded_quantity
              FROM order_lines
             WHERE refunded_quantity <> 0 OR refunded_quantity > quantity
          ) l
          FULL JOIN (
            SELECT b.store_id, b.order_id, b.line_no, sum(b.quantity) AS pieces
              FROM refund_lines b
              JOIN refunds r ON r.store_id = b.store_id AND r.id = b.refund_id AND r.status NOT IN ('FAILED', 'REJECTED')
             GROUP BY b.store_id, b.order_id, b.line_no
          ) b ON b.store_id = l.store_id AND b.order_id = l.order_id AND b.line_no = l.line_no
         WHERE coalesce(l.refunded_quantity, 0) <> coalesce(b.pieces, 0) OR l.refunded_quantity > l.quantity`,
    },
    {
      name: 'a refund of pieces is the sum of its lines, which are lines of its own order',
      sql: `
        SELECT b.store_id, b.refund_id, r.amount, sum(b.amount) AS pieces
          FROM refund_lines b
          JOIN refunds r ON r.store_id = b.store_id AND r.id = b.refund_id
          JOIN payments p ON p.store_id = r.store_id AND p.id = r.payment_id
         GROUP BY b.store_id, b.refund_id, r.amount, p.order_id
        HAVING sum(b.amount) <> r.amount OR bool_or(b.order_id <> p.order_id)`,
    },
  ],
};
