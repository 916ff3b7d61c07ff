import type { ClaimGroup } from './claim.js';

/** Orders that ended before they shipped gave their place and their coupon back. */
export const BOOKINGS: ClaimGroup = {
  name: 'bookings',
  claims: [
    {
      name: 'a slot is booked by the orders that hold a place in it, and by no more than it has',
      sql: `
        SELECT store_id, slot_id, sum(capacity) AS capacity, sum(booked) AS booked, sum(orders) AS orders
          FROM (
            SELECT store_id, id AS slot_id, capacity, booked, 0 AS orders, 1 AS slots
              FROM delivery_slots
             UNION ALL
            SELECT store_id, slot_id, 0, 0, 1, 0
              FROM orders
             WHERE slot_id IS NOT NULL AND status NOT IN ('CANCELLED', 'EXPIRED')
          ) places
         GROUP BY store_id, slot_id
        HAVING sum(booked) <> sum(orders) OR sum(booked) > sum(capacity) OR sum(slots) <> 1`,
    },
    {
      name: 'a coupon under a limit has been used by as many orders as it counts, and by no more than it may',
      sql: `
        SELECT c.store_id, c.id AS coupon_id, c.usage_limit, u.allowed, u.used, coalesce(o.orders, 0) AS orders
          FROM coupons c
          LEFT JOIN coupon_uses u ON u.store_id = c.store_id AND u.coupon_id = c.id AND u.used_by = ''
          LEFT JOIN (
            SELECT store_id, coupon_id, count(*) AS orders
              FROM orders
             WHERE coupon_id IS NOT NULL AND status NOT IN ('CANCELLED', 'EXPIRED')
             GROUP BY store_id, coupon_id
          ) o ON o.store_id = c.store_id AND o.coupon_id = c.id
         WHERE coalesce(u.used, 0) <> CASE WHEN c.usage_limit IS NULL THEN 0 ELSE coalesce(o.orders, 0) END
            OR u.used > c.usage_limit OR u.allowed <> c.usage_limit`,
    },
    {
      name: 'a customer has used a coupon as often as is counted, and no more often than he may',
      sql: `
        SELECT uses.store_id, uses.coupon_id, uses.used_by, uses.allowed, uses.used, uses.orders, c.customer_limit
          FROM (
            SELECT store_id, coupon_id, used_by, max(allowed) AS allowed, sum(used) AS used, sum(orders) AS orders
              FROM (
                SELECT store_id, coupon_id, used_by, allowed, used, 0 AS orders
                  FROM coupon_uses
                 WHERE used_by <> ''
                 UNION ALL
                SELECT store_id, coupon_id, coalesce(customer_id::text, guest_email), NULL, 0, 1
                  FROM orders
                 WHERE coupon_id IS NOT NULL AND status NOT IN ('CANCELLED', 'EXPIRED')
              ) counted
             GROUP BY store_id, coupon_id, used_by
          ) uses
          JOIN coupons c ON c.store_id = uses.store_id AND c.id = uses.coupon_id
         WHERE uses.used <> CASE WHEN c.customer_limit IS NULL THEN 0 ELSE uses.orders END
            OR uses.used > c.customer_limit OR uses.allowed <> c.customer_limit`,
    },
  ],
};
