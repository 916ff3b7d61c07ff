import { KIND } from './draw.queries.js';

const zoneOf = (zip: string): string => `pg_temp.zone_of(${zip})`;
const slotOf = (zip: string, at: string): string => `pg_temp.id_of(${KIND.slot}, ${zoneOf(zip)}, ${at})`;
const couponOf = (coupon: string): string => `pg_temp.person(${KIND.coupon}, ${coupon})`;

const usedBy = (order: string): string =>
  `coalesce(${order}.customer_id::text, 'guest' || ${order}.n || '@' || pg_temp.slug() || '.larder.test')`;

/** Every zone has six windows a day, with some places left in each. */
const SLOTS = `
  INSERT INTO delivery_slots (store_id, id, zone_id, starts_at, ends_at, cutoff_at, capacity, booked)
  SELECT pg_temp.store(), pg_temp.id_of(${KIND.slot}, z, w.at), pg_temp.person(${KIND.zone}, z), w.at, w.at + interval '2 hours',
         w.at - interval '30 minutes', coalesce(f.booked, 0) + 1 + (z * 7 + h) % 9, coalesce(f.booked, 0)
    FROM batch b
   CROSS JOIN generate_series(0, 3) AS z
   CROSS JOIN generate_series(10, 20, 2) AS h
   CROSS JOIN LATERAL (SELECT (b.day + make_interval(hours => h)) AT TIME ZONE pg_temp.zone() AS at) w
    LEFT JOIN (
      SELECT slot_at, ${zoneOf('zip')} AS zone, count(*) AS booked
        FROM facts
       WHERE slot_at IS NOT NULL AND status NOT IN ('CANCELLED', 'EXPIRED')
       GROUP BY 1, 2
    ) f ON f.slot_at = w.at AND f.zone = z`;

const CARTS = `
  INSERT INTO carts (store_id, id, customer_id, token_hash, status, created_at, updated_at)
  SELECT pg_temp.store(), cart_id, customer_id, CASE WHEN customer_id IS NULL THEN sha256(order_id::text::bytea) END, 'ORDERED',
         placed_at, placed_at
    FROM facts
   WHERE cart_id IS NOT NULL`;

const CART_LINES = `
  INSERT INTO cart_lines (store_id, cart_id, variant_id, quantity, added_at)
  SELECT pg_temp.store(), f.cart_id, l.variant_id, l.quantity, f.placed_at
    FROM facts f
    JOIN lines l USING (n)
   WHERE f.cart_id IS NOT NULL`;

const ORDERS = `
  INSERT INTO orders (
    store_id, id, number, customer_id, guest_email, cart_id, slot_id, coupon_id, status, version, payment_method, currency,
    subtotal, discount, delivery_fee, tax, delivery_tax, tax_inclusive, total, delivery_address, delivery_zip, delivery_code,
    promised_at, expires_at, placed_at, updated_at
  )
  SELECT pg_temp.store(), order_id, order_number(nextval('order_number_seq')), customer_id,
         CASE WHEN customer_id IS NULL THEN 'guest' || n || '@' || pg_temp.slug() || '.larder.test' END, cart_id,
         CASE WHEN slot_at IS NOT NULL THEN ${slotOf('zip', 'slot_at')} END,
         CASE WHEN coupon IS NOT NULL THEN ${couponOf('coupon')} END,
         status, cardinality(steps), method, pg_temp.currency(), subtotal, discount, fee, tax, delivery_tax, pg_temp.inclusive(), total,
         json_build_object('name', CASE WHEN by_guest THEN 'Guest ' || n ELSE 'Customer ' || c + 1 END, 'phone', '+1 212 555 0100',
                           'line1', 1 + c % 400 || ' Main Street', 'city', 'New York', 'zip', zip),
         zip, lpad((n * 7919 % 1000000)::text, 6, '0'), promised_at,
         CASE WHEN method = 'CARD' THEN placed_at + interval '15 minutes' END, placed_at, stands_since
    FROM facts
   ORDER BY n`;

const ORDER_LINES = `
  INSERT INTO order_lines (
    store_id, order_id, line_no, variant_id, sku, name, quantity, unit_price, total, discount, tax, tax_rate_ppm, refunded_quantity
  )
  SELECT pg_temp.store(), f.order_id, l.line_no, l.variant_id, l.sku, l.name, l.quantity, l.price, l.total, l.discount, l.tax,
         pg_temp.rate(), CASE WHEN r.by_line AND r.status <> 'REJECTED' AND l.line_no = 1 THEN l.quantity ELSE 0 END
    FROM facts f
    JOIN lines l USING (n)
    LEFT JOIN returns r USING (n)
   ORDER BY n, l.line_no`;

/** Who took a step: the customer who ordered or changed his mind, staff who packed, the agent who carried. */
const HISTORY = `
  INSERT INTO order_history (store_id, order_id, version, from_status, to_status, actor_id, actor_role, reason, created_at)
  SELECT pg_temp.store(), f.order_id, step.version, f.steps[step.version - 1], step.status,
         CASE who.role WHEN 'CUSTOMER' THEN f.customer_id WHEN 'AGENT' THEN f.agent_id WHEN 'MANAGER' THEN pg_temp.person(${KIND.staff}, 1) END,
         who.role, why.reason, step.at
    FROM facts f
   CROSS JOIN LATERAL unnest(f.steps, f.times) WITH ORDINALITY AS step (status, at, version)
   CROSS JOIN LATERAL (
     SELECT CASE WHEN step.version = 1 AND NOT f.by_guest THEN 'CUSTOMER'
                 WHEN step.status = 'CANCELLED' THEN CASE WHEN f.reason < 0.6 AND NOT f.by_guest THEN 'CUSTOMER' ELSE 'MANAGER' END
                 WHEN step.status IN ('SHIPPING', 'DELIVERED') THEN 'AGENT'
                 WHEN step.status IN ('PREPARING', 'RETURNED') THEN 'MANAGER' ELSE 'SYSTEM' END AS role
   ) who
   CROSS JOIN LATERAL (
     SELECT CASE step.status
              WHEN 'CANCELLED' THEN (ARRAY['changed my mind', 'ordered twice', 'wrong address', 'out of stock'])[1 + floor(4 * f.reason)::int]
              WHEN 'RETURNED' THEN CASE f.outcome WHEN 'REFUSED' THEN 'refused at the door' ELSE 'brought back' END END AS reason
   ) why
   ORDER BY f.n, step.version`;

const SHIFT_ROWS = `
  INSERT INTO agent_shifts (
    store_id, id, agent_id, status, currency, opening_cash, expected, counted, opened_at, counted_at, counted_by, closed_at
  )
  SELECT pg_temp.store(), shift_id, agent_id,
         CASE WHEN NOT counted THEN 'OPEN' WHEN missing > 0 AND decided_at > pg_temp.until() THEN 'COUNTED' ELSE 'CLOSED' END,
         pg_temp.currency(), 0, CASE WHEN counted THEN amount END, CASE WHEN counted THEN amount - missing END, opened_at,
         CASE WHEN counted THEN closing_at END, CASE WHEN counted THEN pg_temp.person(${KIND.staff}, 1) END,
         CASE WHEN missing > 0 THEN CASE WHEN decided_at <= pg_temp.until() THEN decided_at END WHEN counted THEN closing_at END
    FROM shifts`;

const REMITTANCES = `
  INSERT INTO remittances (store_id, id, agent_id, amount, currency, actor_id, shift_id, created_at)
  SELECT pg_temp.store(), pg_temp.id_of(${KIND.remittance}, number, closing_at), agent_id, amount - missing, pg_temp.currency(),
         pg_temp.person(${KIND.staff}, 1), shift_id, closing_at
    FROM shifts
   WHERE counted`;

const ASSIGNMENTS = `
  INSERT INTO shipping_assignments (
    store_id, id, order_id, agent_id, status, zip, cash_due, cash_collected, short_reason, currency, shift_id, fail_reason, offered_at,
    offer_expires_at, accepted_at, picked_up_at, delivered_at, closed_at, promised_at, created_at
  )
  SELECT pg_temp.store(), a.assignment_id, a.order_id, a.agent_id, a.status, a.zip, due.cash,
         CASE a.status WHEN 'DELIVERED' THEN due.cash - a.owed + a.above END,
         CASE WHEN a.status = 'DELIVERED' AND a.owed > 0 THEN 'had no more with them' END, pg_temp.currency(),
         CASE WHEN a.status = 'DELIVERED' THEN s.shift_id END,
         CASE a.status WHEN 'FAILED' THEN CASE a.k WHEN 1 THEN 'nobody was at home' ELSE 'refused at the door' END END,
         a.offered_at, a.offered_at + interval '5 minutes', a.accepted_at, a.picked_up_at,
         CASE a.status WHEN 'DELIVERED' THEN a.ended_at END, a.ended_at, a.promised_at, a.offered_at
    FROM attempts a
   CROSS JOIN LATERAL (SELECT CASE a.method WHEN 'COD' THEN a.total ELSE 0 END AS cash) due
    LEFT JOIN shifts s ON s.agent_id = a.agent_id AND s.day = a.day AND a.method = 'COD'
   ORDER BY a.n, a.k`;

/** In the order in which rows need each other. */
export const ORDER_ROWS = [
  SLOTS, CARTS, CART_LINES, ORDERS, ORDER_LINES, HISTORY, SHIFT_ROWS, REMITTANCES, ASSIGNMENTS,
]; // prettier-ignore

/** Rows that every batch counts in: last, and in one order, so that two batches don't wait for each other. */
export const COUPON_USES = `
  INSERT INTO coupon_uses AS uses (store_id, coupon_id, used_by, used, allowed)
  SELECT pg_temp.store(), c.id, counted.used_by, counted.used, a.allowed
    FROM (
      SELECT ${couponOf('f.coupon')} AS coupon_id, coalesce(${usedBy('f')}, '') AS used_by, grouping(${usedBy('f')}) = 1 AS everybody,
             count(*) FILTER (WHERE f.status NOT IN ('CANCELLED', 'EXPIRED')) AS used
        FROM facts f
       WHERE f.coupon IS NOT NULL
       GROUP BY GROUPING SETS ((f.coupon), (f.coupon, ${usedBy('f')}))
    ) counted
    JOIN coupons c ON c.store_id = pg_temp.store() AND c.id = counted.coupon_id
   CROSS JOIN LATERAL (SELECT CASE WHEN everybody THEN c.usage_limit ELSE c.customer_limit END AS allowed) a
   WHERE a.allowed IS NOT NULL
   ORDER BY c.id, counted.used_by
  ON CONFLICT (store_id, coupon_id, used_by) DO UPDATE SET used = uses.used + excluded.used`;
