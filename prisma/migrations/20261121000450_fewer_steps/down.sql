ALTER TABLE stock_levels
  DROP CONSTRAINT stock_levels_oversold_check,
  ADD CONSTRAINT stock_levels_on_hand_check CHECK (on_hand >= 0),
  ADD CONSTRAINT stock_levels_reserved_check CHECK (reserved >= 0),
  ADD CONSTRAINT stock_levels_oversold_check CHECK (reserved <= on_hand);
ALTER TABLE payments
  DROP CONSTRAINT payments_rules_check,
  ADD CONSTRAINT payments_status_check CHECK (
    status = ANY ('{PENDING,AUTHORIZED,CAPTURED,PARTIALLY_REFUNDED,REFUNDED,VOIDED,FAILED,EXPIRED}'::text[])
  ),
  ADD CONSTRAINT payments_amounts_check CHECK (
    least(authorized_amount, refunded_amount, refunding_amount) >= 0
    AND greatest(authorized_amount, captured_amount) <= amount
    AND refunded_amount + refunding_amount <= captured_amount
  ),
  ADD CONSTRAINT payments_method_check CHECK (method = ANY ('{COD,WALLET,CARD}'::text[])),
  ADD CONSTRAINT payments_provider_check CHECK ((method = 'CARD') = (provider IS NOT NULL));
DROP FUNCTION payment_rules(payments);
ALTER TABLE order_lines
  DROP CONSTRAINT order_lines_rules_check,
  ADD CONSTRAINT order_lines_quantity_check CHECK (quantity > 0),
  ADD CONSTRAINT order_lines_total_check CHECK (unit_price >= 0 AND total = unit_price * quantity),
  ADD CONSTRAINT order_lines_parts_check CHECK (least(discount, tax, tax_rate_ppm) >= 0 AND discount <= total),
  ADD CONSTRAINT order_lines_refunded_check CHECK (refunded_quantity BETWEEN 0 AND quantity);
DROP FUNCTION order_line_rules(order_lines);
ALTER TABLE orders
  DROP CONSTRAINT orders_rules_check,
  ADD CONSTRAINT orders_status_check CHECK (
    status = ANY ('{PENDING,CONFIRMED,PREPARING,SHIPPING,DELIVERED,CANCELLED,RETURNED,EXPIRED}'::text[])
  ),
  ADD CONSTRAINT orders_payment_method_check CHECK (payment_method = ANY ('{COD,WALLET,CARD}'::text[])),
  ADD CONSTRAINT orders_total_check CHECK (
    total = subtotal - discount + delivery_fee + CASE WHEN tax_inclusive THEN 0 ELSE tax END
  ),
  ADD CONSTRAINT orders_amounts_check CHECK (
    least(delivery_discount, delivery_tax) >= 0 AND delivery_discount <= least(delivery_fee, discount)
    AND delivery_tax <= tax AND discount - delivery_discount <= subtotal AND total <= 9007199254740991
  ),
  ADD CONSTRAINT orders_delivery_code_check CHECK (delivery_code ~ '^[0-9]{6}$'),
  ADD CONSTRAINT orders_customer_check CHECK ((customer_id IS NULL) <> (guest_email IS NULL)),
  ADD CONSTRAINT orders_waiting_check CHECK (status <> 'PENDING' OR expires_at IS NOT NULL);
DROP FUNCTION order_rules(orders);

DROP FUNCTION book_slot(uuid, uuid, text);
CREATE FUNCTION book_slot(p_store uuid, p_slot uuid, p_zip text, OUT refusal text, OUT ends_at timestamptz)
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE delivery_slots s
     SET booked = s.booked + 1
    FROM delivery_zones z
   WHERE s.store_id = p_store AND s.id = p_slot AND z.store_id = s.store_id AND z.id = s.zone_id
     AND p_zip = ANY (z.zip_codes) AND s.closed_at IS NULL AND s.cutoff_at > now() AND s.booked < s.capacity
  RETURNING s.ends_at INTO ends_at;
  IF FOUND THEN
    RETURN;
  END IF;
  SELECT CASE WHEN s.closed_at IS NOT NULL OR s.cutoff_at <= now() THEN 'SLOT_CLOSED' ELSE 'SLOT_FULL' END
    INTO refusal
    FROM delivery_slots s
    JOIN delivery_zones z ON z.store_id = s.store_id AND z.id = s.zone_id
   WHERE s.store_id = p_store AND s.id = p_slot AND p_zip = ANY (z.zip_codes);
  refusal := coalesce(refusal, 'SLOT_INVALID');
END $$;

CREATE OR REPLACE FUNCTION order_document(o orders, with_code boolean) RETURNS json
LANGUAGE plpgsql STABLE AS $$
DECLARE
  lines json;
  payment json;
  slot json;
  coupon text;
BEGIN
  SELECT json_agg(json_build_object(
           'variantId', l.variant_id, 'sku', l.sku, 'name', l.name, 'quantity', l.quantity,
           'unitPrice', money(l.unit_price, o.currency), 'total', money(l.total, o.currency),
           'discount', money(l.discount, o.currency), 'tax', money(l.tax, o.currency), 'taxRatePpm', l.tax_rate_ppm,
           'refundedQuantity', l.refunded_quantity
         ) ORDER BY l.line_no)
    INTO lines
    FROM order_lines l
   WHERE l.store_id = o.store_id AND l.order_id = o.id;
  SELECT json_build_object(
           'id', p.id, 'method', p.method, 'status', p.status, 'amount', money(p.amount, p.currency),
           'captured', money(p.captured_amount, p.currency), 'refunded', money(p.refunded_amount, p.currency),
           'failureCode', p.failure_code
         )
    INTO payment
    FROM payments p
   WHERE p.store_id = o.store_id AND p.order_id = o.id;
  IF o.slot_id IS NOT NULL THEN
    SELECT json_build_object('id', s.id, 'startsAt', iso_time(s.starts_at), 'endsAt', iso_time(s.ends_at))
      INTO slot
      FROM delivery_slots s
     WHERE s.store_id = o.store_id AND s.id = o.slot_id;
  END IF;
  IF o.coupon_id IS NOT NULL THEN
    SELECT c.code INTO coupon FROM coupons c WHERE c.store_id = o.store_id AND c.id = o.coupon_id;
  END IF;
  RETURN json_build_object(
    'id', o.id, 'number', o.number, 'customerId', o.customer_id, 'email', o.guest_email, 'cartId', o.cart_id,
    'status', o.status, 'version', o.version, 'lines', lines,
    'subtotal', money(o.subtotal, o.currency), 'discount', money(o.discount, o.currency),
    'deliveryFee', money(o.delivery_fee, o.currency), 'tax', money(o.tax, o.currency),
    'taxInclusive', o.tax_inclusive, 'total', money(o.total, o.currency), 'payment', payment, 'couponCode', coupon,
    'slot', slot, 'deliveryAddress', o.delivery_address,
    'deliveryCode', CASE WHEN with_code THEN o.delivery_code END, 'note', o.note,
    'placedAt', iso_time(o.placed_at), 'promisedAt', iso_time(o.promised_at), 'expiresAt', iso_time(o.expires_at),
    'updatedAt', iso_time(o.updated_at)
  );
END $$;

CREATE OR REPLACE FUNCTION order_number(n bigint) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  alphabet CONSTANT text := '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
  v bigint := ((n::numeric * 679295857149) % 1099511627776)::bigint;
  text_number text := '';
BEGIN
  FOR i IN 0..7 LOOP
    text_number := text_number || substr(alphabet, ((v >> (5 * i)) & 31)::int + 1, 1);
  END LOOP;
  RETURN substr(text_number, 1, 4) || '-' || substr(text_number, 5, 4);
END $$;

ALTER TABLE coupons ADD COLUMN used int NOT NULL DEFAULT 0;
UPDATE coupons c
   SET used = u.used
  FROM coupon_uses u
 WHERE u.store_id = c.store_id AND u.coupon_id = c.id AND u.used_by = '';
ALTER TABLE coupons ADD CONSTRAINT coupons_used_check CHECK (used >= 0 AND used <= coalesce(usage_limit, 0));
DELETE FROM coupon_uses WHERE used_by = '';
ALTER TABLE coupon_uses
  DROP CONSTRAINT coupon_uses_used_check,
  ADD CONSTRAINT coupon_uses_used_check CHECK (used >= 0),
  DROP COLUMN allowed;

CREATE OR REPLACE FUNCTION use_coupon(p_coupon coupons, p_used_by text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  v_usage_limit int;
  v_customer_limit int;
BEGIN
  IF p_coupon.usage_limit IS NULL THEN
    SELECT c.usage_limit, c.customer_limit
      INTO v_usage_limit, v_customer_limit
      FROM coupons c
     WHERE c.store_id = p_coupon.store_id AND c.id = p_coupon.id
       FOR KEY SHARE;
  ELSE
    UPDATE coupons c
       SET used = c.used + CASE WHEN c.usage_limit IS NULL THEN 0 ELSE 1 END
     WHERE c.store_id = p_coupon.store_id AND c.id = p_coupon.id AND (c.used < c.usage_limit) IS NOT FALSE
    RETURNING c.usage_limit, c.customer_limit INTO v_usage_limit, v_customer_limit;
    IF NOT FOUND THEN
      RETURN 'COUPON_USED_UP';
    END IF;
  END IF;
  IF v_usage_limit IS DISTINCT FROM p_coupon.usage_limit OR v_customer_limit IS DISTINCT FROM p_coupon.customer_limit THEN
    RAISE EXCEPTION 'the limits of coupon % have just changed', p_coupon.id USING ERRCODE = 'serialization_failure';
  END IF;
  IF p_coupon.customer_limit IS NOT NULL THEN
    INSERT INTO coupon_uses AS u (store_id, coupon_id, used_by, used)
    VALUES (p_coupon.store_id, p_coupon.id, p_used_by, 1)
    ON CONFLICT (store_id, coupon_id, used_by) DO UPDATE SET used = u.used + 1 WHERE u.used < p_coupon.customer_limit;
    IF NOT FOUND THEN
      UPDATE coupons c
         SET used = c.used - 1
       WHERE c.store_id = p_coupon.store_id AND c.id = p_coupon.id AND c.usage_limit IS NOT NULL;
      RETURN 'COUPON_USED_BY_CUSTOMER';
    END IF;
  END IF;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION return_coupon(p_coupon coupons, p_used_by text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF p_coupon.usage_limit IS NOT NULL THEN
    UPDATE coupons c
       SET used = c.used - 1
     WHERE c.store_id = p_coupon.store_id AND c.id = p_coupon.id AND c.usage_limit IS NOT NULL;
  END IF;
  IF p_coupon.customer_limit IS NOT NULL THEN
    UPDATE coupon_uses u
       SET used = u.used - 1
     WHERE u.store_id = p_coupon.store_id AND u.coupon_id = p_coupon.id AND u.used_by = p_used_by;
  END IF;
END $$;

CREATE OR REPLACE FUNCTION release_booking(p_store uuid, p_order uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_order record;
  v_coupon coupons;
BEGIN
  SELECT o.slot_id, o.coupon_id, coalesce(o.customer_id::text, o.guest_email) AS used_by
    INTO v_order
    FROM orders o
   WHERE o.store_id = p_store AND o.id = p_order;
  IF v_order.slot_id IS NOT NULL THEN
    PERFORM free_slot(p_store, v_order.slot_id);
  END IF;
  IF v_order.coupon_id IS NOT NULL THEN
    -- With the limits that it has now: who sets one meanwhile counts this order still, or waits until it has ended.
    SELECT * INTO v_coupon FROM coupons c WHERE c.store_id = p_store AND c.id = v_order.coupon_id FOR NO KEY UPDATE;
    PERFORM return_coupon(v_coupon, v_order.used_by);
  END IF;
END $$;

CREATE OR REPLACE FUNCTION change_coupon(p_store uuid, p_coupon uuid, p_changes jsonb) RETURNS coupons LANGUAGE plpgsql AS $$
DECLARE
  v_old coupons;
  v_new coupons;
BEGIN
  SELECT * INTO v_old FROM coupons c WHERE c.store_id = p_store AND c.id = p_coupon FOR UPDATE;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  v_new := jsonb_populate_record(v_old, p_changes);
  UPDATE coupons c
     SET active = v_new.active, starts_at = v_new.starts_at, ends_at = v_new.ends_at, minimum = v_new.minimum,
         maximum_discount = v_new.maximum_discount, usage_limit = v_new.usage_limit,
         customer_limit = v_new.customer_limit,
         used = CASE
           WHEN v_new.usage_limit IS NULL THEN 0
           ELSE (
             SELECT count(*)
               FROM orders o
              WHERE o.store_id = p_store AND o.coupon_id = p_coupon AND o.status NOT IN ('CANCELLED', 'EXPIRED')
           )
         END
   WHERE c.store_id = p_store AND c.id = p_coupon
  RETURNING c.* INTO v_new;
  IF v_new.customer_limit IS DISTINCT FROM v_old.customer_limit THEN
    DELETE FROM coupon_uses u WHERE u.store_id = p_store AND u.coupon_id = p_coupon;
    INSERT INTO coupon_uses (store_id, coupon_id, used_by, used)
    SELECT p_store, p_coupon, coalesce(o.customer_id::text, o.guest_email), count(*)
      FROM orders o
     WHERE o.store_id = p_store AND o.coupon_id = p_coupon AND o.status NOT IN ('CANCELLED', 'EXPIRED')
       AND v_new.customer_limit IS NOT NULL
     GROUP BY 3;
    IF EXISTS (
      SELECT 1
        FROM coupon_uses u
       WHERE u.store_id = p_store AND u.coupon_id = p_coupon AND u.used > v_new.customer_limit
    ) THEN
      RAISE EXCEPTION 'customers have used coupon % more often than % times', p_coupon, v_new.customer_limit
        USING ERRCODE = 'check_violation', CONSTRAINT = 'coupon_uses_used_check';
    END IF;
  END IF;
  RETURN v_new;
END $$;

CREATE OR REPLACE FUNCTION quote_coupon(p_coupon coupons, p_used_by text) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN CASE
    WHEN p_coupon.used >= p_coupon.usage_limit THEN 'COUPON_USED_UP'
    WHEN EXISTS (
      SELECT 1
        FROM coupon_uses u
       WHERE u.store_id = p_coupon.store_id AND u.coupon_id = p_coupon.id AND u.used_by = p_used_by
         AND u.used >= p_coupon.customer_limit
    ) THEN 'COUPON_USED_BY_CUSTOMER'
  END;
END $$;

CREATE OR REPLACE FUNCTION place_order(
  p_store uuid, p_order uuid, p_customer uuid, p_guest_email text, p_cart uuid, p_cart_token bytea,
  p_method text, p_provider text, p_variants uuid[], p_quantities int[],
  p_address json, p_slot uuid, p_coupon_code text, p_expected_total bigint, p_delivery_code text, p_note text,
  p_route text, p_key text, p_fingerprint text, p_client text DEFAULT NULL,
  OUT outcome text, OUT status_code int, OUT response json
) LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
  v_principal text := order_principal(p_customer, p_cart_token);
  v_customer text := coalesce(p_customer::text, lower(p_guest_email));
  v_store stores;
  v_order orders;
  v_wallet wallets;
  v_coupon coupons;
  v_begun record;
  v_cart record;
  v_found record;
  v_priced record;
  v_slot record;
  v_promised_at timestamptz;
  v_details json;
  v_used_coupon boolean := false;
  v_paid boolean;
BEGIN
  v_begun := idempotency_begin(p_store, v_principal, p_route, p_key, p_fingerprint);
  IF v_begun.outcome <> 'NEW' THEN
    outcome := v_begun.outcome;
    status_code := v_begun.status_code;
    response := v_begun.response;
    RETURN;
  END IF;

  outcome := 'PLACED';
  status_code := 409;
  SELECT * INTO STRICT v_store FROM stores s WHERE s.id = p_store;
  IF p_cart IS NOT NULL THEN
    v_cart := lock_cart(p_store, p_cart, p_customer, p_cart_token);
    outcome := coalesce(v_cart.refusal, outcome);
    v_details := v_cart.details;
    p_variants := v_cart.variants;
    p_quantities := v_cart.quantities;
    IF outcome = 'NOT_FOUND' THEN
      status_code := 404;
      RETURN;
    END IF;
  END IF;
  IF outcome = 'PLACED' AND (p_method = 'CARD' AND p_provider IS NULL OR p_method = 'WALLET' AND p_customer IS NULL) THEN
    outcome := 'PAYMENT_METHOD_NOT_SUPPORTED';
    status_code := 422;
  ELSIF outcome = 'PLACED' AND NOT (p_address ->> 'zip') = ANY (v_store.service_zip_codes) THEN
    outcome := 'ZIP_NOT_SERVED';
    status_code := 422;
    v_details := json_build_array(json_build_object('code', outcome, 'zip', p_address ->> 'zip'));
  ELSIF outcome = 'PLACED' AND p_coupon_code IS NOT NULL THEN
    v_found := find_coupon(p_store, p_coupon_code, v_principal, p_client);
    v_coupon := v_found.coupon;
    outcome := coalesce(v_found.refusal, outcome);
    status_code := CASE outcome WHEN 'COUPON_ATTEMPTS_EXCEEDED' THEN 429 ELSE 422 END;
  END IF;

  IF outcome = 'PLACED' THEN
    status_code := 409;
    v_priced := price_order(v_store, p_variants, p_quantities, v_coupon);
    IF v_priced.unavailable IS NOT NULL THEN
      outcome := 'PRODUCT_UNAVAILABLE';
      v_details := unservable_lines(p_store, p_variants, p_quantities, v_priced.unavailable);
    ELSIF v_priced.total > 9007199254740991 THEN
      outcome := 'ORDER_TOTAL_TOO_LARGE';
      status_code := 422;
    ELSIF v_priced.subtotal < v_coupon.minimum THEN
      outcome := 'COUPON_MINIMUM_NOT_MET';
      status_code := 422;
      v_details := json_build_array(json_build_object('code', outcome, 'minimum', money(v_coupon.minimum, v_store.currency)));
    ELSIF v_priced.total <> p_expected_total THEN
      outcome := 'QUOTE_CHANGED';
      v_details := json_build_array(json_build_object(
        'code', outcome, 'quoted', money(p_expected_total, v_store.currency),
        'total', money(v_priced.total::bigint, v_store.currency)
      ));
    END IF;
  END IF;
  IF outcome = 'PLACED' AND p_slot IS NOT NULL THEN
    v_slot := book_slot(p_store, p_slot, p_address ->> 'zip');
    outcome := coalesce(v_slot.refusal, outcome);
    v_promised_at := v_slot.ends_at;
    status_code := CASE outcome WHEN 'SLOT_INVALID' THEN 422 ELSE 409 END;
  END IF;
  IF outcome = 'PLACED' AND v_coupon.id IS NOT NULL THEN
    outcome := coalesce(use_coupon(v_coupon, v_customer), outcome);
    v_used_coupon := outcome = 'PLACED';
  END IF;
  IF outcome = 'PLACED' THEN
    v_details := lock_stock(p_store, p_variants, p_quantities);
    IF v_details IS NOT NULL THEN
      outcome := 'INSUFFICIENT_STOCK';
    ELSIF p_method = 'WALLET' THEN
      SELECT * INTO v_wallet
        FROM wallets w
       WHERE w.store_id = p_store AND w.kind = 'CUSTOMER' AND w.owner_id = p_customer AND w.currency = v_store.currency
         FOR NO KEY UPDATE;
      IF coalesce(v_wallet.balance, 0) < v_priced.total THEN
        outcome := 'INSUFFICIENT_FUNDS';
        v_details := json_build_array(json_build_object(
          'code', outcome, 'required', money(v_priced.total::bigint, v_store.currency),
          'available', money(coalesce(v_wallet.balance, 0), v_store.currency)
        ));
      END IF;
    END IF;
  END IF;
  IF outcome <> 'PLACED' THEN
    -- The stock stays locked until the commit, which here has nothing to save but the refusal: it need not wait for the disk.
    PERFORM set_config('synchronous_commit', 'off', true);
    IF v_promised_at IS NOT NULL THEN
      PERFORM free_slot(p_store, p_slot);
    END IF;
    IF v_used_coupon THEN
      PERFORM return_coupon(v_coupon, v_customer);
    END IF;
    response := json_build_object('code', outcome, 'details', coalesce(v_details, '[]'));
    -- 429: the same request may be right in an hour.
    IF status_code <> 429 THEN
      PERFORM idempotency_finish(p_store, v_principal, p_route, p_key, p_fingerprint, status_code, response);
    END IF;
    RETURN;
  END IF;

  -- Nothing to charge is paid: no card is asked for 0.
  v_paid := p_method = 'WALLET' OR p_method = 'CARD' AND v_priced.total = 0;
  UPDATE stock_levels s
     SET reserved = s.reserved + wanted.quantity
    FROM wanted_stock(p_variants, p_quantities) wanted
   WHERE s.store_id = p_store AND s.variant_id = wanted.variant_id;
  INSERT INTO orders (
    store_id, id, number, customer_id, guest_email, cart_id, slot_id, coupon_id, status, payment_method, currency,
    subtotal, discount, delivery_fee, delivery_discount, tax, delivery_tax, tax_inclusive, total,
    delivery_address, delivery_zip, delivery_code, note, promised_at, expires_at
  ) VALUES (
    p_store, p_order, order_number(nextval('order_number_seq')), p_customer,
    CASE WHEN p_customer IS NULL THEN lower(p_guest_email) END, p_cart, p_slot, v_coupon.id,
    CASE WHEN p_method = 'CARD' AND NOT v_paid THEN 'PENDING' ELSE 'CONFIRMED' END, p_method, v_store.currency,
    v_priced.subtotal, v_priced.discount, v_store.delivery_fee, v_priced.delivery_discount, v_priced.tax,
    v_priced.delivery_tax, v_store.tax_inclusive, v_priced.total,
    p_address, p_address ->> 'zip', p_delivery_code, p_note,
    coalesce(v_promised_at, now() + make_interval(mins => v_store.promise_minutes)),
    CASE WHEN p_method = 'CARD' AND NOT v_paid THEN now() + make_interval(mins => v_store.payment_minutes) END
  ) RETURNING * INTO v_order;
  INSERT INTO order_lines (
    store_id, order_id, line_no, variant_id, sku, name, quantity, unit_price, total, discount, tax, tax_rate_ppm
  )
  SELECT p_store, p_order, w.line_no, w.id, w.sku, w.name, w.quantity, w.price, w.total,
         coalesce(w.discount, 0), coalesce(w.tax, 0), w.rate
    FROM unnest(
           p_variants, p_quantities, v_priced.prices, v_priced.skus, v_priced.names, v_priced.totals, v_priced.discounts,
           v_priced.taxes, v_priced.rates
         ) WITH ORDINALITY AS w (id, quantity, price, sku, name, total, discount, tax, rate, line_no);
  INSERT INTO payments (store_id, id, order_id, method, provider, status, currency, amount, captured_amount)
  VALUES (
    p_store, uuid_v7(), p_order, p_method, CASE p_method WHEN 'CARD' THEN p_provider END,
    CASE WHEN v_paid THEN 'CAPTURED' ELSE 'PENDING' END, v_order.currency, v_order.total,
    CASE WHEN v_paid THEN v_order.total ELSE 0 END
  );
  IF p_method = 'WALLET' AND v_order.total > 0 THEN
    PERFORM post_sale(v_order, p_customer, ARRAY[v_wallet.id], ARRAY[-v_order.total]);
  END IF;
  IF p_cart IS NOT NULL THEN
    UPDATE carts c SET status = 'ORDERED', updated_at = now() WHERE c.store_id = p_store AND c.id = p_cart;
  END IF;
  INSERT INTO order_history (store_id, order_id, version, to_status, actor_id, actor_role)
  VALUES (p_store, p_order, 1, v_order.status, p_customer, CASE WHEN p_customer IS NULL THEN 'GUEST' ELSE 'CUSTOMER' END);
  INSERT INTO outbox_events (store_id, aggregate_type, aggregate_id, type, payload)
  VALUES (
    p_store, 'order', p_order, 'order.placed',
    json_build_object('orderId', p_order, 'number', v_order.number, 'total', money(v_order.total, v_order.currency))
  );

  status_code := 201;
  response := order_document(v_order, true);
  PERFORM idempotency_finish(p_store, v_principal, p_route, p_key, p_fingerprint, status_code, response);
END $$;

DROP FUNCTION order_document_of(orders, boolean, json, json, json, text);
DROP FUNCTION slot_document(delivery_slots);
DROP FUNCTION payment_document(payments);
DROP FUNCTION line_document(order_lines, text);
DROP FUNCTION reserve_stock(uuid, uuid[], int[]);
DROP FUNCTION unreserve_stock(uuid, uuid[], int[], uuid);
