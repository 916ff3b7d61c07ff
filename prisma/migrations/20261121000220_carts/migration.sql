-- Carts: opened, filled, quoted, merged and forgotten, each in one statement. Ordering one is place_order().

ALTER TABLE carts
  ADD COLUMN merged_into_id UUID,
  DROP CONSTRAINT carts_status_check;
ALTER TABLE carts
  ADD CONSTRAINT carts_store_id_merged_into_id_fkey FOREIGN KEY (store_id, merged_into_id) REFERENCES carts (store_id, id)
    ON DELETE RESTRICT ON UPDATE RESTRICT,
  -- One that nobody comes back to is removed: no status is needed for it.
  ADD CONSTRAINT carts_status_check CHECK (status IN ('OPEN', 'ORDERED', 'MERGED')),
  ADD CONSTRAINT carts_merged_check CHECK ((status = 'MERGED') = (merged_into_id IS NOT NULL)),
  DROP CONSTRAINT carts_owner_check,
  ADD CONSTRAINT carts_owner_check CHECK ((customer_id IS NULL) <> (token_hash IS NULL));
CREATE UNIQUE INDEX carts_token_key ON carts (store_id, token_hash) WHERE token_hash IS NOT NULL;
-- A customer has one cart to fill, on all of his devices.
CREATE UNIQUE INDEX carts_open_key ON carts (store_id, customer_id) WHERE status = 'OPEN' AND customer_id IS NOT NULL;
-- For the foreign key, when a cart is removed.
CREATE INDEX idx_carts_merged_into ON carts (store_id, merged_into_id) WHERE merged_into_id IS NOT NULL;
CREATE INDEX idx_carts_idle ON carts (store_id, updated_at) WHERE customer_id IS NULL AND status <> 'ORDERED';

-- Lines as an order of them would be refused: those not on sale, and those there is too little of. Empty when there are none.
-- Nothing is locked: it may be another answer in a moment.
CREATE FUNCTION cart_problems(p_store uuid, p_variants uuid[], p_quantities int[]) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (
    SELECT coalesce(jsonb_agg(
             CASE
               WHEN l.on_sale THEN jsonb_build_object(
                 'code', 'INSUFFICIENT_STOCK', 'variantId', l.id, 'requested', l.quantity, 'available', l.available
               )
               ELSE jsonb_build_object('code', 'PRODUCT_UNAVAILABLE', 'variantId', l.id)
             END ORDER BY l.line_no
           ), '[]')
      FROM (
        SELECT w.id, w.quantity, w.line_no, coalesce(s.on_hand - s.reserved, 0) AS available,
               (v.archived_at IS NULL AND p.published AND p.archived_at IS NULL) IS TRUE AS on_sale
          FROM unnest(p_variants, p_quantities) WITH ORDINALITY AS w (id, quantity, line_no)
          LEFT JOIN LATERAL (SELECT * FROM variants WHERE store_id = p_store AND id = w.id OFFSET 0) v ON true
          LEFT JOIN LATERAL (SELECT * FROM products WHERE store_id = p_store AND id = v.product_id OFFSET 0) p ON true
          LEFT JOIN LATERAL (SELECT * FROM stock_levels WHERE store_id = p_store AND variant_id = w.id OFFSET 0) s ON true
      ) l
     WHERE NOT l.on_sale OR l.available < l.quantity
  );
END $$;

-- A cart as its owner sees it: at the prices of this moment, and what would keep it from being ordered.
CREATE FUNCTION cart_document(c carts) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_currency text;
  v_lines json;
  v_subtotal numeric;
  v_problems jsonb;
BEGIN
  SELECT s.currency INTO v_currency FROM stores s WHERE s.id = c.store_id;
  SELECT coalesce(json_agg(json_build_object(
           'variantId', l.variant_id, 'productId', v.product_id, 'sku', v.sku,
           'name', concat_ws(' ', p.name, nullif(v.name, '')), 'quantity', l.quantity,
           'unitPrice', json_build_object('amount', v.price, 'currency', v_currency),
           'total', json_build_object('amount', v.price * l.quantity, 'currency', v_currency),
           'available', s.on_hand - s.reserved
         ) ORDER BY l.added_at, l.variant_id), '[]'),
         coalesce(sum(v.price::numeric * l.quantity), 0),
         cart_problems(
           c.store_id, array_agg(l.variant_id ORDER BY l.added_at, l.variant_id),
           array_agg(l.quantity ORDER BY l.added_at, l.variant_id)
         )
    INTO v_lines, v_subtotal, v_problems
    FROM cart_lines l
   CROSS JOIN LATERAL (SELECT * FROM variants WHERE store_id = l.store_id AND id = l.variant_id OFFSET 0) v
   CROSS JOIN LATERAL (SELECT * FROM products WHERE store_id = l.store_id AND id = v.product_id OFFSET 0) p
   CROSS JOIN LATERAL (SELECT * FROM stock_levels WHERE store_id = l.store_id AND variant_id = l.variant_id OFFSET 0) s
   WHERE l.store_id = c.store_id AND l.cart_id = c.id;
  IF v_subtotal > 9007199254740991 THEN
    v_problems := v_problems || jsonb_build_object('code', 'ORDER_TOTAL_TOO_LARGE');
  END IF;
  RETURN json_build_object(
    'id', c.id, 'customerId', c.customer_id, 'status', c.status,
    'orderId', (SELECT o.id FROM orders o WHERE o.store_id = c.store_id AND o.cart_id = c.id),
    'mergedIntoId', c.merged_into_id, 'lines', v_lines,
    'subtotal', CASE WHEN v_subtotal <= 9007199254740991 THEN money(v_subtotal::bigint, v_currency) END,
    'problems', CASE c.status WHEN 'OPEN' THEN v_problems ELSE '[]' END,
    'createdAt', iso_time(c.created_at), 'updatedAt', iso_time(c.updated_at)
  );
END $$;

-- The one cart that a customer fills, its row locked: the open one, or a new one with this id.
CREATE FUNCTION open_cart(p_store uuid, p_customer uuid, p_cart uuid, OUT cart carts, OUT opened boolean)
LANGUAGE plpgsql AS $$
BEGIN
  -- What another request opens or orders meanwhile is seen at the next turn. One turn more is enough for each such request.
  FOR turn IN 1..10 LOOP
    SELECT c.* INTO cart
      FROM carts c
     WHERE c.store_id = p_store AND c.customer_id = p_customer AND c.status = 'OPEN'
       FOR NO KEY UPDATE;
    opened := NOT FOUND;
    IF opened THEN
      INSERT INTO carts AS c (store_id, id, customer_id)
      VALUES (p_store, p_cart, p_customer)
      ON CONFLICT (store_id, customer_id) WHERE status = 'OPEN' AND customer_id IS NOT NULL DO NOTHING
      RETURNING c.* INTO cart;
    END IF;
    IF FOUND THEN
      RETURN;
    END IF;
  END LOOP;
  RAISE EXCEPTION 'the carts of customer % change too fast', p_customer USING ERRCODE = 'lock_not_available';
END $$;

-- Sets how much of a variant is in a cart; 0 takes it out. The same again changes nothing.
-- outcome: CHANGED with the cart, or NOT_FOUND, CART_CLOSED, CART_FULL, PRODUCT_UNAVAILABLE with details.
CREATE FUNCTION change_cart_line(
  p_store uuid, p_cart uuid, p_customer uuid, p_token bytea, p_variant uuid, p_quantity int,
  OUT outcome text, OUT response json
) LANGUAGE plpgsql AS $$
DECLARE
  most_lines CONSTANT int := 1000;
  v_cart record;
  v_on_sale boolean;
BEGIN
  SELECT * INTO v_cart FROM lock_cart(p_store, p_cart, p_customer, p_token);
  IF v_cart.refusal IN ('NOT_FOUND', 'CART_CLOSED') THEN
    outcome := v_cart.refusal;
    response := v_cart.details;
    RETURN;
  END IF;
  SELECT v.archived_at IS NULL AND p.published AND p.archived_at IS NULL
    INTO v_on_sale
    FROM variants v
    JOIN products p ON p.store_id = v.store_id AND p.id = v.product_id
   WHERE v.store_id = p_store AND v.id = p_variant;
  outcome := CASE
    WHEN v_on_sale IS NULL THEN 'NOT_FOUND'
    WHEN p_quantity = 0 THEN 'CHANGED'
    WHEN NOT v_on_sale THEN 'PRODUCT_UNAVAILABLE'
    WHEN cardinality(v_cart.variants) >= most_lines AND NOT p_variant = ANY (v_cart.variants) THEN 'CART_FULL'
    ELSE 'CHANGED'
  END;
  IF outcome <> 'CHANGED' THEN
    IF outcome = 'PRODUCT_UNAVAILABLE' THEN
      response := json_build_array(json_build_object('code', outcome, 'variantId', p_variant));
    END IF;
    RETURN;
  END IF;

  IF p_quantity = 0 THEN
    DELETE FROM cart_lines l WHERE l.store_id = p_store AND l.cart_id = p_cart AND l.variant_id = p_variant;
  ELSE
    INSERT INTO cart_lines AS l (store_id, cart_id, variant_id, quantity)
    VALUES (p_store, p_cart, p_variant, p_quantity)
    ON CONFLICT (store_id, cart_id, variant_id) DO UPDATE
      SET quantity = excluded.quantity WHERE l.quantity <> excluded.quantity;
  END IF;
  IF FOUND THEN
    UPDATE carts c SET updated_at = now() WHERE c.store_id = p_store AND c.id = p_cart;
  END IF;
  response := (SELECT cart_document(c) FROM carts c WHERE c.store_id = p_store AND c.id = p_cart);
END $$;

-- What a guest has put into his cart goes into the customer's open one, which is opened with the id p_new where there is none.
-- Of what is in both the larger quantity stays. Doing it again for the same customer changes nothing.
-- outcome: MERGED with the customer's cart, or NOT_FOUND, CART_CLOSED, CART_FULL with details.
-- Locks: the guest's cart, then the customer's. None is both, so two merges never wait for each other in a circle.
CREATE FUNCTION merge_cart(
  p_store uuid, p_customer uuid, p_token bytea, p_new uuid, OUT outcome text, OUT response json
) LANGUAGE plpgsql AS $$
DECLARE
  most_lines CONSTANT int := 1000;
  v_guest uuid := (SELECT c.id FROM carts c WHERE c.store_id = p_store AND c.token_hash = p_token);
  v_cart record;
  v_own carts;
  v_is_merged boolean;
BEGIN
  SELECT * INTO v_cart FROM lock_cart(p_store, v_guest, NULL, p_token);
  IF v_cart.refusal = 'CART_CLOSED' THEN
    v_is_merged := EXISTS (
      SELECT 1
        FROM carts g
        JOIN carts c ON c.store_id = g.store_id AND c.id = g.merged_into_id
       WHERE g.store_id = p_store AND g.id = v_guest AND c.customer_id = p_customer
    );
  END IF;
  IF v_cart.refusal = 'NOT_FOUND' OR v_is_merged = false THEN
    outcome := v_cart.refusal;
    response := v_cart.details;
    RETURN;
  END IF;

  v_own := (SELECT o.cart FROM open_cart(p_store, p_customer, p_new) o);
  IF v_is_merged IS NULL THEN
    IF (
      SELECT count(*) > most_lines
        FROM (
          SELECT l.variant_id FROM cart_lines l WHERE l.store_id = p_store AND l.cart_id = v_own.id
          UNION
          SELECT unnest(v_cart.variants)
        ) both_carts
    ) THEN
      outcome := 'CART_FULL';
      RETURN;
    END IF;
    INSERT INTO cart_lines AS l (store_id, cart_id, variant_id, quantity, added_at)
    SELECT p_store, v_own.id, g.variant_id, g.quantity, g.added_at
      FROM cart_lines g
     WHERE g.store_id = p_store AND g.cart_id = v_guest
    ON CONFLICT (store_id, cart_id, variant_id) DO UPDATE
      SET quantity = excluded.quantity WHERE l.quantity < excluded.quantity;
    UPDATE carts c
       SET status = 'MERGED', merged_into_id = v_own.id, updated_at = now()
     WHERE c.store_id = p_store AND c.id = v_guest;
    UPDATE carts c SET updated_at = now() WHERE c.store_id = p_store AND c.id = v_own.id RETURNING c.* INTO v_own;
  END IF;
  outcome := 'MERGED';
  response := cart_document(v_own);
END $$;

-- Why an order could not have a place in this slot now; NULL when it could. The rules of book_slot(), without a lock.
-- Without a zip code the zone is not looked at.
CREATE FUNCTION quote_slot(p_slot delivery_slots, p_zip text) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN CASE
    WHEN p_slot.id IS NULL OR NOT EXISTS (
      SELECT 1
        FROM delivery_zones z
       WHERE z.store_id = p_slot.store_id AND z.id = p_slot.zone_id AND (p_zip IS NULL OR p_zip = ANY (z.zip_codes))
    ) THEN 'SLOT_INVALID'
    WHEN p_slot.closed_at IS NOT NULL OR p_slot.cutoff_at <= now() THEN 'SLOT_CLOSED'
    WHEN p_slot.booked >= p_slot.capacity THEN 'SLOT_FULL'
  END;
END $$;

-- Why a coupon could not be used once more now; NULL when it could. The rules of use_coupon(), without a lock.
CREATE FUNCTION quote_coupon(p_coupon coupons, p_used_by text) RETURNS text LANGUAGE plpgsql STABLE AS $$
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

-- What ordering a cart would cost now, by the same price_order() that place_order() charges by, and every reason for which it
-- would be refused (problems). Lines that are not on sale and a coupon that can't be used are left out of the amounts.
-- Books and reserves nothing; a code that is none counts as a guess, as it does for an order.
-- outcome: QUOTED, or NOT_FOUND, CART_CLOSED, CART_EMPTY, COUPON_ATTEMPTS_EXCEEDED with details.
CREATE FUNCTION quote_cart(
  p_store uuid, p_cart uuid, p_customer uuid, p_guest_email text, p_token bytea, p_method text, p_provider text,
  p_zip text, p_slot uuid, p_coupon_code text, p_client text,
  OUT outcome text, OUT response json
) LANGUAGE plpgsql AS $$
DECLARE
  v_store stores;
  v_coupon coupons;
  v_slot delivery_slots;
  v_cart record;
  v_found record;
  v_priced record;
  v_problems jsonb := '[]';
  v_refusal text;
  v_balance bigint;
BEGIN
  -- Nothing but the guesses is written, and a guess need not wait for the disk.
  PERFORM set_config('synchronous_commit', 'off', true);
  SELECT * INTO v_cart FROM lock_cart(p_store, p_cart, p_customer, p_token);
  IF v_cart.refusal IS NOT NULL THEN
    outcome := v_cart.refusal;
    response := v_cart.details;
    RETURN;
  END IF;
  SELECT * INTO STRICT v_store FROM stores s WHERE s.id = p_store;
  IF p_coupon_code IS NOT NULL THEN
    SELECT * INTO v_found FROM find_coupon(p_store, p_coupon_code, order_principal(p_customer, p_token), p_client);
    v_coupon := v_found.coupon;
    v_refusal := coalesce(v_found.refusal, quote_coupon(v_coupon, coalesce(p_customer::text, lower(p_guest_email))));
    IF v_refusal = 'COUPON_ATTEMPTS_EXCEEDED' THEN
      outcome := v_refusal;
      RETURN;
    ELSIF v_refusal IS NOT NULL THEN
      v_problems := v_problems || jsonb_build_object('code', v_refusal);
      v_coupon := NULL;
    END IF;
  END IF;

  v_problems := v_problems || cart_problems(p_store, v_cart.variants, v_cart.quantities);
  SELECT * INTO v_priced FROM price_order(v_store, v_cart.variants, v_cart.quantities, v_coupon);
  IF v_priced.unavailable IS NOT NULL THEN
    SELECT array_agg(w.id ORDER BY w.line_no) AS variants, array_agg(w.quantity ORDER BY w.line_no) AS quantities
      INTO v_cart
      FROM unnest(v_cart.variants, v_cart.quantities) WITH ORDINALITY AS w (id, quantity, line_no)
     WHERE NOT EXISTS (
       SELECT 1 FROM json_array_elements(v_priced.unavailable) u WHERE (u ->> 'variantId')::uuid = w.id
     );
    SELECT * INTO v_priced FROM price_order(v_store, v_cart.variants, v_cart.quantities, v_coupon);
  END IF;
  IF v_priced.subtotal < v_coupon.minimum THEN
    v_problems := v_problems || jsonb_build_object(
      'code', 'COUPON_MINIMUM_NOT_MET', 'minimum', money(v_coupon.minimum, v_store.currency)
    );
    v_coupon := NULL;
    SELECT * INTO v_priced FROM price_order(v_store, v_cart.variants, v_cart.quantities, v_coupon);
  END IF;
  IF v_priced.total > 9007199254740991 THEN
    v_problems := v_problems || jsonb_build_object('code', 'ORDER_TOTAL_TOO_LARGE');
  END IF;

  IF p_method = 'CARD' AND p_provider IS NULL OR p_method = 'WALLET' AND p_customer IS NULL THEN
    v_problems := v_problems || jsonb_build_object('code', 'PAYMENT_METHOD_NOT_SUPPORTED');
  ELSIF p_method = 'WALLET' THEN
    SELECT w.balance INTO v_balance
      FROM wallets w
     WHERE w.store_id = p_store AND w.kind = 'CUSTOMER' AND w.owner_id = p_customer AND w.currency = v_store.currency;
    IF coalesce(v_balance, 0) < v_priced.total AND v_priced.total <= 9007199254740991 THEN
      v_problems := v_problems || jsonb_build_object(
        'code', 'INSUFFICIENT_FUNDS', 'required', money(v_priced.total::bigint, v_store.currency),
        'available', money(coalesce(v_balance, 0), v_store.currency)
      );
    END IF;
  END IF;
  IF p_zip IS NOT NULL AND NOT p_zip = ANY (v_store.service_zip_codes) THEN
    v_problems := v_problems || jsonb_build_object('code', 'ZIP_NOT_SERVED', 'zip', p_zip);
  END IF;
  IF p_slot IS NOT NULL THEN
    SELECT * INTO v_slot FROM delivery_slots s WHERE s.store_id = p_store AND s.id = p_slot;
    v_refusal := quote_slot(v_slot, p_zip);
    IF v_refusal IS NOT NULL THEN
      v_problems := v_problems || jsonb_build_object('code', v_refusal);
      v_slot := NULL;
    END IF;
  END IF;
  outcome := 'QUOTED';
  response := (
    SELECT json_build_object(
             'cartId', p_cart,
             'lines', coalesce(json_agg(json_build_object(
               'variantId', w.id, 'sku', w.sku, 'name', w.name, 'quantity', w.quantity,
               'unitPrice', money(w.price, v_store.currency), 'total', money(w.total, v_store.currency),
               'discount', money(coalesce(w.discount, 0), v_store.currency),
               'tax', money(coalesce(w.tax, 0), v_store.currency), 'taxRatePpm', w.rate
             ) ORDER BY w.line_no) FILTER (WHERE w.id IS NOT NULL), '[]'),
             'couponCode', v_coupon.code,
             'slot', CASE WHEN v_slot.id IS NOT NULL THEN json_build_object(
               'id', v_slot.id, 'startsAt', iso_time(v_slot.starts_at), 'endsAt', iso_time(v_slot.ends_at)
             ) END,
             'problems', v_problems,
             'amounts', CASE WHEN v_cart.variants IS NOT NULL AND v_priced.total <= 9007199254740991 THEN json_build_object(
               'subtotal', money(v_priced.subtotal::bigint, v_store.currency),
               'discount', money(v_priced.discount, v_store.currency),
               'deliveryFee', money(v_store.delivery_fee, v_store.currency),
               'tax', money(v_priced.tax, v_store.currency), 'taxInclusive', v_store.tax_inclusive,
               'total', money(v_priced.total::bigint, v_store.currency)
             ) END
           )
      FROM unnest(
             v_cart.variants, v_cart.quantities, v_priced.prices, v_priced.totals, v_priced.skus, v_priced.names,
             v_priced.discounts, v_priced.taxes, v_priced.rates
           ) WITH ORDINALITY AS w (id, quantity, price, total, sku, name, discount, tax, rate, line_no)
  );
END $$;

-- Removes guests' carts that nobody has touched since then and that were never ordered. Returns how many; at most p_limit,
-- and none that somebody is busy with.
CREATE FUNCTION remove_idle_carts(p_store uuid, p_before timestamptz, p_limit int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  v_carts uuid[] := ARRAY(
    SELECT c.id
      FROM carts c
     WHERE c.store_id = p_store AND c.customer_id IS NULL AND c.status <> 'ORDERED' AND c.updated_at < p_before
     ORDER BY c.updated_at
     LIMIT p_limit
       FOR UPDATE SKIP LOCKED
  );
BEGIN
  DELETE FROM cart_lines l WHERE l.store_id = p_store AND l.cart_id = ANY (v_carts);
  DELETE FROM carts c WHERE c.store_id = p_store AND c.id = ANY (v_carts);
  RETURN cardinality(v_carts);
END $$;
