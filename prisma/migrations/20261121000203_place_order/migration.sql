-- Placing an order, now from a cart too, for guests too, with a slot, a coupon, taxes and a card: still one statement.

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

-- The answers that are kept have about 2 kB, where PostgreSQL begins to compress: 3 % of the work of placing an order, for rows
-- that live for a day.
ALTER TABLE idempotency_keys SET (toast_tuple_target = 8160);

DROP FUNCTION post_sale(orders, uuid);
-- The sale of an order: where its money came from (wallets with amounts that add up to -total; the caller has locked them
-- and found them sufficient), and what it was for. Goods at full price, less what promotions gave, delivery and tax apart.
CREATE FUNCTION post_sale(o orders, p_actor uuid, p_wallets uuid[], p_amounts bigint[]) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
  v_wallets uuid[] := p_wallets || wallet_of(o.store_id, 'SALES', o.store_id, o.currency);
  v_amounts bigint[] := p_amounts || (o.subtotal - CASE WHEN o.tax_inclusive THEN o.tax - o.delivery_tax ELSE 0 END);
BEGIN
  IF o.delivery_fee > 0 THEN
    v_wallets := v_wallets || wallet_of(o.store_id, 'DELIVERY_FEES', o.store_id, o.currency);
    v_amounts := v_amounts || (o.delivery_fee - CASE WHEN o.tax_inclusive THEN o.delivery_tax ELSE 0 END);
  END IF;
  IF o.discount > 0 THEN
    v_wallets := v_wallets || wallet_of(o.store_id, 'PROMOTIONS', o.store_id, o.currency);
    v_amounts := v_amounts || -o.discount;
  END IF;
  IF o.tax > 0 THEN
    v_wallets := v_wallets || wallet_of(o.store_id, 'TAXES', o.store_id, o.currency);
    v_amounts := v_amounts || o.tax;
  END IF;
  RETURN ledger_post(o.store_id, 'SALE', o.id::text, p_actor, NULL, o.currency, v_wallets, v_amounts);
END $$;

-- The cart of an order, locked, and what is in it by variant. Its owner is the customer, or whoever has a guest's token.
CREATE FUNCTION lock_cart(
  p_store uuid, p_cart uuid, p_customer uuid, p_token bytea,
  OUT refusal text, OUT details json, OUT variants uuid[], OUT quantities int[]
) LANGUAGE plpgsql AS $$
DECLARE
  v_cart carts;
BEGIN
  SELECT * INTO v_cart FROM carts c WHERE c.store_id = p_store AND c.id = p_cart FOR NO KEY UPDATE;
  IF (v_cart.customer_id = p_customer OR (v_cart.customer_id IS NULL AND v_cart.token_hash = p_token)) IS NOT TRUE THEN
    refusal := 'NOT_FOUND';
  ELSIF v_cart.status <> 'OPEN' THEN
    refusal := 'CART_CLOSED';
    details := (
      SELECT json_agg(json_build_object('code', 'CART_CLOSED', 'orderId', o.id))
        FROM orders o
       WHERE o.store_id = p_store AND o.cart_id = p_cart
    );
  ELSE
    SELECT array_agg(l.variant_id ORDER BY l.added_at, l.variant_id), array_agg(l.quantity ORDER BY l.added_at, l.variant_id)
      INTO variants, quantities
      FROM cart_lines l
     WHERE l.store_id = p_store AND l.cart_id = p_cart;
    IF variants IS NULL THEN
      refusal := 'CART_EMPTY';
    END IF;
  END IF;
END $$;

-- Whose an order's idempotency key and guesses of coupons are. A guest is known by his token, not by his cart's id: an answer
-- is given again before the cart is looked at.
CREATE FUNCTION order_principal(p_customer uuid, p_cart_token bytea) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(p_customer::text, 'guest ' || encode(p_cart_token, 'hex'))
$$;

DROP FUNCTION place_order(uuid, uuid, uuid, text, uuid[], int[], json, text, text, text, text, text);
-- Prices, stock, slot, coupon, order, lines, payment, ledger, history, outbox and idempotency row.
-- Ordered by a customer, or by a guest (p_customer NULL) with an e-mail and his cart's token; from lines, or from a cart.
-- p_expected_total: what a quote has told; another total now is QUOTE_CHANGED. p_provider: who charges cards; NULL: nobody.
-- p_client: the address that the order came from; NULL: not known.
-- outcome: PLACED, REPLAY, REUSED, RUNNING, or the code of the refusal, whose details are in response.
-- A refusal changes nothing but its own idempotency row; NOT_FOUND, of a cart, not even that.
-- Locks: cart, slot, what counts the coupon, stock rows by variant id, then the customer's wallet.
-- Everything is looked up by key, so no statement is to be planned for what it is asked with this time, nor to read a table
-- because it is small today: that was a quarter of the work, and the more the larger the catalog, up to thousands of products.
CREATE FUNCTION place_order(
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
