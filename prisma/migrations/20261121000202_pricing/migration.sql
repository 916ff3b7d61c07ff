-- What an order costs, in one place: a quote reads it, placing the order charges it. docs/pricing.md has the rules.

-- Tax of an amount, rounded half up to the minor unit. An inclusive price contains it, an exclusive one gets it on top.
CREATE FUNCTION tax_of(p_amount bigint, p_rate_ppm int, p_inclusive boolean) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  whole CONSTANT bigint := 1000000 + CASE WHEN p_inclusive THEN p_rate_ppm ELSE 0 END;
BEGIN
  RETURN div(2 * p_amount::numeric * p_rate_ppm + whole, 2 * whole);
END $$;

-- Splits an amount >= 0 over weights >= 0 by largest remainder, as splitByLargestRemainder() does: the parts add up to the
-- amount, each is within one minor unit of its share, ties go to the earlier one.
CREATE FUNCTION split_by_largest_remainder(p_amount bigint, p_weights bigint[]) RETURNS bigint[]
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

-- Prices lines at the catalog's prices, with the store's fee and taxes and a coupon (all NULL: none).
-- Read once: the lines are written from these arrays, so a price that changes meanwhile can't part them from the total.
-- Arrays are in the order of the lines; discounts and taxes are NULL where there are none at all.
-- A subtotal past 2^53 is told as it is, with nothing else computed.
CREATE FUNCTION price_order(
  p_store stores, p_variants uuid[], p_quantities int[], p_coupon coupons,
  OUT prices bigint[], OUT skus text[], OUT names text[], OUT rates int[], OUT totals bigint[],
  OUT discounts bigint[], OUT taxes bigint[],
  OUT subtotal numeric, OUT discount bigint, OUT delivery_discount bigint, OUT delivery_tax bigint, OUT tax bigint,
  OUT total numeric, OUT unavailable json
) LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_missing uuid[];
  v_taxed boolean;
BEGIN
  -- OFFSET 0 keeps each look-up on its primary key. Joined freely, a catalog without statistics (loaded a moment ago) was
  -- taken for one row: 593 lines among 3,000 variants took 950 ms, and 16 such orders at once timed out. So: 3 ms.
  SELECT array_agg(v.price ORDER BY w.line_no),
         array_agg(v.sku ORDER BY w.line_no),
         array_agg(concat_ws(' ', p.name, nullif(v.name, '')) ORDER BY w.line_no),
         array_agg(coalesce(c.tax_rate_ppm, p_store.tax_rate_ppm) ORDER BY w.line_no),
         array_agg(v.price * w.quantity ORDER BY w.line_no),
         coalesce(sum(v.price * w.quantity), 0),
         array_agg(w.id) FILTER (WHERE (v.archived_at IS NULL AND p.published AND p.archived_at IS NULL) IS NOT TRUE),
         coalesce(bool_or(c.tax_rate_ppm > 0), false)
    INTO prices, skus, names, rates, totals, subtotal, v_missing, v_taxed
    FROM unnest(p_variants, p_quantities) WITH ORDINALITY AS w (id, quantity, line_no)
    LEFT JOIN LATERAL (SELECT * FROM variants WHERE store_id = p_store.id AND id = w.id OFFSET 0) v ON true
    LEFT JOIN LATERAL (SELECT * FROM products WHERE store_id = p_store.id AND id = v.product_id OFFSET 0) p ON true
    LEFT JOIN LATERAL (SELECT * FROM categories WHERE store_id = p_store.id AND id = p.category_id OFFSET 0) c ON true;
  discount := 0;
  delivery_discount := 0;
  delivery_tax := 0;
  tax := 0;
  total := subtotal + p_store.delivery_fee;
  IF v_missing IS NOT NULL THEN
    unavailable := (
      SELECT json_agg(DISTINCT jsonb_build_object('code', 'PRODUCT_UNAVAILABLE', 'variantId', m.id))
        FROM unnest(v_missing) AS m (id)
    );
    RETURN;
  ELSIF total > 9007199254740991 THEN
    RETURN;
  END IF;

  IF p_coupon.kind = 'FREE_DELIVERY' THEN
    delivery_discount := p_store.delivery_fee;
  ELSIF p_coupon.id IS NOT NULL THEN
    discount := CASE p_coupon.kind
      WHEN 'PERCENTAGE' THEN
        least(div(2 * subtotal * p_coupon.value + 1000000, 2000000), p_coupon.maximum_discount)
      ELSE least(p_coupon.value, subtotal)
    END;
    IF discount > 0 THEN
      discounts := split_by_largest_remainder(discount, totals);
    END IF;
  END IF;
  IF v_taxed OR p_store.tax_rate_ppm > 0 OR p_store.delivery_tax_ppm > 0 THEN
    SELECT array_agg(t.tax ORDER BY t.line_no), sum(t.tax)
      INTO taxes, tax
      FROM (
        SELECT w.line_no, tax_of(w.total - coalesce(w.discount, 0), w.rate, p_store.tax_inclusive) AS tax
          FROM unnest(totals, discounts, rates) WITH ORDINALITY AS w (total, discount, rate, line_no)
      ) t;
    delivery_tax := tax_of(p_store.delivery_fee - delivery_discount, p_store.delivery_tax_ppm, p_store.tax_inclusive);
    tax := tax + delivery_tax;
  END IF;
  discount := discount + delivery_discount;
  total := total - discount + CASE WHEN p_store.tax_inclusive THEN 0 ELSE tax END;
END $$;

-- Whether somebody has tried so many codes that are none that he has to wait: 20 within an hour by one principal, 100 from one
-- address (p_client), which a household or an office may share; NULL: not known, not counted.
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

-- A coupon by what somebody typed. Unknown, switched off, not yet and no longer valid are one answer: who guesses learns
-- nothing. Each failure counts, see guesses_coupons(); then even a right code is COUPON_ATTEMPTS_EXCEEDED.
CREATE FUNCTION find_coupon(
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

-- Counts a use of a coupon and tells why it can't be used once more; NULL when it could, and was. A coupon without limits has
-- no row that orders meet on. Locks the coupon, then the customer's uses of it.
CREATE FUNCTION use_coupon(p_coupon coupons, p_used_by text) RETURNS text LANGUAGE plpgsql AS $$
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

-- Takes back what use_coupon() has counted for the coupon as it was then.
CREATE FUNCTION return_coupon(p_coupon coupons, p_used_by text) RETURNS void LANGUAGE plpgsql AS $$
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

-- Writes down which order a counted use was for. Holds the coupon, so that who sets a limit counts this use or waits for it
-- (change_coupon); when he was quicker the statement is to be run again, with the coupon as it is now.
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

-- Takes a place in a slot and tells why there is none for this zip code; NULL when there was.
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

-- Gives a place back.
CREATE FUNCTION free_slot(p_store uuid, p_slot uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE delivery_slots s SET booked = s.booked - 1 WHERE s.store_id = p_store AND s.id = p_slot;
END $$;

-- An order that ends before it ships gives its coupon and its place in a slot back. The caller holds the order's row.
-- Locks the slot, then the coupon and what counts it. Once per order: its step there is taken once.
CREATE FUNCTION release_booking(p_store uuid, p_order uuid) RETURNS void LANGUAGE plpgsql AS $$
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
