ALTER TABLE orders
  DROP CONSTRAINT orders_status_check,
  ADD CONSTRAINT orders_status_check CHECK (
    status IN ('PENDING', 'CONFIRMED', 'PREPARING', 'SHIPPING', 'DELIVERED', 'CANCELLED', 'RETURNED', 'EXPIRED')
  ),
  DROP CONSTRAINT orders_payment_method_check,
  ADD CONSTRAINT orders_payment_method_check CHECK (payment_method IN ('COD', 'WALLET', 'CARD'));
ALTER TABLE payments
  DROP CONSTRAINT payments_status_check,
  ADD CONSTRAINT payments_status_check CHECK (
    status IN ('PENDING', 'AUTHORIZED', 'CAPTURED', 'PARTIALLY_REFUNDED', 'REFUNDED', 'VOIDED', 'FAILED', 'EXPIRED')
  ),
  DROP CONSTRAINT payments_method_check,
  ADD CONSTRAINT payments_method_check CHECK (method IN ('COD', 'WALLET', 'CARD'));
ALTER TABLE coupons
  DROP CONSTRAINT coupons_kind_check,
  ADD CONSTRAINT coupons_kind_check CHECK (kind IN ('PERCENTAGE', 'FIXED', 'FREE_DELIVERY'));

CREATE TABLE "coupon_redemptions" (
    "store_id" UUID NOT NULL,
    "order_id" UUID NOT NULL,
    "coupon_id" UUID NOT NULL,
    "used_by" TEXT NOT NULL,
    "amount" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "released_at" TIMESTAMPTZ(3),

    CONSTRAINT "coupon_redemptions_pkey" PRIMARY KEY ("store_id","order_id")
);
-- The orders have it all; one that gave its coupon back did so with its last step.
INSERT INTO coupon_redemptions (store_id, order_id, coupon_id, used_by, amount, created_at, released_at)
SELECT o.store_id, o.id, o.coupon_id, coalesce(o.customer_id::text, o.guest_email), o.discount, o.placed_at,
       CASE WHEN o.status IN ('CANCELLED', 'EXPIRED') THEN coalesce(h.created_at, o.updated_at) END
  FROM orders o
  LEFT JOIN order_history h ON h.store_id = o.store_id AND h.order_id = o.id AND h.version = o.version
 WHERE o.coupon_id IS NOT NULL AND o.imported_at IS NULL;
CREATE INDEX "idx_coupon_redemptions_coupon" ON "coupon_redemptions"("store_id", "coupon_id");
ALTER TABLE "coupon_redemptions" ADD CONSTRAINT "coupon_redemptions_store_id_order_id_fkey" FOREIGN KEY ("store_id", "order_id") REFERENCES "orders"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;
ALTER TABLE "coupon_redemptions" ADD CONSTRAINT "coupon_redemptions_store_id_coupon_id_fkey" FOREIGN KEY ("store_id", "coupon_id") REFERENCES "coupons"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;
ALTER TABLE coupon_redemptions
  ADD CONSTRAINT coupon_redemptions_amount_check CHECK (amount >= 0);
DROP INDEX idx_orders_coupon;

CREATE OR REPLACE FUNCTION split_by_largest_remainder(p_amount bigint, p_weights bigint[]) RETURNS bigint[]
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN (
    SELECT array_agg(
             p.whole + CASE WHEN p.rank <= p_amount - p.given THEN 1 ELSE 0 END
             ORDER BY p.position
           )
      FROM (
        SELECT s.position, s.whole, sum(s.whole) OVER () AS given,
               row_number() OVER (ORDER BY s.remainder DESC, s.position) AS rank
          FROM (
            SELECT w.position, div(p_amount * w.weight::numeric, sum(w.weight) OVER ())::bigint AS whole,
                   mod(p_amount * w.weight::numeric, sum(w.weight) OVER ()) AS remainder
              FROM unnest(p_weights) WITH ORDINALITY AS w (weight, position)
          ) s
      ) p
  );
END $$;

CREATE FUNCTION guesses_coupons(p_store uuid, p_principal text, p_client text) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN EXISTS (
    SELECT 1
      FROM coupon_failures f
     WHERE f.store_id = p_store AND f.principal IN (p_principal, 'address ' || p_client)
       AND f.failures >= CASE f.principal WHEN p_principal THEN 20 ELSE 100 END AND f.since > now() - interval '1 hour'
  );
END $$;

CREATE OR REPLACE FUNCTION find_coupon(
  p_store uuid, p_code text, p_principal text, p_client text DEFAULT NULL, OUT coupon coupons, OUT refusal text
) LANGUAGE plpgsql AS $$
BEGIN
  SELECT * INTO coupon
    FROM coupons c
   WHERE c.store_id = p_store AND c.code = upper(btrim(p_code))
     AND c.active AND coalesce(c.starts_at <= now(), true) AND coalesce(c.ends_at > now(), true)
     AND NOT guesses_coupons(p_store, p_principal, p_client);
  IF FOUND THEN
    RETURN;
  ELSIF guesses_coupons(p_store, p_principal, p_client) THEN
    refusal := 'COUPON_ATTEMPTS_EXCEEDED';
    RETURN;
  END IF;
  INSERT INTO coupon_failures AS f (store_id, principal, failures)
  SELECT p_store, w.who, 1
    FROM unnest(ARRAY[p_principal, 'address ' || p_client]) WITH ORDINALITY AS w (who, turn)
   WHERE w.who IS NOT NULL
   ORDER BY w.turn
  ON CONFLICT (store_id, principal) DO UPDATE
    SET failures = CASE WHEN f.since > now() - interval '1 hour' THEN f.failures + 1 ELSE 1 END,
        since = CASE WHEN f.since > now() - interval '1 hour' THEN f.since ELSE now() END;
  refusal := 'COUPON_INVALID';
END $$;

CREATE OR REPLACE FUNCTION use_coupon(p_coupon coupons, p_used_by text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  IF p_coupon.usage_limit IS NOT NULL THEN
    -- Where the limit was taken away meanwhile there is nothing to count: redeem_coupon() will see it.
    UPDATE coupons c
       SET used = c.used + CASE WHEN c.usage_limit IS NULL THEN 0 ELSE 1 END
     WHERE c.store_id = p_coupon.store_id AND c.id = p_coupon.id AND (c.used < c.usage_limit) IS NOT FALSE;
    IF NOT FOUND THEN
      RETURN 'COUPON_USED_UP';
    END IF;
  ELSIF p_coupon.customer_limit IS NOT NULL THEN
    PERFORM 1 FROM coupons c WHERE c.store_id = p_coupon.store_id AND c.id = p_coupon.id FOR KEY SHARE;
  END IF;
  IF p_coupon.customer_limit IS NOT NULL THEN
    INSERT INTO coupon_uses AS u (store_id, coupon_id, used_by, used)
    VALUES (p_coupon.store_id, p_coupon.id, p_used_by, 1)
    ON CONFLICT (store_id, coupon_id, used_by) DO UPDATE SET used = u.used + 1 WHERE u.used < p_coupon.customer_limit;
    IF NOT FOUND THEN
      UPDATE coupons c
         SET used = c.used - 1
       WHERE c.store_id = p_coupon.store_id AND c.id = p_coupon.id
         AND p_coupon.usage_limit IS NOT NULL AND c.usage_limit IS NOT NULL;
      RETURN 'COUPON_USED_BY_CUSTOMER';
    END IF;
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION redeem_coupon(p_coupon coupons, p_order uuid, p_used_by text, p_amount bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO coupon_redemptions (store_id, order_id, coupon_id, used_by, amount)
  SELECT c.store_id, p_order, c.id, p_used_by, p_amount
    FROM coupons c
   WHERE c.store_id = p_coupon.store_id AND c.id = p_coupon.id
     AND c.usage_limit IS NOT DISTINCT FROM p_coupon.usage_limit
     AND c.customer_limit IS NOT DISTINCT FROM p_coupon.customer_limit
     FOR KEY SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the limits of coupon % have just changed', p_coupon.id USING ERRCODE = 'serialization_failure';
  END IF;
END $$;

CREATE OR REPLACE FUNCTION release_booking(p_store uuid, p_order uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_order record;
  v_coupon coupons;
  v_used_by text;
BEGIN
  SELECT o.slot_id, o.coupon_id INTO v_order FROM orders o WHERE o.store_id = p_store AND o.id = p_order;
  IF v_order.slot_id IS NOT NULL THEN
    PERFORM free_slot(p_store, v_order.slot_id);
  END IF;
  IF v_order.coupon_id IS NOT NULL THEN
    -- Held before the redemption is touched: who sets a limit now counts it as before or as after, not in between.
    SELECT * INTO v_coupon FROM coupons c WHERE c.store_id = p_store AND c.id = v_order.coupon_id FOR NO KEY UPDATE;
    UPDATE coupon_redemptions r
       SET released_at = now()
     WHERE r.store_id = p_store AND r.order_id = p_order AND r.released_at IS NULL
    RETURNING r.used_by INTO v_used_by;
    IF FOUND THEN
      PERFORM return_coupon(v_coupon, v_used_by);
    END IF;
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
               FROM coupon_redemptions r
              WHERE r.store_id = p_store AND r.coupon_id = p_coupon AND r.released_at IS NULL
           )
         END
   WHERE c.store_id = p_store AND c.id = p_coupon
  RETURNING c.* INTO v_new;
  IF v_new.customer_limit IS DISTINCT FROM v_old.customer_limit THEN
    DELETE FROM coupon_uses u WHERE u.store_id = p_store AND u.coupon_id = p_coupon;
    INSERT INTO coupon_uses (store_id, coupon_id, used_by, used)
    SELECT p_store, p_coupon, r.used_by, count(*)
      FROM coupon_redemptions r
     WHERE r.store_id = p_store AND r.coupon_id = p_coupon AND r.released_at IS NULL
       AND v_new.customer_limit IS NOT NULL
     GROUP BY r.used_by;
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
  IF outcome = 'PLACED' AND (v_coupon.usage_limit IS NOT NULL OR v_coupon.customer_limit IS NOT NULL) THEN
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
  IF v_coupon.id IS NOT NULL THEN
    PERFORM redeem_coupon(v_coupon, p_order, v_customer, v_order.discount);
  END IF;
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
