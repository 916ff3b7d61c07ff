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
        SELECT c.store_id, c.id AS coupon_id, c.usage_limit, c.used, coalesce(r.redeemed, 0) AS redeemed
          FROM coupons c
          LEFT JOIN (
            SELECT store_id, coupon_id, count(*) AS redeemed
              FROM coupon_redemptions
             WHERE released_at IS NULL
             GROUP BY store_id, coupon_id
          ) r ON r.store_id = c.store_id AND r.coupon_id = c.id
         WHERE c.used <> CASE WHEN c.usage_limit IS NULL THEN 0 ELSE coalesce(r.redeemed, 0) END OR c.used > c.usage_limit`,
    },
    {
      name: 'a customer has used a coupon as often as is counted, and no more often than he may',
      sql: `
        SELECT uses.store_id, uses.coupon_id, uses.used_by, uses.used, uses.redeemed, c.customer_limit
          FROM (
            SELECT store_id, coupon_id, used_by, sum(used) AS used, sum(redeemed) AS redeemed
              FROM (
                SELECT store_id, coupon_id, used_by, used, 0 AS redeemed
                  FROM coupon_uses
                 UNION ALL
                SELECT store_id, coupon_id, used_by, 0, 1
                  FROM coupon_redemptions
                 WHERE released_at IS NULL
              ) counted
             GROUP BY store_id, coupon_id, used_by
          ) uses
          JOIN coupons c ON c.store_id = uses.store_id AND c.id = uses.coupon_id
         WHERE c.customer_limit IS NOT NULL AND (uses.used <> uses.redeemed OR uses.used > c.customer_limit)`,
    },
    {
      name: 'an order with a coupon redeemed it for its discount, until it ended before it shipped',
      sql: `
        SELECT coalesce(o.store_id, r.store_id) AS store_id, coalesce(o.id, r.order_id) AS order_id, o.status,
               o.coupon_id, r.coupon_id AS redeemed, o.discount, r.amount, r.released_at
          FROM (SELECT * FROM orders WHERE coupon_id IS NOT NULL AND imported_at IS NULL) o
          FULL JOIN coupon_redemptions r ON r.store_id = o.store_id AND r.order_id = o.id AND r.coupon_id = o.coupon_id
         WHERE o.id IS NULL OR r.order_id IS NULL OR o.discount <> r.amount
            OR (r.released_at IS NOT NULL) <> (o.status IN ('CANCELLED', 'EXPIRED'))`,
    },
  ],
};
