-- DESIGN 5.3: an order is one statement, one round trip, one commit.

CREATE SEQUENCE order_number_seq;

-- Eight Crockford base32 characters (no I, L, O, U), in two groups for reading out. Multiplying by an odd constant
-- modulo 2^40 is a bijection: no two orders share a number, and the next one can't be guessed from the last by counting.
CREATE FUNCTION order_number(n bigint) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
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

-- What an order wants of each variant, lines of the same variant added up.
CREATE FUNCTION wanted_stock(p_variants uuid[], p_quantities int[]) RETURNS TABLE (variant_id uuid, quantity int)
LANGUAGE sql IMMUTABLE AS $$
  SELECT w.id, sum(w.quantity)::int FROM unnest(p_variants, p_quantities) AS w (id, quantity) GROUP BY w.id
$$;

-- Locks the stock of the lines in the order of variant ids, so that two orders with the same lines never deadlock.
-- Returns the lines there is too little for, a variant without a stock row included; NULL when there is enough of all.
-- PL/pgSQL, as all that is called on the order path: it keeps its plans, where a SQL function is planned at each call.
CREATE FUNCTION lock_stock(p_store uuid, p_variants uuid[], p_quantities int[]) RETURNS json
LANGUAGE plpgsql AS $$
BEGIN
  RETURN (SELECT json_agg(json_build_object(
           'code', 'INSUFFICIENT_STOCK', 'variantId', wanted.variant_id, 'requested', wanted.quantity,
           'available', coalesce(stock.available, 0)
         ) ORDER BY array_position(p_variants, wanted.variant_id))
    FROM wanted_stock(p_variants, p_quantities) wanted
    LEFT JOIN (
      SELECT s.variant_id, s.on_hand - s.reserved AS available
        FROM stock_levels s
       WHERE s.store_id = p_store AND s.variant_id = ANY (p_variants)
       ORDER BY s.variant_id
         FOR NO KEY UPDATE
    ) stock USING (variant_id)
   WHERE coalesce(stock.available, 0) < wanted.quantity);
END $$;

-- An order with lines that are not on sale is refused for them; it names the others that there is too little of as well.
CREATE FUNCTION unservable_lines(p_store uuid, p_variants uuid[], p_quantities int[], p_unavailable json) RETURNS json
LANGUAGE plpgsql AS $$
BEGIN
  RETURN (
    SELECT (p_unavailable::jsonb || coalesce(lock_stock(p_store, array_agg(w.id), array_agg(w.quantity))::jsonb, '[]'))::json
      FROM unnest(p_variants, p_quantities) AS w (id, quantity)
     WHERE w.id NOT IN (SELECT (u ->> 'variantId')::uuid FROM json_array_elements(p_unavailable) u)
  );
END $$;

-- The sale of an order that its customer pays from his wallet, which the caller has locked and found sufficient. Cash at the
-- door is posted by PaymentsService.collectCash.
CREATE FUNCTION post_sale(o orders, p_from uuid) RETURNS uuid LANGUAGE plpgsql AS $$
BEGIN
  RETURN ledger_post(
    o.store_id, 'SALE', o.id::text, o.customer_id, NULL, o.currency,
    ARRAY[
      p_from,
      wallet_of(o.store_id, 'SALES', o.store_id, o.currency),
      wallet_of(o.store_id, 'DELIVERY_FEES', o.store_id, o.currency),
      wallet_of(o.store_id, 'TAXES', o.store_id, o.currency)
    ],
    ARRAY[-o.total, o.subtotal - o.discount, o.delivery_fee, o.tax]
  );
END $$;

-- Price look-up, stock, order, lines, payment, ledger, history, outbox and idempotency row.
-- outcome: PLACED, REPLAY, REUSED, RUNNING, or the code of the refusal, whose details are in response.
-- A refusal changes nothing but its own idempotency row. Locks: stock rows by variant id, then the customer's wallet.
CREATE FUNCTION place_order(
  p_store uuid, p_order uuid, p_customer uuid, p_method text, p_variants uuid[], p_quantities int[],
  p_address json, p_delivery_code text, p_note text,
  p_route text, p_key text, p_fingerprint text,
  OUT outcome text, OUT status_code int, OUT response json
) LANGUAGE plpgsql AS $$
DECLARE
  v_store stores;
  v_order orders;
  v_wallet wallets;
  v_begun record;
  v_details json;
  v_line record;
  v_total numeric;
BEGIN
  SELECT * INTO v_begun FROM idempotency_begin(p_store, p_customer::text, p_route, p_key, p_fingerprint);
  IF v_begun.outcome <> 'NEW' THEN
    outcome := v_begun.outcome;
    status_code := v_begun.status_code;
    response := v_begun.response;
    RETURN;
  END IF;

  SELECT * INTO STRICT v_store FROM stores s WHERE s.id = p_store;
  -- Read once: the lines are written from these arrays, so a price that changes meanwhile can't part them from the total.
  -- OFFSET 0 keeps each look-up on its primary key. Joined freely, a catalog without statistics (loaded a moment ago) was
  -- taken for one row: 593 lines among 3,000 variants took 950 ms, and 16 such orders at once timed out. So: 3 ms.
  SELECT array_agg(v.price ORDER BY w.line_no) AS prices,
         array_agg(v.sku ORDER BY w.line_no) AS skus,
         array_agg(concat_ws(' ', p.name, nullif(v.name, '')) ORDER BY w.line_no) AS names,
         coalesce(sum(v.price::numeric * w.quantity), 0) AS subtotal,
         json_agg(DISTINCT jsonb_build_object('code', 'PRODUCT_UNAVAILABLE', 'variantId', w.id))
           FILTER (WHERE (v.archived_at IS NULL AND p.published AND p.archived_at IS NULL) IS NOT TRUE)
           AS unavailable
    INTO v_line
    FROM unnest(p_variants, p_quantities) WITH ORDINALITY AS w (id, quantity, line_no)
    LEFT JOIN LATERAL (SELECT * FROM variants WHERE store_id = p_store AND id = w.id OFFSET 0) v ON true
    LEFT JOIN LATERAL (SELECT * FROM products WHERE store_id = p_store AND id = v.product_id OFFSET 0) p ON true;
  v_total := v_line.subtotal + v_store.delivery_fee;

  outcome := 'PLACED';
  status_code := 409;
  IF p_method NOT IN ('COD', 'WALLET') THEN
    outcome := 'PAYMENT_METHOD_NOT_SUPPORTED';
    status_code := 422;
  ELSIF NOT (p_address ->> 'zip') = ANY (v_store.service_zip_codes) THEN
    outcome := 'ZIP_NOT_SERVED';
    status_code := 422;
    v_details := json_build_array(json_build_object('code', outcome, 'zip', p_address ->> 'zip'));
  ELSIF v_line.unavailable IS NOT NULL THEN
    outcome := 'PRODUCT_UNAVAILABLE';
    v_details := unservable_lines(p_store, p_variants, p_quantities, v_line.unavailable);
  ELSIF v_total > 9007199254740991 THEN
    outcome := 'ORDER_TOTAL_TOO_LARGE';
    status_code := 422;
  ELSE
    v_details := lock_stock(p_store, p_variants, p_quantities);
    IF v_details IS NOT NULL THEN
      outcome := 'INSUFFICIENT_STOCK';
    ELSIF p_method = 'WALLET' THEN
      SELECT * INTO v_wallet
        FROM wallets w
       WHERE w.store_id = p_store AND w.kind = 'CUSTOMER' AND w.owner_id = p_customer AND w.currency = v_store.currency
         FOR NO KEY UPDATE;
      IF coalesce(v_wallet.balance, 0) < v_total THEN
        outcome := 'INSUFFICIENT_FUNDS';
        v_details := json_build_array(json_build_object(
          'code', outcome, 'required', money(v_total::bigint, v_store.currency),
          'available', money(coalesce(v_wallet.balance, 0), v_store.currency)
        ));
      END IF;
    END IF;
  END IF;
  IF outcome <> 'PLACED' THEN
    -- The stock stays locked until the commit, which here has nothing to save but the refusal: it need not wait for the disk.
    PERFORM set_config('synchronous_commit', 'off', true);
    response := json_build_object('code', outcome, 'details', coalesce(v_details, '[]'));
    PERFORM idempotency_finish(p_store, p_customer::text, p_route, p_key, p_fingerprint, status_code, response);
    RETURN;
  END IF;

  UPDATE stock_levels s
     SET reserved = s.reserved + wanted.quantity
    FROM wanted_stock(p_variants, p_quantities) wanted
   WHERE s.store_id = p_store AND s.variant_id = wanted.variant_id;
  INSERT INTO orders (
    store_id, id, number, customer_id, status, payment_method, currency, subtotal, delivery_fee, total,
    delivery_address, delivery_zip, delivery_code, note, promised_at
  ) VALUES (
    p_store, p_order, order_number(nextval('order_number_seq')), p_customer, 'CONFIRMED', p_method, v_store.currency,
    v_line.subtotal, v_store.delivery_fee, v_total, p_address, p_address ->> 'zip', p_delivery_code, p_note,
    now() + make_interval(mins => v_store.promise_minutes)
  ) RETURNING * INTO v_order;
  INSERT INTO order_lines (store_id, order_id, line_no, variant_id, sku, name, quantity, unit_price, total)
  SELECT p_store, p_order, w.line_no, w.id, w.sku, w.name, w.quantity, w.price, w.price * w.quantity
    FROM unnest(p_variants, p_quantities, v_line.prices, v_line.skus, v_line.names)
         WITH ORDINALITY AS w (id, quantity, price, sku, name, line_no);
  INSERT INTO payments (store_id, id, order_id, method, status, currency, amount, captured_amount)
  VALUES (
    p_store, uuid_v7(), p_order, p_method,
    CASE p_method WHEN 'WALLET' THEN 'CAPTURED' ELSE 'PENDING' END, v_order.currency, v_order.total,
    CASE p_method WHEN 'WALLET' THEN v_order.total ELSE 0 END
  );
  IF p_method = 'WALLET' AND v_order.total > 0 THEN
    PERFORM post_sale(v_order, v_wallet.id);
  END IF;
  INSERT INTO order_history (store_id, order_id, version, to_status, actor_id, actor_role)
  VALUES (p_store, p_order, 1, 'CONFIRMED', p_customer, 'CUSTOMER');
  INSERT INTO outbox_events (store_id, aggregate_type, aggregate_id, type, payload)
  VALUES (
    p_store, 'order', p_order, 'order.placed',
    json_build_object('orderId', p_order, 'number', v_order.number, 'total', money(v_order.total, v_order.currency))
  );

  status_code := 201;
  response := order_document(v_order, true);
  PERFORM idempotency_finish(p_store, p_customer::text, p_route, p_key, p_fingerprint, status_code, response);
END $$;
