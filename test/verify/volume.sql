-- Two shops that have been open for 90 days, as Larder itself would have left them: every claim of src/verify holds.
-- SET larder.orders = '1000' says how many orders. For a superuser: triggers and foreign keys are off meanwhile, and the
-- balances are put in at the end.
SET session_replication_role = replica;
SET synchronous_commit = off;
SET work_mem = '128MB';

-- Ids grow with n, as UUIDv7 do with time; the kind of thing is in the middle of them.
CREATE FUNCTION pg_temp.id_of(kind int, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
  SELECT (lpad(to_hex(n), 12, '0') || '700080' || lpad(to_hex(kind), 2, '0') || '000000000000')::uuid
$$;
-- Kinds: 1 store, 2 customer, 3 agent, 4 variant, 5 order, 6 payment, 7 refund, 8 assignment, 9 cart, 10 slot, 11 coupon,
-- 12 operation, 13 approval, 14 remittance, 15 shift, 16 zone, 17 staff, 18 withdrawal, 20 ledger transaction, 21 settlement.

CREATE TEMP TABLE shape AS
SELECT o AS orders, greatest(10, o / 20) AS customers, greatest(5, o / 5000) AS agents, 1000 AS variants,
       greatest(10, o / 60) AS slots, 100 AS coupons, interval '90 days' / o AS apart
  FROM (SELECT current_setting('larder.orders')::int AS o) given;

INSERT INTO stores (
  id, slug, name, currency, delivery_fee, agent_fee, service_zip_codes, tax_inclusive, tax_rate_ppm, delivery_tax_ppm
) VALUES
  (pg_temp.id_of(1, 0), 'exclusive', 'Prices without tax', 'USD', 499, 200, '{10001}', false, 88750, 0),
  (pg_temp.id_of(1, 1), 'inclusive', 'Prices with tax', 'EUR', 299, 150, '{10115}', true, 190000, 190000);

-- What an order is, drawn from its number.
CREATE TEMP TABLE drawn AS
SELECT n, n % 2 AS s, pg_temp.id_of(1, n % 2) AS store_id, pg_temp.id_of(5, n) AS order_id,
       d.status, d.method, n / 2 % (SELECT customers FROM shape) AS c,
       CASE WHEN d.method = 'WALLET' OR n / 7 % 10 > 0
            THEN pg_temp.id_of(2, 2 * (n / 2 % (SELECT customers FROM shape)) + n % 2) END AS customer_id,
       pg_temp.id_of(3, 2 * (n / 2 % (SELECT agents FROM shape)) + n % 2) AS agent_id,
       CASE WHEN n % 4 < 2 THEN pg_temp.id_of(9, n) END AS cart_id,
       CASE WHEN n / 2 % 3 = 0 THEN pg_temp.id_of(10, 2 * (n / 60 % (SELECT slots FROM shape)) + n % 2) END AS slot_id,
       CASE WHEN n / 2 % 10 = 1 THEN pg_temp.id_of(11, 2 * (n / 20 % 100) + n % 2) END AS coupon_id,
       CASE n % 2 WHEN 0 THEN 499 ELSE 299 END AS fee, n % 2 = 1 AS inclusive,
       CASE n % 2 WHEN 0 THEN 'USD' ELSE 'EUR' END AS currency, CASE n % 2 WHEN 0 THEN '10001' ELSE '10115' END AS zip,
       now() - (SELECT (orders - n) * apart FROM shape) - interval '3 hours' AS placed_at,
       CASE WHEN d.method = 'CARD' THEN ARRAY['PENDING'] ELSE ARRAY[]::text[] END || CASE d.status
         WHEN 'PENDING' THEN '{}'::text[]
         WHEN 'EXPIRED' THEN '{EXPIRED}'
         WHEN 'CONFIRMED' THEN '{CONFIRMED}'
         WHEN 'CANCELLED' THEN '{CONFIRMED,CANCELLED}'
         WHEN 'PREPARING' THEN '{CONFIRMED,PREPARING}'
         WHEN 'SHIPPING' THEN '{CONFIRMED,SHIPPING}'
         WHEN 'DELIVERED' THEN '{CONFIRMED,SHIPPING,DELIVERED}'
         WHEN 'RETURNED' THEN '{CONFIRMED,SHIPPING,DELIVERED,RETURNED}'
       END AS steps
  FROM generate_series(0, (SELECT orders - 1 FROM shape)::bigint) AS n
 CROSS JOIN LATERAL (
   SELECT CASE WHEN n / 2 % 50 IN (2, 10) THEN 'CARD'
               ELSE (ARRAY['COD', 'COD', 'WALLET', 'CARD', 'CARD'])[1 + n / 3 % 5] END AS method,
          CASE n / 2 % 50 WHEN 0 THEN 'CANCELLED' WHEN 2 THEN 'EXPIRED' WHEN 3 THEN 'RETURNED' WHEN 5 THEN 'CONFIRMED'
               WHEN 7 THEN 'PREPARING' WHEN 8 THEN 'SHIPPING' WHEN 10 THEN 'PENDING' ELSE 'DELIVERED' END AS status
 ) d;

CREATE TEMP TABLE lines AS
SELECT d.n, d.s, d.store_id, d.order_id, d.status, d.inclusive, k::smallint AS line_no, l.variant_id, l.quantity, l.price,
       l.price * l.quantity AS total, discount.amount AS discount,
       CASE WHEN d.inclusive
            THEN div(2 * (l.price * l.quantity - discount.amount) * 190000 + 1190000, 2380000)
            ELSE div(2 * (l.price * l.quantity - discount.amount) * 88750 + 1000000, 2000000) END::bigint AS tax,
       CASE WHEN d.inclusive THEN 190000 ELSE 88750 END AS rate
  FROM drawn d
 CROSS JOIN LATERAL generate_series(1, 1 + d.n / 2 % 4) AS k
 CROSS JOIN LATERAL (
   SELECT pg_temp.id_of(4, 2 * ((d.n / 2 * 7 + k * 131) % 1000) + d.s) AS variant_id, (1 + (d.n / 2 + k) % 3)::int AS quantity,
          100 + (d.n / 2 * 7 + k * 131) % 1000 % 97 * 25 AS price
 ) l
 CROSS JOIN LATERAL (SELECT CASE WHEN d.coupon_id IS NOT NULL AND k = 1 THEN 100 ELSE 0 END::bigint AS amount) discount;

CREATE TEMP TABLE facts AS
SELECT d.*, l.subtotal, l.discount, l.tax + t.delivery AS tax, t.delivery AS delivery_tax,
       l.subtotal - l.discount + d.fee + CASE WHEN d.inclusive THEN 0 ELSE l.tax + t.delivery END AS total,
       d.method <> 'COD' AND d.status NOT IN ('PENDING', 'EXPIRED') OR d.method = 'COD' AND d.status IN ('DELIVERED', 'RETURNED')
         AS captured,
       d.status IN ('CANCELLED', 'RETURNED')
         AND (d.method <> 'COD' OR d.status = 'RETURNED') AS reversed,
       -- One line refunded: paid, waiting for approval, or refused.
       CASE WHEN d.status = 'DELIVERED' AND d.n / 2 % 20 = 17
            THEN (ARRAY['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED', 'REQUESTED', 'REJECTED'])[1 + d.n / 40 % 5] END AS refund,
       -- At the door: too little, of which every second customer brings the rest, or too much.
       CASE WHEN d.method = 'COD' AND d.n / 2 % 50 = 20 THEN 100 ELSE 0 END AS owed,
       CASE WHEN d.method = 'COD' AND d.n / 2 % 50 = 20 AND d.n / 100 % 2 = 0 THEN 100 ELSE 0 END AS settled,
       CASE WHEN d.method = 'COD' AND d.n / 2 % 50 = 21 AND d.customer_id IS NOT NULL THEN 50 ELSE 0 END AS above
  FROM drawn d
  JOIN (
    SELECT order_id, sum(total)::bigint AS subtotal, sum(discount)::bigint AS discount, sum(tax)::bigint AS tax
      FROM lines GROUP BY order_id
  ) l USING (order_id)
 CROSS JOIN LATERAL (
   SELECT CASE WHEN d.inclusive THEN div(2 * d.fee * 190000 + 1190000, 2380000) ELSE 0 END::bigint AS delivery
 ) t;
DROP TABLE drawn;
ANALYZE facts, lines;

-- Refunds: of line 1 with all its pieces, or of everything.
CREATE TEMP TABLE returns AS
SELECT f.n, f.s, f.store_id, f.order_id, pg_temp.id_of(7, f.n) AS refund_id, f.method, f.customer_id, f.currency, f.placed_at,
       coalesce(f.refund, 'SUCCEEDED') AS status, f.refund IS NOT NULL AS by_line,
       CASE WHEN f.method = 'COD' AND f.reversed AND f.customer_id IS NOT NULL THEN 'WALLET' ELSE 'ORIGINAL' END AS destination,
       CASE WHEN f.refund IS NULL THEN f.total
            ELSE l.total - l.discount + CASE WHEN f.inclusive THEN 0 ELSE l.tax END END AS amount,
       CASE WHEN f.refund IS NULL THEN f.discount ELSE l.discount END AS discount,
       CASE WHEN f.refund IS NULL THEN f.tax ELSE l.tax END AS tax,
       CASE WHEN f.refund IS NULL THEN f.fee - CASE WHEN f.inclusive THEN f.delivery_tax ELSE 0 END ELSE 0 END AS fee,
       l.variant_id, l.quantity, (ARRAY['RESTOCK', 'SCRAP', 'KEEP'])[1 + f.n / 40 % 3] AS goods
  FROM facts f
  JOIN lines l ON l.order_id = f.order_id AND l.line_no = 1
 WHERE f.reversed OR f.refund IS NOT NULL;
ANALYZE returns;

INSERT INTO users (store_id, id, email, name, password_hash, roles)
SELECT pg_temp.id_of(1, n % 2), pg_temp.id_of(2, n), 'customer' || n || '@larder.test', 'Customer ' || n, 'none', '{CUSTOMER}'
  FROM generate_series(0, (SELECT 2 * customers - 1 FROM shape)::bigint) AS n;
INSERT INTO users (store_id, id, email, name, password_hash, roles)
SELECT pg_temp.id_of(1, n % 2), pg_temp.id_of(17, n), 'manager' || n || '@larder.test', 'Manager ' || n, 'none', '{MANAGER}'
  FROM generate_series(0, 3) AS n;
INSERT INTO users (store_id, id, email, name, password_hash, roles)
SELECT pg_temp.id_of(1, n % 2), pg_temp.id_of(3, n), 'agent' || n || '@larder.test', 'Agent ' || n, 'none', '{AGENT}'
  FROM generate_series(0, (SELECT 2 * agents - 1 FROM shape)::bigint) AS n;
INSERT INTO delivery_agents (store_id, id, name, status, service_zip_codes)
SELECT store_id, id, name, 'ONLINE', '{10001,10115}' FROM users WHERE roles = '{AGENT}';

INSERT INTO wallets (store_id, id, kind, owner_id, currency, balance_kept, allow_negative)
SELECT u.store_id, uuid_v7(), k.kind, u.id, s.currency, true, k.kind = 'AGENT_CASH'
  FROM users u
  JOIN stores s ON s.id = u.store_id
 CROSS JOIN unnest(CASE WHEN u.roles = '{AGENT}' THEN ARRAY['CUSTOMER', 'AGENT_EARNINGS', 'AGENT_CASH'] ELSE '{CUSTOMER}' END) AS k (kind);
SELECT open_store_wallets(id) FROM stores;
ANALYZE wallets;

INSERT INTO products (store_id, id, slug, name, published)
SELECT pg_temp.id_of(1, n % 2), pg_temp.id_of(4, n), 'product-' || n, 'Product ' || n, true
  FROM generate_series(0, 1999) AS n;
INSERT INTO variants (store_id, id, product_id, sku, price, currency)
SELECT pg_temp.id_of(1, n % 2), pg_temp.id_of(4, n), pg_temp.id_of(4, n), 'SKU-' || n, 100 + n / 2 % 97 * 25,
       CASE n % 2 WHEN 0 THEN 'USD' ELSE 'EUR' END
  FROM generate_series(0, 1999) AS n;

INSERT INTO delivery_zones (store_id, id, name, zip_codes) VALUES
  (pg_temp.id_of(1, 0), pg_temp.id_of(16, 0), 'all', '{10001}'), (pg_temp.id_of(1, 1), pg_temp.id_of(16, 1), 'all', '{10115}');
INSERT INTO delivery_slots (store_id, id, zone_id, starts_at, ends_at, cutoff_at, capacity, booked)
SELECT f.store_id, f.slot_id, pg_temp.id_of(16, min(f.s)), min(f.placed_at), min(f.placed_at) + interval '2 hours',
       min(f.placed_at), count(*) + 3, count(*) FILTER (WHERE f.status NOT IN ('CANCELLED', 'EXPIRED'))
  FROM facts f
 WHERE f.slot_id IS NOT NULL
 GROUP BY f.store_id, f.slot_id;
INSERT INTO coupons (store_id, id, code, kind, value, usage_limit, customer_limit, used)
SELECT pg_temp.id_of(1, n % 2), pg_temp.id_of(11, n), 'COUPON-' || n, 'FIXED', 100,
       CASE WHEN n / 2 % 2 = 0 THEN 1000000 END, CASE WHEN n / 2 % 3 = 0 THEN 1000000 END,
       CASE WHEN n / 2 % 2 = 0 THEN coalesce(r.used, 0) ELSE 0 END
  FROM generate_series(0, 199) AS n
  LEFT JOIN (
    SELECT coupon_id, count(*) AS used FROM facts WHERE status NOT IN ('CANCELLED', 'EXPIRED') GROUP BY coupon_id
  ) r ON r.coupon_id = pg_temp.id_of(11, n);

INSERT INTO carts (store_id, id, customer_id, token_hash, status, created_at, updated_at)
SELECT store_id, cart_id, customer_id, CASE WHEN customer_id IS NULL THEN sha256(order_id::text::bytea) END, 'ORDERED',
       placed_at, placed_at
  FROM facts
 WHERE cart_id IS NOT NULL;
INSERT INTO cart_lines (store_id, cart_id, variant_id, quantity, added_at)
SELECT f.store_id, f.cart_id, l.variant_id, l.quantity, f.placed_at
  FROM facts f JOIN lines l USING (order_id)
 WHERE f.cart_id IS NOT NULL;

INSERT INTO orders (
  store_id, id, number, customer_id, guest_email, cart_id, slot_id, coupon_id, status, version, payment_method, currency,
  subtotal, discount, delivery_fee, tax, delivery_tax, tax_inclusive, total, delivery_address, delivery_zip, delivery_code,
  promised_at, expires_at, placed_at, updated_at
)
SELECT store_id, order_id, order_number(n), customer_id, CASE WHEN customer_id IS NULL THEN 'guest' || n || '@larder.test' END,
       cart_id, slot_id, coupon_id, status, cardinality(steps), method, currency, subtotal, discount, fee, tax, delivery_tax,
       inclusive, total, json_build_object('name', 'Somebody', 'line1', n || ' Main Street', 'city', 'X', 'zip', zip), zip,
       '123456', placed_at + interval '2 hours', CASE WHEN method = 'CARD' THEN placed_at + interval '15 minutes' END, placed_at,
       placed_at
  FROM facts
 ORDER BY n;
INSERT INTO order_lines (
  store_id, order_id, line_no, variant_id, sku, name, quantity, unit_price, total, discount, tax, tax_rate_ppm, refunded_quantity
)
SELECT l.store_id, l.order_id, l.line_no, l.variant_id, 'SKU', 'Product', l.quantity, l.price, l.total, l.discount, l.tax, l.rate,
       CASE WHEN r.by_line AND r.status <> 'REJECTED' AND l.line_no = 1 THEN l.quantity ELSE 0 END
  FROM lines l
  LEFT JOIN returns r USING (order_id)
 ORDER BY l.n, l.line_no;
INSERT INTO order_history (store_id, order_id, version, from_status, to_status, actor_role, created_at)
SELECT f.store_id, f.order_id, step.version, f.steps[step.version - 1], step.status, 'SYSTEM',
       f.placed_at + (step.version - 1) * interval '20 minutes'
  FROM facts f
 CROSS JOIN LATERAL unnest(f.steps) WITH ORDINALITY AS step (status, version)
 ORDER BY f.placed_at + (step.version - 1) * interval '20 minutes';
INSERT INTO coupon_uses (store_id, coupon_id, used_by, used)
SELECT o.store_id, o.coupon_id, coalesce(o.customer_id::text, o.guest_email),
       count(*) FILTER (WHERE o.status NOT IN ('CANCELLED', 'EXPIRED'))
  FROM orders o
  JOIN coupons c ON c.store_id = o.store_id AND c.id = o.coupon_id AND c.customer_limit IS NOT NULL
 GROUP BY 1, 2, 3;

INSERT INTO payments (
  store_id, id, order_id, method, status, currency, amount, captured_amount, refunded_amount, refunding_amount, provider,
  provider_ref, created_at, updated_at
)
SELECT f.store_id, pg_temp.id_of(6, f.n), f.order_id, f.method,
       CASE WHEN f.reversed THEN 'REFUNDED' WHEN r.status = 'SUCCEEDED' THEN 'PARTIALLY_REFUNDED' WHEN f.captured THEN 'CAPTURED'
            WHEN f.status IN ('CANCELLED', 'EXPIRED') THEN 'VOIDED' ELSE 'PENDING' END,
       f.currency, f.total, CASE WHEN f.captured THEN f.total - f.owed + f.settled ELSE 0 END,
       CASE r.status WHEN 'SUCCEEDED' THEN r.amount ELSE 0 END, CASE r.status WHEN 'REQUESTED' THEN r.amount ELSE 0 END, CASE f.method WHEN 'CARD' THEN 'test' END,
       CASE WHEN f.method = 'CARD' AND f.captured THEN 'test_' || f.n END, f.placed_at, f.placed_at
  FROM facts f
  LEFT JOIN returns r USING (order_id)
 ORDER BY f.n;
INSERT INTO payment_settlements (store_id, id, payment_id, amount, currency, actor_id, created_at)
SELECT store_id, pg_temp.id_of(21, n), pg_temp.id_of(6, n), settled, currency, pg_temp.id_of(17, s), placed_at + interval '1 day'
  FROM facts
 WHERE settled > 0;
INSERT INTO refunds (store_id, id, payment_id, amount, destination, status, reason, actor_id, created_at, finished_at)
SELECT store_id, refund_id, pg_temp.id_of(6, n), amount, destination, status, 'not as expected', pg_temp.id_of(17, s), placed_at,
       CASE WHEN status <> 'REQUESTED' THEN placed_at + interval '3 hours' END
  FROM returns;
INSERT INTO refund_lines (store_id, refund_id, order_id, line_no, quantity, amount, goods, discount, tax)
SELECT store_id, refund_id, order_id, 1, quantity, amount, goods, discount, tax FROM returns WHERE by_line;
INSERT INTO payment_operations (store_id, id, payment_id, kind, amount, status, source, attempts, created_at, finished_at)
SELECT f.store_id, pg_temp.id_of(12, 2 * f.n + k.k), pg_temp.id_of(6, f.n), k.kind, f.total, 'SUCCEEDED',
       CASE k.kind WHEN 'AUTHORIZE' THEN 'tok_ok' END, 1, f.placed_at, f.placed_at
  FROM facts f
 CROSS JOIN (VALUES (0, 'AUTHORIZE'), (1, 'CAPTURE')) AS k (k, kind)
 WHERE f.method = 'CARD' AND f.captured;
INSERT INTO payment_operations (store_id, id, payment_id, refund_id, kind, amount, status, attempts, created_at, finished_at)
SELECT store_id, uuid_v7(), pg_temp.id_of(6, n), refund_id, 'REFUND', amount, 'SUCCEEDED', 1, placed_at, placed_at
  FROM returns
 WHERE method = 'CARD' AND destination = 'ORIGINAL' AND status = 'SUCCEEDED';
INSERT INTO provider_events (provider, event_id, store_id, type, payload, received_at, processed_at)
SELECT 'test', 'evt_' || n, store_id, 'payment.captured', json_build_object('ref', 'test_' || n), placed_at, placed_at
  FROM facts
 WHERE method = 'CARD' AND captured;

-- Every refund of a line was somebody's to approve.
INSERT INTO approvals (
  store_id, id, kind, subject_id, amount, currency, reason, payload, requested_by, required, approved, status, created_at, decided_at
)
SELECT store_id, pg_temp.id_of(13, n), 'REFUND', refund_id, amount, currency, 'not as expected', '{}', pg_temp.id_of(17, s), 1,
       CASE status WHEN 'SUCCEEDED' THEN 1 ELSE 0 END,
       CASE status WHEN 'SUCCEEDED' THEN 'APPROVED' WHEN 'REQUESTED' THEN 'PENDING' ELSE 'REJECTED' END, placed_at,
       CASE WHEN status <> 'REQUESTED' THEN placed_at + interval '1 hour' END
  FROM returns
 WHERE by_line;
INSERT INTO approval_decisions (store_id, approval_id, approver_id, decision, decided_at)
SELECT store_id, pg_temp.id_of(13, n), pg_temp.id_of(17, 2 + s), CASE status WHEN 'SUCCEEDED' THEN 'APPROVED' ELSE 'REJECTED' END,
       placed_at + interval '1 hour'
  FROM returns
 WHERE by_line AND status <> 'REQUESTED';

-- A shift of an agent lasts a day; he hands in all of its cash at its end. In every twentieth some is missing.
CREATE TEMP TABLE cash AS
SELECT f.store_id, f.s, f.agent_id, f.currency, f.placed_at::date AS day,
       sum(f.total - f.owed + f.above)::bigint AS amount,
       row_number() OVER (ORDER BY f.placed_at::date, f.agent_id) AS r,
       CASE WHEN row_number() OVER (ORDER BY f.placed_at::date, f.agent_id) % 20 = 0 THEN 30 ELSE 0 END AS missing
  FROM facts f
 WHERE f.method = 'COD' AND f.captured
 GROUP BY f.store_id, f.s, f.agent_id, f.currency, f.placed_at::date;
ANALYZE cash;
INSERT INTO agent_shifts (
  store_id, id, agent_id, status, currency, opening_cash, expected, counted, opened_at, counted_at, counted_by, closed_at
)
SELECT store_id, pg_temp.id_of(15, r), agent_id, 'CLOSED', currency, 0, amount, amount - missing, day, day + interval '1 day',
       pg_temp.id_of(17, s), day + interval '1 day'
  FROM cash;
INSERT INTO remittances (store_id, id, agent_id, amount, currency, actor_id, shift_id, created_at)
SELECT store_id, pg_temp.id_of(14, r), agent_id, amount - missing, currency, pg_temp.id_of(17, s), pg_temp.id_of(15, r), day + interval '1 day'
  FROM cash;
INSERT INTO approvals (
  store_id, id, kind, subject_id, amount, currency, reason, payload, requested_by, required, approved, status, created_at, decided_at
)
SELECT store_id, uuid_v7(), 'CASH_VARIANCE', pg_temp.id_of(15, r), -missing, currency, 'missing', '{}', pg_temp.id_of(17, s), 1, 1,
       'APPROVED', day + interval '1 day', day + interval '25 hours'
  FROM cash
 WHERE missing > 0;
INSERT INTO shipping_assignments (
  store_id, id, order_id, agent_id, status, zip, cash_due, cash_collected, short_reason, currency, shift_id, offered_at, offer_expires_at,
  accepted_at, picked_up_at, delivered_at, closed_at, promised_at, created_at
)
SELECT f.store_id, pg_temp.id_of(8, f.n), f.order_id, f.agent_id, CASE f.status WHEN 'SHIPPING' THEN 'PICKED_UP' ELSE 'DELIVERED' END,
       f.zip, due.cash, CASE WHEN f.status <> 'SHIPPING' THEN due.cash - f.owed + f.above END,
       CASE WHEN f.owed > 0 THEN 'had no more' END, f.currency, pg_temp.id_of(15, c.r), f.placed_at,
       f.placed_at + interval '15 minutes', f.placed_at + interval '5 minutes', f.placed_at + interval '20 minutes',
       CASE WHEN f.status <> 'SHIPPING' THEN f.placed_at + interval '40 minutes' END,
       CASE WHEN f.status <> 'SHIPPING' THEN f.placed_at + interval '40 minutes' END, f.placed_at + interval '2 hours', f.placed_at
  FROM facts f
  LEFT JOIN cash c ON c.agent_id = f.agent_id AND c.day = f.placed_at::date AND f.status <> 'SHIPPING' AND f.method = 'COD'
 CROSS JOIN LATERAL (SELECT CASE f.method WHEN 'COD' THEN f.total ELSE 0 END AS cash) due
 WHERE f.status IN ('SHIPPING', 'DELIVERED', 'RETURNED')
 ORDER BY f.n;
INSERT INTO shipping_assignments (
  store_id, id, order_id, status, zip, currency, offered_at, offer_expires_at, closed_at, promised_at, created_at
)
SELECT store_id, uuid_v7(), order_id, 'EXPIRED', zip, currency, placed_at, placed_at + interval '15 minutes',
       placed_at + interval '15 minutes', placed_at + interval '2 hours', placed_at
  FROM facts
 WHERE status = 'DELIVERED' AND n / 2 % 25 = 1;

-- What left the shelf, what came back, and what lies there now.
INSERT INTO stock_movements (store_id, variant_id, delta, reason, order_id, created_at)
SELECT store_id, variant_id, delta, reason, order_id, at
  FROM (
    SELECT l.n, l.store_id, l.variant_id, -sum(l.quantity) AS delta, 'SALE' AS reason, l.order_id,
           min(f.placed_at) + interval '20 minutes' AS at
      FROM lines l JOIN facts f USING (order_id)
     WHERE l.status IN ('SHIPPING', 'DELIVERED', 'RETURNED')
     GROUP BY l.n, l.store_id, l.order_id, l.variant_id
     UNION ALL
    SELECT l.n, l.store_id, l.variant_id, sum(l.quantity), 'RETURN', l.order_id, min(f.placed_at) + interval '1 hour'
      FROM lines l JOIN facts f USING (order_id)
     WHERE l.status = 'RETURNED'
     GROUP BY l.n, l.store_id, l.order_id, l.variant_id
     UNION ALL
    SELECT n, store_id, variant_id, quantity, 'RETURN', order_id, placed_at + interval '3 hours'
      FROM returns
     WHERE by_line AND status = 'SUCCEEDED' AND goods <> 'KEEP'
     UNION ALL
    SELECT n, store_id, variant_id, -quantity, 'DAMAGE', order_id, placed_at + interval '3 hours'
      FROM returns
     WHERE by_line AND status = 'SUCCEEDED' AND goods = 'SCRAP'
  ) moved
 ORDER BY n;
INSERT INTO stock_levels (store_id, variant_id, on_hand, reserved)
SELECT v.store_id, v.id, 1000 + coalesce(w.reserved, 0), coalesce(w.reserved, 0)
  FROM variants v
  LEFT JOIN (
    SELECT variant_id, sum(quantity) AS reserved FROM lines WHERE status IN ('PENDING', 'CONFIRMED', 'PREPARING') GROUP BY variant_id
  ) w ON w.variant_id = v.id;
INSERT INTO stock_movements (store_id, variant_id, delta, reason, created_at)
SELECT s.store_id, s.variant_id, s.on_hand - coalesce(m.moved, 0), 'RECEIPT', now() - interval '91 days'
  FROM stock_levels s
  LEFT JOIN (SELECT variant_id, sum(delta) AS moved FROM stock_movements GROUP BY variant_id) m USING (variant_id);

-- Customers who want more of their money than one person may pay out; corrections of the books.
INSERT INTO withdrawals (store_id, id, wallet_id, amount, currency, status, actor_id, created_at, finished_at)
SELECT u.store_id, pg_temp.id_of(18, d.c), w.id, 20000, w.currency, d.status, u.id, now() - interval '2 days',
       CASE WHEN d.status <> 'REQUESTED' THEN now() - interval '1 hour' END
  FROM (
    SELECT c, (ARRAY['PAID', 'REJECTED', 'REQUESTED'])[1 + c / 2 % 3] AS status
      FROM generate_series(0, (SELECT 2 * customers - 1 FROM shape)::bigint) AS c
     WHERE c / 2 % 50 < 3
  ) d
  JOIN users u ON u.id = pg_temp.id_of(2, d.c)
  JOIN wallets w ON w.owner_id = u.id AND w.kind = 'CUSTOMER';
INSERT INTO approvals (
  store_id, id, kind, subject_id, amount, currency, reason, payload, requested_by, required, approved, status, created_at, decided_at
)
SELECT w.store_id, uuid_v7(), 'WITHDRAWAL', w.id, w.amount, w.currency, 'withdrawal', '{}'::json, w.actor_id, 1,
       CASE w.status WHEN 'PAID' THEN 1 ELSE 0 END,
       CASE w.status WHEN 'PAID' THEN 'APPROVED' WHEN 'REJECTED' THEN 'REJECTED' ELSE 'PENDING' END, w.created_at, w.finished_at
  FROM withdrawals w
 UNION ALL
SELECT s.id, uuid_v7(), 'LEDGER_ADJUSTMENT', uuid_v7(), 500, s.currency, 'found behind the till', '{}'::json, pg_temp.id_of(17, k), 1, 1,
       'APPROVED', now() - interval '2 days', now() - interval '1 hour'
  FROM stores s
 CROSS JOIN LATERAL (SELECT CASE s.slug WHEN 'exclusive' THEN 0 ELSE 1 END AS k) person;
INSERT INTO approval_decisions (store_id, approval_id, approver_id, decision, decided_at)
SELECT a.store_id, a.id, pg_temp.id_of(17, CASE s.slug WHEN 'exclusive' THEN 2 ELSE 3 END), a.status, a.decided_at
  FROM approvals a
  JOIN stores s ON s.id = a.store_id
 WHERE a.kind <> 'REFUND' AND a.status <> 'PENDING';

-- Every fact with where its money came from and went to.
CREATE TEMP TABLE postings AS
SELECT row_number() OVER (ORDER BY at) AS t, p.*
  FROM (
    SELECT f.placed_at + interval '40 minutes' AS at, f.store_id, 'SALE' AS type, f.order_id::text AS reference, f.currency,
           ARRAY[
             CASE f.method WHEN 'COD' THEN 'AGENT_CASH' WHEN 'WALLET' THEN 'CUSTOMER' ELSE 'PSP_CLEARING' END,
             'RECEIVABLES', 'SALES', 'DELIVERY_FEES', 'PROMOTIONS', 'TAXES'
           ] AS kinds,
           ARRAY[
             CASE f.method WHEN 'COD' THEN f.agent_id WHEN 'WALLET' THEN f.customer_id ELSE f.store_id END,
             f.store_id, f.store_id, f.store_id, f.store_id, f.store_id
           ] AS owners,
           ARRAY[
             f.owed - f.total, -f.owed, f.subtotal - CASE WHEN f.inclusive THEN f.tax - f.delivery_tax ELSE 0 END,
             f.fee - CASE WHEN f.inclusive THEN f.delivery_tax ELSE 0 END, -f.discount, f.tax
           ] AS amounts
      FROM facts f
     WHERE f.captured
     UNION ALL
    SELECT r.placed_at + interval '3 hours', r.store_id, 'SALE_REFUND', r.refund_id::text, r.currency,
           ARRAY[
             CASE WHEN r.destination = 'WALLET' OR r.method = 'WALLET' THEN 'CUSTOMER' WHEN r.method = 'COD' THEN 'CASH_VAULT'
                  ELSE 'PSP_CLEARING' END,
             'SALES', 'DELIVERY_FEES', 'PROMOTIONS', 'TAXES'
           ],
           ARRAY[
             CASE WHEN r.destination = 'WALLET' OR r.method = 'WALLET' THEN r.customer_id ELSE r.store_id END,
             r.store_id, r.store_id, r.store_id, r.store_id
           ],
           ARRAY[r.amount, -(r.amount + r.discount - r.tax - r.fee), -r.fee, r.discount, -r.tax]
      FROM returns r
     WHERE r.status = 'SUCCEEDED'
     UNION ALL
    SELECT f.placed_at + interval '40 minutes', f.store_id, 'AGENT_FEE', pg_temp.id_of(8, f.n)::text, f.currency,
           ARRAY['AGENT_EARNINGS', 'DELIVERY_FEES'], ARRAY[f.agent_id, f.store_id], ARRAY[150, -150]
      FROM facts f
     WHERE f.status IN ('DELIVERED', 'RETURNED')
     UNION ALL
    SELECT day + interval '1 day', store_id, 'REMITTANCE', pg_temp.id_of(14, r)::text, currency, ARRAY['AGENT_CASH', 'CASH_VAULT'],
           ARRAY[agent_id, store_id], ARRAY[amount - missing, missing - amount]
      FROM cash
     UNION ALL
    SELECT day + interval '25 hours', store_id, 'CASH_VARIANCE', pg_temp.id_of(15, r)::text, currency,
           ARRAY['AGENT_CASH', 'CASH_SHORT_OVER'], ARRAY[agent_id, store_id], ARRAY[missing, -missing]
      FROM cash
     WHERE missing > 0
     UNION ALL
    SELECT placed_at + interval '40 minutes', store_id, 'OVERPAYMENT', pg_temp.id_of(8, n)::text, currency,
           ARRAY['AGENT_CASH', 'CUSTOMER'], ARRAY[agent_id, customer_id], ARRAY[-above, above]
      FROM facts
     WHERE above > 0
     UNION ALL
    SELECT placed_at + interval '1 day', store_id, 'SETTLEMENT', pg_temp.id_of(21, n)::text, currency,
           ARRAY['RECEIVABLES', 'CASH_VAULT'], ARRAY[store_id, store_id], ARRAY[settled, -settled]
      FROM facts
     WHERE settled > 0
     UNION ALL
    SELECT w.created_at, w.store_id, 'WITHDRAWAL', 'withdrawal ' || w.id, w.currency, ARRAY['CUSTOMER', 'PAYOUTS_PENDING'],
           ARRAY[w.actor_id, w.store_id], ARRAY[-w.amount, w.amount]
      FROM withdrawals w
     UNION ALL
    SELECT w.finished_at, w.store_id, CASE w.status WHEN 'PAID' THEN 'WITHDRAWAL_PAID' ELSE 'WITHDRAWAL_RETURNED' END, w.id::text,
           w.currency, ARRAY['PAYOUTS_PENDING', CASE w.status WHEN 'PAID' THEN 'PSP_CLEARING' ELSE 'CUSTOMER' END],
           ARRAY[w.store_id, CASE w.status WHEN 'PAID' THEN w.store_id ELSE w.actor_id END], ARRAY[-w.amount, w.amount]
      FROM withdrawals w
     WHERE w.status <> 'REQUESTED'
     UNION ALL
    SELECT a.decided_at, a.store_id, 'ADJUSTMENT', a.subject_id::text, a.currency, ARRAY['CASH_VAULT', 'CASH_SHORT_OVER'],
           ARRAY[a.store_id, a.store_id], ARRAY[-a.amount, a.amount]
      FROM approvals a
     WHERE a.kind = 'LEDGER_ADJUSTMENT' AND a.status = 'APPROVED'
     UNION ALL
    SELECT now() - interval '91 days', u.store_id, 'TOP_UP', u.id::text, s.currency, ARRAY['CUSTOMER', 'CASH_VAULT'],
           ARRAY[u.id, u.store_id], ARRAY[1000000, -1000000]
      FROM users u
      JOIN stores s ON s.id = u.store_id
     WHERE u.roles = '{CUSTOMER}'
  ) p;
ANALYZE postings;
INSERT INTO ledger_transactions (store_id, id, type, reference, created_at)
SELECT store_id, pg_temp.id_of(20, t), type, reference, at FROM postings ORDER BY t;
INSERT INTO ledger_entries (store_id, wallet_id, transaction_id, amount, currency, created_at)
SELECT p.store_id, w.id, pg_temp.id_of(20, p.t), e.amount, p.currency, p.at
  FROM postings p
 CROSS JOIN LATERAL unnest(p.kinds, p.owners, p.amounts) AS e (kind, owner_id, amount)
  JOIN wallets w ON w.owner_id = e.owner_id AND w.kind = e.kind AND w.store_id = p.store_id
 WHERE e.amount <> 0
 ORDER BY p.t;
ANALYZE ledger_entries;
UPDATE wallets w
   SET balance = e.amount
  FROM (SELECT wallet_id, sum(amount) AS amount FROM ledger_entries GROUP BY wallet_id) e
 WHERE e.wallet_id = w.id AND w.balance_kept;
-- A mark on every wallet of the stores' own, with all that had come up to the middle.
INSERT INTO wallet_checkpoints (store_id, wallet_id, entry_id, balance)
SELECT e.store_id, e.wallet_id, max(e.id), sum(e.amount)
  FROM ledger_entries e
  JOIN wallets w ON w.id = e.wallet_id AND NOT w.balance_kept
 WHERE e.id <= (SELECT max(id) / 2 FROM ledger_entries)
 GROUP BY e.store_id, e.wallet_id;

-- News are kept for 30 days, answers for one.
INSERT INTO outbox_events (store_id, aggregate_type, aggregate_id, type, payload, created_at, published_at)
SELECT store_id, aggregate_type, aggregate_id, type, json_build_object('id', aggregate_id), at, at
  FROM (
    SELECT store_id, 'order' AS aggregate_type, order_id AS aggregate_id,
           'order.' || CASE version WHEN 1 THEN 'placed' ELSE lower(to_status) END AS type, created_at AS at
      FROM order_history
     UNION ALL
    SELECT store_id, 'approval', id, 'approval.requested', created_at FROM approvals
     UNION ALL
    SELECT store_id, 'approval', id, 'approval.' || lower(status), decided_at FROM approvals WHERE decided_at IS NOT NULL
     UNION ALL
    SELECT a.store_id, 'assignment', a.id, 'assignment.' || k.kind, k.at
      FROM shipping_assignments a
     CROSS JOIN LATERAL (VALUES ('offered', a.offered_at), ('accepted', a.accepted_at), ('delivered', a.delivered_at)) AS k (kind, at)
     WHERE k.at IS NOT NULL
  ) news
 WHERE at > now() - interval '30 days'
 ORDER BY at;
INSERT INTO idempotency_keys (store_id, principal, route, key, fingerprint, status_code, response, created_at)
SELECT o.store_id, coalesce(o.customer_id::text, 'cart ' || o.id), 'POST /api/orders', 'volume-' || o.number, 'x', 201,
       order_document(o, true), o.placed_at
  FROM orders o
 WHERE o.placed_at > now() - interval '1 day';
SET session_replication_role = origin;
