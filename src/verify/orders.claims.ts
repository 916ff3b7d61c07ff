import { ORDER_STATUSES, ORDER_STEPS } from '../modules/orders/orders.states.js';
import type { ClaimGroup } from './claim.js';
import { PAST_ORDERS } from './of-the-past.js';

/** ('CONFIRMED', 'PREPARING'), …: every step of the state machine. */
const STEPS = Object.entries(ORDER_STEPS)
  .flatMap(([from, steps]) => Object.keys(steps).map((to) => `('${from}', '${to}')`))
  .join(', ');

/** Hexadecimal digits of a bigint that are never negative. Orders take six steps at most. */
const LONGEST_HISTORY = 15;

/** A status, from 1, as the hexadecimal digit at a place; 0 for none. */
function digit(status: string, place: string): string {
  const codes = ORDER_STATUSES.map((name, index) => `WHEN '${name}' THEN ${index + 1}`).join(' ');
  return `((CASE ${status} ${codes} ELSE 0 END)::bigint << (4 * (${place})))`;
}

/**
 * The tax of a line, given what the price is of in parts per million. Twice the largest amount times a rate is more than a
 * bigint holds; numeric takes three times as long.
 */
function taxOf(whole: string): string {
  return `CASE
    WHEN total < 4000000000000 THEN (2 * (total - discount) * tax_rate_ppm + ${whole}) / (2 * ${whole})
    ELSE div(2 * (total - discount)::numeric * tax_rate_ppm + ${whole}, 2 * ${whole})::bigint
  END`;
}

export const ORDERS: ClaimGroup = {
  name: 'orders',
  claims: [
    {
      name: 'an order is the sum of its lines, each of them quantity times price, with the tax of its rate, rounded half up',
      seconds: 3,
      // Which lines would be wrong in either kind of order is found first: joined for each line, orders take as long again.
      without: ['hashagg', 'hashjoin'],
      sql: `
        SELECT coalesce(o.store_id, l.store_id) AS store_id, coalesce(o.id, l.order_id) AS order_id, o.subtotal, o.discount, o.tax,
               l.lines, l.goods, l.discount AS line_discounts, l.tax AS line_taxes, l.mispriced,
               CASE WHEN o.tax_inclusive THEN l.mistaxed_inclusive ELSE l.mistaxed END AS mistaxed
          FROM orders o
          FULL JOIN (
            SELECT store_id, order_id, count(*) AS lines, max(line_no) AS last_line, bigint_sum(total) AS goods,
                   bigint_sum(discount) AS discount, bigint_sum(tax) AS tax,
                   min(line_no) FILTER (WHERE total <> quantity * unit_price) AS mispriced,
                   min(line_no) FILTER (WHERE tax <> ${taxOf('1000000')}) AS mistaxed,
                   min(line_no) FILTER (WHERE tax <> ${taxOf('(1000000 + tax_rate_ppm)')}) AS mistaxed_inclusive
              FROM order_lines
             GROUP BY store_id, order_id
          ) l ON l.store_id = o.store_id AND l.order_id = o.id
         WHERE o.id IS NULL OR l.lines IS NULL OR l.lines <> l.last_line OR l.goods <> o.subtotal
            OR l.discount <> o.discount - o.delivery_discount OR l.tax <> o.tax - o.delivery_tax OR l.mispriced IS NOT NULL
            OR (
              o.imported_at IS NULL
              AND CASE WHEN o.tax_inclusive THEN l.mistaxed_inclusive ELSE l.mistaxed END IS NOT NULL
            )`,
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
      name: 'history is contiguous, each step begins where the last one ended, and it ends where the order is',
      seconds: 3,
      // A history as two hexadecimal numbers, whose digit n is where step n ended and where the step after it began. They are
      // the same but for the last step, after which the order stands where it is: no digit carries into another.
      without: ['hashagg', 'hashjoin'],
      sql: `
        SELECT coalesce(o.store_id, h.store_id) AS store_id, coalesce(o.id, h.order_id) AS order_id, o.status, o.version,
               h.steps, h.last_version
          FROM orders o
          FULL JOIN (
            SELECT store_id, order_id, count(*) AS steps, max(version) AS last_version,
                   bigint_sum(${digit('to_status', 'version - 1')}) AS ended,
                   bigint_sum(CASE WHEN version > 1 THEN ${digit('from_status', 'version - 2')} ELSE 0 END) AS began,
                   count(*) FILTER (WHERE version = 1 AND from_status IS NULL) AS beginnings
              FROM order_history
             WHERE version BETWEEN 1 AND ${LONGEST_HISTORY}
             GROUP BY store_id, order_id
          ) h ON h.store_id = o.store_id AND h.order_id = o.id
         WHERE o.id IS NULL OR h.steps IS NULL OR h.steps <> o.version OR h.last_version <> o.version OR h.beginnings <> 1
            OR h.ended <> h.began + ${digit('o.status', 'o.version - 1')}`,
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
              LEFT JOIN ${PAST_ORDERS} past ON past.store_id = h.store_id AND past.id = h.order_id
             WHERE h.created_at > now() - interval '1 day' AND (past.id IS NULL OR h.created_at > past.imported_at)
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
      without: ['hashagg'],
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
