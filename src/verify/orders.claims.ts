import { ORDER_STEPS } from '../modules/orders/orders.states.js';
import type { ClaimGroup } from './claim.js';

/** ('CONFIRMED', 'PREPARING'), …: every step of the state machine. */
const STEPS = Object.entries(ORDER_STEPS)
  .flatMap(([from, steps]) => Object.keys(steps).map((to) => `('${from}', '${to}')`))
  .join(', ');

export const ORDERS: ClaimGroup = {
  name: 'orders',
  claims: [
    {
      name: 'an order is the sum of its lines',
      sql: `
        SELECT store_id, id AS order_id, sum(goods) AS goods, sum(discount) AS discount, sum(tax) AS tax, sum(lines) AS lines
          FROM (
            SELECT store_id, id, subtotal AS goods, discount - delivery_discount AS discount, tax - delivery_tax AS tax,
                   1 AS orders, 0 AS lines, 0 AS line_no
              FROM orders
             UNION ALL
            SELECT store_id, order_id, -total, -discount, -tax, 0, 1, line_no
              FROM order_lines
          ) parts
         GROUP BY store_id, id
        HAVING sum(goods) <> 0 OR sum(discount) <> 0 OR sum(tax) <> 0 OR sum(orders) <> 1
            OR sum(lines) = 0 OR max(line_no) <> sum(lines)`,
    },
    {
      name: 'the total of an order is goods less discount, delivery, and the tax that prices do not contain',
      sql: `
        SELECT store_id, id AS order_id, total
          FROM orders
         WHERE total <> subtotal - discount + delivery_fee + CASE WHEN tax_inclusive THEN 0 ELSE tax END
            OR delivery_discount > delivery_fee OR discount - delivery_discount > subtotal`,
    },
    {
      name: 'a line is quantity times price, and its tax is that of its rate, rounded half up',
      // In numeric: twice the largest amount times a rate in parts per million is more than a bigint holds.
      sql: `
        SELECT l.store_id, l.order_id, l.line_no, l.tax, l.tax_rate_ppm
          FROM order_lines l
          JOIN orders o ON o.store_id = l.store_id AND o.id = l.order_id
         CROSS JOIN LATERAL (
           SELECT 1000000 + CASE WHEN o.tax_inclusive THEN l.tax_rate_ppm ELSE 0 END AS whole
         ) rate
         WHERE l.total <> l.quantity * l.unit_price
            OR (
              l.tax_rate_ppm + l.tax > 0 AND o.imported_at IS NULL
              AND l.tax <> div(2 * (l.total - l.discount)::numeric * l.tax_rate_ppm + rate.whole, 2 * rate.whole)
            )`,
    },
    {
      name: 'history is contiguous, each step begins where the last one ended, and it ends where the order is',
      sql: `
        SELECT coalesce(o.store_id, h.store_id) AS store_id, coalesce(o.id, h.order_id) AS order_id, o.status, o.version,
               h.version AS step, h.from_status, h.to_status
          FROM (
            SELECT store_id, order_id, version, from_status, to_status,
                   lag(version, 1, 0) OVER steps AS earlier, lag(to_status) OVER steps AS began,
                   lead(version) OVER steps IS NULL AS last
              FROM order_history
            WINDOW steps AS (PARTITION BY store_id, order_id ORDER BY version)
          ) h
          FULL JOIN orders o ON o.store_id = h.store_id AND o.id = h.order_id AND h.last
         WHERE h.version <> h.earlier + 1 OR h.from_status IS DISTINCT FROM h.began
            OR (h.last AND (o.id IS NULL OR h.version <> o.version OR h.to_status <> o.status))
            OR h.order_id IS NULL`,
    },
    {
      name: 'every step of history is one that orders take',
      sql: `
        SELECT store_id, order_id, version, from_status, to_status
          FROM order_history
         WHERE from_status IS NOT NULL AND (from_status, to_status) NOT IN (VALUES ${STEPS})`,
    },
    {
      name: 'every step of an order has its event',
      // Events are kept for a day at least (OUTBOX_KEEP_DAYS), and were written at the very moment of their step.
      sql: `
        SELECT store_id, order_id, type, sum(steps) AS steps, sum(events) AS events
          FROM (
            SELECT h.store_id, h.order_id,
                   'order.' || CASE h.version WHEN 1 THEN 'placed' ELSE lower(h.to_status) END AS type,
                   1 AS steps, 0 AS events
              FROM order_history h
              JOIN orders o ON o.store_id = h.store_id AND o.id = h.order_id AND o.imported_at IS NULL
             WHERE h.created_at > now() - interval '1 day'
             UNION ALL
            SELECT store_id, aggregate_id, type, 0, 1
              FROM outbox_events
             WHERE aggregate_type = 'order' AND created_at > now() - interval '1 day'
          ) told
         GROUP BY store_id, order_id, type
        HAVING sum(steps) <> sum(events)`,
    },
    // An order may have none: the demo stores' and imported ones came without a request.
    {
      name: 'every key that placed an order has one, and no order has two',
      sql: `
        SELECT store_id, order_id, sum(keys) AS keys
          FROM (
            SELECT store_id, (response ->> 'id')::uuid AS order_id, 1 AS keys, 0 AS orders
              FROM idempotency_keys
             WHERE route = 'POST /api/orders' AND status_code = 201
             UNION ALL
            SELECT store_id, id, 0, 1
              FROM orders
          ) placed
         GROUP BY store_id, order_id
        HAVING sum(keys) > 1 OR sum(orders) <> 1`,
    },
    {
      name: 'a cart became one order, and an order from a cart closed it',
      sql: `
        SELECT store_id, cart_id, sum(ordered) AS ordered, sum(orders) AS orders
          FROM (
            SELECT store_id, id AS cart_id, CASE status WHEN 'ORDERED' THEN 1 ELSE 0 END AS ordered, 0 AS orders
              FROM carts
             UNION ALL
            SELECT store_id, cart_id, 0, 1
              FROM orders
             WHERE cart_id IS NOT NULL
          ) become
         GROUP BY store_id, cart_id
        HAVING sum(ordered) <> sum(orders) OR sum(orders) > 1`,
    },
    {
      name: 'a cart is ordered by whom it belongs to',
      sql: `
        SELECT o.store_id, o.id AS order_id, c.id AS cart_id
          FROM orders o
          JOIN carts c ON c.store_id = o.store_id AND c.id = o.cart_id
         WHERE c.customer_id IS NOT NULL AND c.customer_id IS DISTINCT FROM o.customer_id`,
    },
  ],
};
