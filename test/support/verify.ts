import type pg from 'pg';

/** Each answers with the rows that break it: a sound database has none. */
const INVARIANTS: Record<string, string> = {
  'stock on hand is the sum of its movements': `
    SELECT s.variant_id, s.on_hand, coalesce(sum(m.delta), 0) AS moved
      FROM stock_levels s
      LEFT JOIN stock_movements m USING (store_id, variant_id)
     GROUP BY s.store_id, s.variant_id, s.on_hand
    HAVING s.on_hand <> coalesce(sum(m.delta), 0)`,
  'reserved is what open orders want, and never above what is on hand': `
    SELECT s.variant_id, s.on_hand, s.reserved, wanted.quantity
      FROM stock_levels s
     CROSS JOIN LATERAL (
       SELECT coalesce(sum(l.quantity), 0) AS quantity
         FROM order_lines l
         JOIN orders o ON o.store_id = l.store_id AND o.id = l.order_id
        WHERE l.store_id = s.store_id AND l.variant_id = s.variant_id AND o.status IN ('PENDING', 'CONFIRMED', 'PREPARING')
     ) wanted
     WHERE s.reserved <> wanted.quantity OR s.reserved > s.on_hand OR s.reserved < 0`,
  'what left the shelf for an order is what its status says': `
    SELECT l.store_id, l.order_id, l.variant_id, o.status
      FROM (SELECT store_id, order_id, variant_id, sum(quantity) AS quantity FROM order_lines GROUP BY 1, 2, 3) l
      JOIN orders o ON o.store_id = l.store_id AND o.id = l.order_id
      LEFT JOIN LATERAL (
        SELECT coalesce(-sum(m.delta) FILTER (WHERE m.reason = 'SALE'), 0) AS sold,
               coalesce(sum(m.delta) FILTER (WHERE m.reason = 'RETURN'), 0) AS returned
          FROM stock_movements m
         WHERE m.store_id = l.store_id AND m.variant_id = l.variant_id AND m.order_id = l.order_id
      ) moved ON true
     WHERE moved.sold <> CASE WHEN o.status IN ('SHIPPING', 'DELIVERED', 'RETURNED') THEN l.quantity ELSE 0 END
        OR moved.returned <> CASE WHEN o.status = 'RETURNED' THEN l.quantity ELSE 0 END`,
  'an order is the sum of its lines': `
    SELECT o.id
      FROM orders o
     WHERE o.subtotal IS DISTINCT FROM (
       SELECT sum(l.total)::bigint FROM order_lines l WHERE l.store_id = o.store_id AND l.order_id = o.id
     )`,
  'every ledger transaction balances': `
    SELECT t.id
      FROM ledger_transactions t
      LEFT JOIN ledger_entries e ON e.store_id = t.store_id AND e.transaction_id = t.id
     GROUP BY t.store_id, t.id
    HAVING count(e.id) < 2 OR sum(e.amount) <> 0 OR count(DISTINCT e.currency) <> 1`,
  'a kept balance is the sum of its entries': `
    SELECT w.id, w.kind, w.balance
      FROM wallets w
      LEFT JOIN ledger_entries e ON e.wallet_id = w.id
     WHERE w.balance_kept
     GROUP BY w.store_id, w.id
    HAVING w.balance <> coalesce(sum(e.amount), 0)`,
  'no wallet is below zero that may not be': `
    SELECT id, kind, balance FROM wallets WHERE balance < 0 AND NOT allow_negative`,
  'an order has one active assignment at most, and none once it has ended': `
    SELECT a.order_id, o.status, count(*)
      FROM shipping_assignments a
      JOIN orders o ON o.store_id = a.store_id AND o.id = a.order_id
     WHERE a.status IN ('OFFERED', 'ACCEPTED', 'PICKED_UP')
     GROUP BY a.order_id, o.status
    HAVING count(*) > 1 OR o.status IN ('DELIVERED', 'CANCELLED', 'RETURNED', 'EXPIRED')`,
  'a parcel that an agent has is on its way, one that he has delivered has arrived': `
    SELECT a.id, a.status, o.status
      FROM shipping_assignments a
      JOIN orders o ON o.store_id = a.store_id AND o.id = a.order_id
     WHERE (a.status = 'PICKED_UP' AND o.status <> 'SHIPPING')
        OR (a.status = 'DELIVERED' AND o.status NOT IN ('DELIVERED', 'RETURNED'))`,
  'history is contiguous, each step begins where the last one ended, and it ends where the order is': `
    SELECT o.id, o.status, o.version
      FROM orders o
      LEFT JOIN LATERAL (
        SELECT count(*) AS steps, max(h.version) AS last_version,
               (array_agg(h.to_status ORDER BY h.version DESC))[1] AS last_status,
               bool_and(h.from_status IS NOT DISTINCT FROM h.expected) AS linked
          FROM (
            SELECT version, from_status, to_status, lag(to_status) OVER (ORDER BY version) AS expected
              FROM order_history
             WHERE store_id = o.store_id AND order_id = o.id
          ) h
      ) h ON true
     WHERE h.steps <> o.version OR h.last_version <> o.version OR h.last_status <> o.status OR NOT h.linked`,
  'every step of an order has its event': `
    SELECT o.id, o.version
      FROM orders o
     WHERE o.version <> (
       SELECT count(*) FROM outbox_events e WHERE e.aggregate_type = 'order' AND e.aggregate_id = o.id
     )`,
  'a payment is where its order is': `
    SELECT o.id, o.status, p.method, p.status AS payment
      FROM orders o
      LEFT JOIN payments p ON p.store_id = o.store_id AND p.order_id = o.id
     WHERE p.status IS NULL OR NOT p.status = ANY (
       CASE
         WHEN p.method = 'WALLET' AND o.status IN ('CANCELLED', 'RETURNED', 'EXPIRED') THEN ARRAY['REFUNDED']
         WHEN p.method = 'WALLET' THEN ARRAY['CAPTURED']
         WHEN o.status = 'DELIVERED' THEN ARRAY['CAPTURED']
         WHEN o.status IN ('CANCELLED', 'EXPIRED') THEN ARRAY['VOIDED']
         WHEN o.status = 'RETURNED' THEN ARRAY['VOIDED', 'REFUNDED']
         ELSE ARRAY['PENDING']
       END
     )`,
  'what was captured is one SALE on the ledger, what was refunded is its refunds': `
    SELECT p.order_id, p.status, p.captured_amount, p.refunded_amount, sold.amount AS sold, refunded.amount AS refunded
      FROM payments p
     CROSS JOIN LATERAL (
       SELECT coalesce(sum(e.amount) FILTER (WHERE e.amount > 0), 0) AS amount
         FROM ledger_transactions t
         JOIN ledger_entries e ON e.store_id = t.store_id AND e.transaction_id = t.id
        WHERE t.store_id = p.store_id AND t.type = 'SALE' AND t.reference = p.order_id::text
     ) sold
     CROSS JOIN LATERAL (
       SELECT coalesce(sum(e.amount) FILTER (WHERE e.amount > 0), 0) AS amount
         FROM refunds r
         JOIN ledger_transactions t ON t.store_id = r.store_id AND t.type = 'SALE_REFUND' AND t.reference = r.id::text
         JOIN ledger_entries e ON e.store_id = t.store_id AND e.transaction_id = t.id
        WHERE r.store_id = p.store_id AND r.payment_id = p.id AND r.status = 'SUCCEEDED'
     ) refunded
     WHERE sold.amount <> p.captured_amount OR refunded.amount <> p.refunded_amount`,
  'cash that agents collected is what their deliveries captured': `
    SELECT a.id, a.cash_collected, p.captured_amount
      FROM shipping_assignments a
      JOIN payments p ON p.store_id = a.store_id AND p.order_id = a.order_id
     WHERE a.status = 'DELIVERED' AND p.method = 'COD' AND a.cash_collected IS DISTINCT FROM p.captured_amount`,
  // An order may have none: the demo stores' and imported ones came without a request.
  'every key that placed an order has one, and no order has two': `
    SELECT k.order_id, count(*) AS keys
      FROM (
        SELECT store_id, response ->> 'id' AS order_id
          FROM idempotency_keys
         WHERE route = 'POST /api/orders' AND status_code = 201
      ) k
      LEFT JOIN orders o ON o.store_id = k.store_id AND o.id = k.order_id::uuid
     GROUP BY k.order_id, o.id
    HAVING count(*) <> 1 OR o.id IS NULL`,
};

/**
 * Proves that a database is sound: stock, money, orders and deliveries agree with each other to the last piece and cent.
 * @throws Error that names what is broken, with the first rows
 */
export async function verify(sql: Pick<pg.Pool | pg.PoolClient, 'query'>): Promise<void> {
  const problems: string[] = [];
  for (const [claim, query] of Object.entries(INVARIANTS)) {
    const { rows } = await sql.query(query);
    if (rows.length > 0) problems.push(`${claim}: ${rows.length} break it: ${JSON.stringify(rows.slice(0, 3))}`);
  }
  if (problems.length > 0) throw new Error(`The database is not sound.\n${problems.join('\n')}`);
}
