-- Placing an order in fewer steps: what it has just written it need not read again, and what counts a coupon is one narrow table.

-- How a line, a payment and a slot look to an API client, wherever the row comes from.
CREATE FUNCTION line_document(l order_lines, p_currency text) RETURNS json LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT json_build_object(
    'variantId', l.variant_id, 'sku', l.sku, 'name', l.name, 'quantity', l.quantity,
    'unitPrice', money(l.unit_price, p_currency), 'total', money(l.total, p_currency),
    'discount', money(l.discount, p_currency), 'tax', money(l.tax, p_currency), 'taxRatePpm', l.tax_rate_ppm,
    'refundedQuantity', l.refunded_quantity
  )
$$;

CREATE FUNCTION payment_document(p payments) RETURNS json LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT json_build_object(
    'id', p.id, 'method', p.method, 'status', p.status, 'amount', money(p.amount, p.currency),
    'captured', money(p.captured_amount, p.currency), 'refunded', money(p.refunded_amount, p.currency),
    'failureCode', p.failure_code
  )
$$;

CREATE FUNCTION slot_document(s delivery_slots) RETURNS json LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT json_build_object('id', s.id, 'startsAt', iso_time(s.starts_at), 'endsAt', iso_time(s.ends_at))
$$;

-- An order as its customer and the staff see it, from its row and the documents of what belongs to it.
CREATE FUNCTION order_document_of(
  o orders, with_code boolean, lines json, payment json, slot json, coupon_code text
) RETURNS json LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT json_build_object(
    'id', o.id, 'number', o.number, 'customerId', o.customer_id, 'email', o.guest_email, 'cartId', o.cart_id,
    'status', o.status, 'version', o.version, 'lines', lines,
    'subtotal', money(o.subtotal, o.currency), 'discount', money(o.discount, o.currency),
    'deliveryFee', money(o.delivery_fee, o.currency), 'tax', money(o.tax, o.currency),
    'taxInclusive', o.tax_inclusive, 'total', money(o.total, o.currency), 'payment', payment, 'couponCode', coupon_code,
    'slot', slot, 'deliveryAddress', o.delivery_address,
    'deliveryCode', CASE WHEN with_code THEN o.delivery_code END, 'note', o.note,
    'placedAt', iso_time(o.placed_at), 'promisedAt', iso_time(o.promised_at), 'expiresAt', iso_time(o.expires_at),
    'updatedAt', iso_time(o.updated_at)
  )
$$;

-- The same of an order that was written before.
CREATE OR REPLACE FUNCTION order_document(o orders, with_code boolean) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_lines json;
  v_payment json;
  v_slot json;
  v_coupon_code text;
BEGIN
  SELECT json_agg(line_document(l, o.currency) ORDER BY l.line_no)
    INTO v_lines
    FROM order_lines l
   WHERE l.store_id = o.store_id AND l.order_id = o.id;
  SELECT payment_document(p) INTO v_payment FROM payments p WHERE p.store_id = o.store_id AND p.order_id = o.id;
  IF o.slot_id IS NOT NULL THEN
    SELECT slot_document(s) INTO v_slot FROM delivery_slots s WHERE s.store_id = o.store_id AND s.id = o.slot_id;
  END IF;
  IF o.coupon_id IS NOT NULL THEN
    SELECT c.code INTO v_coupon_code FROM coupons c WHERE c.store_id = o.store_id AND c.id = o.coupon_id;
  END IF;
  RETURN order_document_of(o, with_code, v_lines, v_payment, v_slot, v_coupon_code);
END $$;

-- Eight Crockford base32 characters (no I, L, O, U), in two groups for reading out. Multiplying by an odd constant
-- modulo 2^40 is a bijection: no two orders share a number, and the next one can't be guessed from the last by counting.
CREATE OR REPLACE FUNCTION order_number(n bigint) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  alphabet CONSTANT text := '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
  v CONSTANT bigint := ((n::numeric * 679295857149) % 1099511627776)::bigint;
BEGIN
  RETURN substr(alphabet, (v & 31)::int + 1, 1) || substr(alphabet, ((v >> 5) & 31)::int + 1, 1)
    || substr(alphabet, ((v >> 10) & 31)::int + 1, 1) || substr(alphabet, ((v >> 15) & 31)::int + 1, 1)
    || '-' || substr(alphabet, ((v >> 20) & 31)::int + 1, 1) || substr(alphabet, ((v >> 25) & 31)::int + 1, 1)
    || substr(alphabet, ((v >> 30) & 31)::int + 1, 1) || substr(alphabet, ((v >> 35) & 31)::int + 1, 1);
END $$;

-- Takes a place in a slot: what the slot looks like and when it ends, or why there is no place for this zip code (refusal).
DROP FUNCTION book_slot(uuid, uuid, text);
CREATE FUNCTION book_slot(
  p_store uuid, p_slot uuid, p_zip text, OUT refusal text, OUT ends_at timestamptz, OUT document json
) LANGUAGE plpgsql AS $$
BEGIN
  UPDATE delivery_slots s
     SET booked = s.booked + 1
    FROM delivery_zones z
   WHERE s.store_id = p_store AND s.id = p_slot AND z.store_id = s.store_id AND z.id = s.zone_id
     AND p_zip = ANY (z.zip_codes) AND s.closed_at IS NULL AND s.cutoff_at > now() AND s.booked < s.capacity
  RETURNING s.ends_at, slot_document(s) INTO ends_at, document;
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

-- Reserves the goods of the lines, in the order of variant ids, so that two orders with the same lines never deadlock. Returns
-- the lines there is too little for, and has reserved nothing then; NULL when there was enough of all.
-- One small statement per variant: up to a dozen they cost less than one large one.
CREATE FUNCTION reserve_stock(p_store uuid, p_variants uuid[], p_quantities int[]) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  v_wanted record;
  v_short json;
BEGIN
  FOR v_wanted IN SELECT w.variant_id, w.quantity FROM wanted_stock(p_variants, p_quantities) w ORDER BY w.variant_id LOOP
    UPDATE stock_levels s
       SET reserved = s.reserved + v_wanted.quantity
     WHERE s.store_id = p_store AND s.variant_id = v_wanted.variant_id AND s.on_hand - s.reserved >= v_wanted.quantity;
    CONTINUE WHEN FOUND;
    PERFORM unreserve_stock(p_store, p_variants, p_quantities, v_wanted.variant_id);
    v_short := lock_stock(p_store, p_variants, p_quantities);
    -- There may be enough by now: then it is locked, and ours.
    IF v_short IS NULL THEN
      UPDATE stock_levels s
         SET reserved = s.reserved + wanted.quantity
        FROM wanted_stock(p_variants, p_quantities) wanted
       WHERE s.store_id = p_store AND s.variant_id = wanted.variant_id;
    END IF;
    RETURN v_short;
  END LOOP;
  RETURN NULL;
END $$;

-- Gives back what this transaction has reserved: all, or the variants before one.
CREATE FUNCTION unreserve_stock(p_store uuid, p_variants uuid[], p_quantities int[], p_before uuid DEFAULT NULL) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE stock_levels s
     SET reserved = s.reserved - wanted.quantity
    FROM wanted_stock(p_variants, p_quantities) wanted
   WHERE s.store_id = p_store AND s.variant_id = wanted.variant_id AND (s.variant_id < p_before) IS NOT FALSE;
END $$;

-- Uses are counted beside each other: those of everybody (used_by '') and those of each customer, with what is allowed in each
-- row, so that its CHECK holds both limits. A row of coupons is written by the staff only: its CHECKs, which PostgreSQL reads
-- anew at each UPDATE, were two thirds of what it cost to count a use there.
ALTER TABLE coupon_uses ADD COLUMN allowed int;
UPDATE coupon_uses u
   SET allowed = c.customer_limit
  FROM coupons c
 WHERE c.store_id = u.store_id AND c.id = u.coupon_id;
DELETE FROM coupon_uses WHERE allowed IS NULL;
INSERT INTO coupon_uses (store_id, coupon_id, used_by, used, allowed)
SELECT c.store_id, c.id, '', c.used, c.usage_limit
  FROM coupons c
 WHERE c.usage_limit IS NOT NULL;
ALTER TABLE coupon_uses
  ALTER COLUMN allowed SET NOT NULL,
  DROP CONSTRAINT coupon_uses_used_check,
  ADD CONSTRAINT coupon_uses_used_check CHECK (used BETWEEN 0 AND allowed);
ALTER TABLE coupons DROP COLUMN used;

-- Counts a use of a coupon and tells why it can't be used once more; NULL when it could, and was. A coupon without limits has
-- no row that orders wait for. Locks the coupon (shared), then what counts it: for everybody, then for the customer.
-- Who sets a limit (change_coupon) counts this use or waits for it; when he was quicker, so that this is not the coupon any
-- more that was found, the statement is to be run again, with the coupon as it is now.
CREATE OR REPLACE FUNCTION use_coupon(p_coupon coupons, p_used_by text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1
     FROM coupons c
    WHERE c.store_id = p_coupon.store_id AND c.id = p_coupon.id
      AND c.usage_limit IS NOT DISTINCT FROM p_coupon.usage_limit
      AND c.customer_limit IS NOT DISTINCT FROM p_coupon.customer_limit
      FOR KEY SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the limits of coupon % have just changed', p_coupon.id USING ERRCODE = 'serialization_failure';
  END IF;
  IF p_coupon.usage_limit IS NOT NULL THEN
    INSERT INTO coupon_uses AS u (store_id, coupon_id, used_by, used, allowed)
    VALUES (p_coupon.store_id, p_coupon.id, '', 1, p_coupon.usage_limit)
    ON CONFLICT (store_id, coupon_id, used_by) DO UPDATE SET used = u.used + 1 WHERE u.used < u.allowed;
    IF NOT FOUND THEN
      RETURN 'COUPON_USED_UP';
    END IF;
  END IF;
  IF p_coupon.customer_limit IS NOT NULL THEN
    INSERT INTO coupon_uses AS u (store_id, coupon_id, used_by, used, allowed)
    VALUES (p_coupon.store_id, p_coupon.id, p_used_by, 1, p_coupon.customer_limit)
    ON CONFLICT (store_id, coupon_id, used_by) DO UPDATE SET used = u.used + 1 WHERE u.used < u.allowed;
    IF NOT FOUND THEN
      UPDATE coupon_uses u
         SET used = u.used - 1
       WHERE u.store_id = p_coupon.store_id AND u.coupon_id = p_coupon.id AND u.used_by = ''
         AND p_coupon.usage_limit IS NOT NULL;
      RETURN 'COUPON_USED_BY_CUSTOMER';
    END IF;
  END IF;
  RETURN NULL;
END $$;

-- Takes back what use_coupon() has counted for the coupon, which the caller holds.
CREATE OR REPLACE FUNCTION return_coupon(p_coupon coupons, p_used_by text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF p_coupon.usage_limit IS NOT NULL THEN
    UPDATE coupon_uses u
       SET used = u.used - 1
     WHERE u.store_id = p_coupon.store_id AND u.coupon_id = p_coupon.id AND u.used_by = '';
  END IF;
  IF p_coupon.customer_limit IS NOT NULL THEN
    UPDATE coupon_uses u
       SET used = u.used - 1
     WHERE u.store_id = p_coupon.store_id AND u.coupon_id = p_coupon.id AND u.used_by = p_used_by;
  END IF;
END $$;

-- An order that ends before it ships gives its coupon and its place in a slot back. The caller holds the order's row.
-- Locks the slot, then the coupon (shared) and what counts it. Once per order: its step there is taken once.
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
    SELECT * INTO v_coupon FROM coupons c WHERE c.store_id = p_store AND c.id = v_order.coupon_id FOR KEY SHARE;
    PERFORM return_coupon(v_coupon, v_order.used_by);
  END IF;
END $$;

-- Changes a coupon: only the keys that p_changes has. Limits that are set later count the orders that use the coupon already.
-- Locks the coupon against orders that are just using it: they come before and are counted, or after and see the new limits.
-- Raises check_violation (23514), coupon_uses_used_check, when more orders use it than a new limit allows, of all or of one
-- customer. NULL when there is no such coupon.
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
         customer_limit = v_new.customer_limit
   WHERE c.store_id = p_store AND c.id = p_coupon;
  IF (v_new.usage_limit, v_new.customer_limit) IS DISTINCT FROM (v_old.usage_limit, v_old.customer_limit) THEN
    DELETE FROM coupon_uses u WHERE u.store_id = p_store AND u.coupon_id = p_coupon;
    INSERT INTO coupon_uses (store_id, coupon_id, used_by, used, allowed)
    SELECT p_store, p_coupon, counted.used_by, counted.orders, counted.allowed
      FROM (
        SELECT coalesce(u.used_by, '') AS used_by, count(*) AS orders,
               CASE grouping(u.used_by) WHEN 1 THEN v_new.usage_limit ELSE v_new.customer_limit END AS allowed
          FROM (
            SELECT coalesce(o.customer_id::text, o.guest_email) AS used_by
              FROM orders o
             WHERE o.store_id = p_store AND o.coupon_id = p_coupon AND o.status NOT IN ('CANCELLED', 'EXPIRED')
          ) u
         GROUP BY GROUPING SETS ((u.used_by), ())
      ) counted
     WHERE counted.allowed IS NOT NULL;
  END IF;
  RETURN v_new;
END $$;

-- Why a coupon could not be used once more now; NULL when it could. The rules of use_coupon(), without a lock.
CREATE OR REPLACE FUNCTION quote_coupon(p_coupon coupons, p_used_by text) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (
    SELECT CASE min(u.used_by) WHEN '' THEN 'COUPON_USED_UP' ELSE 'COUPON_USED_BY_CUSTOMER' END
      FROM coupon_uses u
     WHERE u.store_id = p_coupon.store_id AND u.coupon_id = p_coupon.id AND u.used_by IN ('', p_used_by)
       AND u.used >= u.allowed
    HAVING count(*) > 0
  );
END $$;

-- A CHECK is read from its text, simplified and prepared anew by each statement that writes a row: a seventh of what placing an
-- order cost. One that calls a function of the row has next to nothing to read, and the function is prepared once for a
-- connection. So the tables that every order writes to have their rules in one function each. A rule that is NULL is kept.
CREATE FUNCTION order_rules(o orders) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  -- Fees, taxes, discounts and the goods are not negative, nor is the total: it follows.
  RETURN o.total = o.subtotal - o.discount + o.delivery_fee + CASE WHEN o.tax_inclusive THEN 0 ELSE o.tax END
    AND least(o.delivery_discount, o.delivery_tax) >= 0 AND o.delivery_discount <= least(o.delivery_fee, o.discount)
    AND o.delivery_tax <= o.tax AND o.discount - o.delivery_discount <= o.subtotal AND o.total <= 9007199254740991
    AND o.status = ANY ('{PENDING,CONFIRMED,PREPARING,SHIPPING,DELIVERED,CANCELLED,RETURNED,EXPIRED}'::text[])
    AND o.payment_method = ANY ('{COD,WALLET,CARD}'::text[])
    AND (o.status <> 'PENDING' OR o.expires_at IS NOT NULL)
    AND (o.customer_id IS NULL) <> (o.guest_email IS NULL)
    AND o.delivery_code ~ '^[0-9]{6}$';
END $$;
ALTER TABLE orders
  DROP CONSTRAINT orders_status_check, DROP CONSTRAINT orders_payment_method_check, DROP CONSTRAINT orders_total_check,
  DROP CONSTRAINT orders_amounts_check, DROP CONSTRAINT orders_delivery_code_check, DROP CONSTRAINT orders_customer_check,
  DROP CONSTRAINT orders_waiting_check,
  ADD CONSTRAINT orders_rules_check CHECK (order_rules(orders));

CREATE FUNCTION order_line_rules(l order_lines) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN l.quantity > 0 AND l.unit_price >= 0 AND l.total = l.unit_price * l.quantity
    AND least(l.discount, l.tax, l.tax_rate_ppm) >= 0 AND l.discount <= l.total
    AND l.refunded_quantity BETWEEN 0 AND l.quantity;
END $$;
ALTER TABLE order_lines
  DROP CONSTRAINT order_lines_quantity_check, DROP CONSTRAINT order_lines_total_check, DROP CONSTRAINT order_lines_parts_check,
  DROP CONSTRAINT order_lines_refunded_check,
  ADD CONSTRAINT order_lines_rules_check CHECK (order_line_rules(order_lines));

CREATE FUNCTION payment_rules(p payments) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN least(p.authorized_amount, p.refunded_amount, p.refunding_amount) >= 0
    AND greatest(p.authorized_amount, p.captured_amount) <= p.amount
    AND p.refunded_amount + p.refunding_amount <= p.captured_amount
    AND p.status = ANY ('{PENDING,AUTHORIZED,CAPTURED,PARTIALLY_REFUNDED,REFUNDED,VOIDED,FAILED,EXPIRED}'::text[])
    AND p.method = ANY ('{COD,WALLET,CARD}'::text[])
    AND (p.method = 'CARD') = (p.provider IS NOT NULL);
END $$;
ALTER TABLE payments
  DROP CONSTRAINT payments_status_check, DROP CONSTRAINT payments_amounts_check, DROP CONSTRAINT payments_method_check,
  DROP CONSTRAINT payments_provider_check,
  ADD CONSTRAINT payments_rules_check CHECK (payment_rules(payments));

-- What is reserved is not negative and lies on the shelf: so that isn't negative either.
ALTER TABLE stock_levels
  DROP CONSTRAINT stock_levels_on_hand_check, DROP CONSTRAINT stock_levels_reserved_check,
  DROP CONSTRAINT stock_levels_oversold_check,
  ADD CONSTRAINT stock_levels_oversold_check CHECK (reserved BETWEEN 0 AND on_hand);

-- Prices, stock, slot, coupon, order, lines, payment, ledger, history, outbox and idempotency row.
-- Ordered by a customer, or by a guest (p_customer NULL) with an e-mail and his cart's token; from lines, or from a cart.
-- p_expected_total: what a quote has told; another total now is QUOTE_CHANGED. p_provider: who charges cards; NULL: nobody.
-- p_client: the address that the order came from; NULL: not known.
-- outcome: PLACED, REPLAY, REUSED, RUNNING, or the code of the refusal, whose details are in response.
-- A refusal changes nothing but its own idempotency row; NOT_FOUND, of a cart, not even that. The place in the slot, the use of
-- the coupon and the goods are taken first, and given back by a refusal that comes after them.
-- Locks: cart, slot, coupon (shared) and what counts it, stock rows by variant id, then the customer's wallet.
-- Everything is looked up by key, so no statement is to be planned for what it is asked with this time, nor to read a table
-- because it is small today: that was a quarter of the work, and the more the larger the catalog, up to thousands of products.
CREATE OR REPLACE FUNCTION place_order(
  p_store uuid, p_order uuid, p_customer uuid, p_guest_email text, p_cart uuid, p_cart_token bytea,
  p_method text, p_provider text, p_variants uuid[], p_quantities int[],
  p_address json, p_slot uuid, p_coupon_code text, p_expected_total bigint, p_delivery_code text, p_note text,
  p_route text, p_key text, p_fingerprint text, p_client text DEFAULT NULL,
  OUT outcome text, OUT status_code int, OUT response json
) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off AS $$
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
  v_booked record;
  v_details json;
  v_used_coupon boolean := false;
  v_reserved boolean := false;
  v_paid boolean;
  v_slot json;
  v_promised_at timestamptz;
  v_lines json;
  v_payment json;
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
    v_booked := book_slot(p_store, p_slot, p_address ->> 'zip');
    outcome := coalesce(v_booked.refusal, outcome);
    v_slot := v_booked.document;
    v_promised_at := v_booked.ends_at;
    status_code := CASE outcome WHEN 'SLOT_INVALID' THEN 422 ELSE 409 END;
  END IF;
  IF outcome = 'PLACED' AND v_coupon.id IS NOT NULL THEN
    outcome := coalesce(use_coupon(v_coupon, v_customer), outcome);
    v_used_coupon := outcome = 'PLACED';
  END IF;
  IF outcome = 'PLACED' THEN
    v_details := reserve_stock(p_store, p_variants, p_quantities);
    v_reserved := v_details IS NULL;
    IF NOT v_reserved THEN
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
    IF v_reserved THEN
      PERFORM unreserve_stock(p_store, p_variants, p_quantities);
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
  WITH written AS (
    INSERT INTO order_lines AS l (
      store_id, order_id, line_no, variant_id, sku, name, quantity, unit_price, total, discount, tax, tax_rate_ppm
    )
    SELECT p_store, p_order, w.line_no, w.id, w.sku, w.name, w.quantity, w.price, w.total,
           coalesce(w.discount, 0), coalesce(w.tax, 0), w.rate
      FROM unnest(
             p_variants, p_quantities, v_priced.prices, v_priced.skus, v_priced.names, v_priced.totals, v_priced.discounts,
             v_priced.taxes, v_priced.rates
           ) WITH ORDINALITY AS w (id, quantity, price, sku, name, total, discount, tax, rate, line_no)
    RETURNING l.line_no, line_document(l, v_store.currency) AS document
  )
  SELECT json_agg(w.document ORDER BY w.line_no) INTO v_lines FROM written w;
  INSERT INTO payments AS p (store_id, id, order_id, method, provider, status, currency, amount, captured_amount)
  VALUES (
    p_store, uuid_v7(), p_order, p_method, CASE p_method WHEN 'CARD' THEN p_provider END,
    CASE WHEN v_paid THEN 'CAPTURED' ELSE 'PENDING' END, v_order.currency, v_order.total,
    CASE WHEN v_paid THEN v_order.total ELSE 0 END
  ) RETURNING payment_document(p) INTO v_payment;
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
  response := order_document_of(v_order, true, v_lines, v_payment, v_slot, v_coupon.code);
  PERFORM idempotency_finish(p_store, v_principal, p_route, p_key, p_fingerprint, status_code, response);
END $$;
