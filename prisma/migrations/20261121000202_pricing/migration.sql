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
DECLARE
  v_total numeric := (SELECT sum(w) FROM unnest(p_weights) AS w);
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
            SELECT w.position, div(p_amount * w.weight::numeric, v_total)::bigint AS whole,
                   mod(p_amount * w.weight::numeric, v_total) AS remainder
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
  OUT prices bigint[], OUT skus text[], OUT names text[], OUT rates int[], OUT discounts bigint[], OUT taxes bigint[],
  OUT subtotal numeric, OUT discount bigint, OUT delivery_discount bigint, OUT delivery_tax bigint, OUT tax bigint,
  OUT total numeric, OUT unavailable json
) LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_totals bigint[];
  v_taxed boolean;
BEGIN
  -- OFFSET 0 keeps each look-up on its primary key. Joined freely, a catalog without statistics (loaded a moment ago) was
  -- taken for one row: 593 lines among 3,000 variants took 950 ms, and 16 such orders at once timed out. So: 3 ms.
  SELECT array_agg(v.price ORDER BY w.line_no),
         array_agg(v.sku ORDER BY w.line_no),
         array_agg(concat_ws(' ', p.name, nullif(v.name, '')) ORDER BY w.line_no),
         array_agg(coalesce(c.tax_rate_ppm, p_store.tax_rate_ppm) ORDER BY w.line_no),
         coalesce(sum(v.price::numeric * w.quantity), 0),
         json_agg(DISTINCT jsonb_build_object('code', 'PRODUCT_UNAVAILABLE', 'variantId', w.id))
           FILTER (WHERE (v.archived_at IS NULL AND p.published AND p.archived_at IS NULL) IS NOT TRUE),
         bool_or(coalesce(c.tax_rate_ppm, p_store.tax_rate_ppm) > 0)
    INTO prices, skus, names, rates, subtotal, unavailable, v_taxed
    FROM unnest(p_variants, p_quantities) WITH ORDINALITY AS w (id, quantity, line_no)
    LEFT JOIN LATERAL (SELECT * FROM variants WHERE store_id = p_store.id AND id = w.id OFFSET 0) v ON true
    LEFT JOIN LATERAL (SELECT * FROM products WHERE store_id = p_store.id AND id = v.product_id OFFSET 0) p ON true
    LEFT JOIN LATERAL (SELECT * FROM categories WHERE store_id = p_store.id AND id = p.category_id OFFSET 0) c ON true;
  discount := 0;
  delivery_discount := 0;
  delivery_tax := 0;
  tax := 0;
  total := subtotal + p_store.delivery_fee;
  IF unavailable IS NOT NULL OR total > 9007199254740991 THEN
    RETURN;
  END IF;

  v_taxed := v_taxed OR p_store.delivery_tax_ppm > 0;
  IF p_coupon.id IS NOT NULL OR v_taxed THEN
    v_totals := (
      SELECT array_agg(w.price * w.quantity ORDER BY w.line_no)
        FROM unnest(prices, p_quantities) WITH ORDINALITY AS w (price, quantity, line_no)
    );
  END IF;
  IF p_coupon.id IS NOT NULL THEN
    CASE p_coupon.kind
      WHEN 'PERCENTAGE' THEN
        discount := least(div(2 * subtotal * p_coupon.value + 1000000, 2000000), p_coupon.maximum_discount);
      WHEN 'FIXED' THEN
        discount := least(p_coupon.value, subtotal);
      WHEN 'FREE_DELIVERY' THEN
        delivery_discount := p_store.delivery_fee;
    END CASE;
    IF discount > 0 THEN
      discounts := split_by_largest_remainder(discount, v_totals);
    END IF;
  END IF;
  IF v_taxed THEN
    SELECT array_agg(t.tax ORDER BY t.line_no), sum(t.tax)
      INTO taxes, tax
      FROM (
        SELECT w.line_no, tax_of(w.total - coalesce(w.discount, 0), w.rate, p_store.tax_inclusive) AS tax
          FROM unnest(v_totals, discounts, rates) WITH ORDINALITY AS w (total, discount, rate, line_no)
      ) t;
    delivery_tax := tax_of(p_store.delivery_fee - delivery_discount, p_store.delivery_tax_ppm, p_store.tax_inclusive);
    tax := tax + delivery_tax;
  END IF;
  discount := discount + delivery_discount;
  total := subtotal - discount + p_store.delivery_fee + CASE WHEN p_store.tax_inclusive THEN 0 ELSE tax END;
END $$;

-- A coupon by what somebody typed. Unknown, switched off, not yet and no longer valid are one answer: who guesses learns
-- nothing. Twenty failures within an hour, then COUPON_ATTEMPTS_EXCEEDED; counted per principal.
CREATE FUNCTION find_coupon(p_store uuid, p_code text, p_principal text, OUT coupon coupons, OUT refusal text)
LANGUAGE plpgsql AS $$
DECLARE
  hour CONSTANT interval := '1 hour';
BEGIN
  PERFORM 1
     FROM coupon_failures f
    WHERE f.store_id = p_store AND f.principal = p_principal AND f.failures >= 20 AND f.since > now() - hour;
  IF FOUND THEN
    refusal := 'COUPON_ATTEMPTS_EXCEEDED';
    RETURN;
  END IF;
  SELECT * INTO coupon
    FROM coupons c
   WHERE c.store_id = p_store AND c.code = upper(btrim(p_code))
     AND c.active AND coalesce(c.starts_at <= now(), true) AND coalesce(c.ends_at > now(), true);
  IF NOT FOUND THEN
    refusal := 'COUPON_INVALID';
    INSERT INTO coupon_failures AS f (store_id, principal, failures)
    VALUES (p_store, p_principal, 1)
    ON CONFLICT (store_id, principal) DO UPDATE
      SET failures = CASE WHEN f.since > now() - hour THEN f.failures + 1 ELSE 1 END,
          since = CASE WHEN f.since > now() - hour THEN f.since ELSE now() END;
  END IF;
END $$;

-- Locks what counts a coupon's uses and tells why it can't be used once more; NULL when it can. A coupon without limits has
-- no row that orders meet on.
CREATE FUNCTION lock_coupon(p_coupon coupons, p_used_by text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  v_used int;
BEGIN
  IF p_coupon.usage_limit IS NOT NULL THEN
    SELECT c.used INTO v_used
      FROM coupons c
     WHERE c.store_id = p_coupon.store_id AND c.id = p_coupon.id
       FOR NO KEY UPDATE;
    IF v_used >= p_coupon.usage_limit THEN
      RETURN 'COUPON_USED_UP';
    END IF;
  END IF;
  IF p_coupon.customer_limit IS NOT NULL THEN
    INSERT INTO coupon_uses (store_id, coupon_id, used_by, used)
    VALUES (p_coupon.store_id, p_coupon.id, p_used_by, 0)
    ON CONFLICT DO NOTHING;
    SELECT u.used INTO v_used
      FROM coupon_uses u
     WHERE u.store_id = p_coupon.store_id AND u.coupon_id = p_coupon.id AND u.used_by = p_used_by
       FOR NO KEY UPDATE;
    IF v_used >= p_coupon.customer_limit THEN
      RETURN 'COUPON_USED_BY_CUSTOMER';
    END IF;
  END IF;
  RETURN NULL;
END $$;

-- Counts a use that lock_coupon() has allowed.
CREATE FUNCTION redeem_coupon(p_coupon coupons, p_order uuid, p_used_by text, p_amount bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  IF p_coupon.usage_limit IS NOT NULL THEN
    UPDATE coupons c SET used = c.used + 1 WHERE c.store_id = p_coupon.store_id AND c.id = p_coupon.id;
  END IF;
  IF p_coupon.customer_limit IS NOT NULL THEN
    UPDATE coupon_uses u
       SET used = u.used + 1
     WHERE u.store_id = p_coupon.store_id AND u.coupon_id = p_coupon.id AND u.used_by = p_used_by;
  END IF;
  INSERT INTO coupon_redemptions (store_id, order_id, coupon_id, used_by, amount)
  VALUES (p_coupon.store_id, p_order, p_coupon.id, p_used_by, p_amount);
END $$;

-- An order that ends before it ships gives its coupon and its place in a slot back. The caller holds the order's row.
-- Locks the slot, then what counts the coupon. Once per order: its step there is taken once.
CREATE FUNCTION release_booking(p_store uuid, p_order uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_redemption coupon_redemptions;
BEGIN
  UPDATE delivery_slots s
     SET booked = s.booked - 1
    FROM orders o
   WHERE o.store_id = p_store AND o.id = p_order AND s.store_id = o.store_id AND s.id = o.slot_id;
  UPDATE coupon_redemptions r
     SET released_at = now()
   WHERE r.store_id = p_store AND r.order_id = p_order AND r.released_at IS NULL
  RETURNING * INTO v_redemption;
  IF FOUND THEN
    UPDATE coupons c
       SET used = c.used - 1
     WHERE c.store_id = p_store AND c.id = v_redemption.coupon_id AND c.usage_limit IS NOT NULL AND c.used > 0;
    UPDATE coupon_uses u
       SET used = u.used - 1
     WHERE u.store_id = p_store AND u.coupon_id = v_redemption.coupon_id AND u.used_by = v_redemption.used_by
       AND u.used > 0;
  END IF;
END $$;

-- Locks a slot and tells why it can't be booked for this zip code; NULL when it can.
CREATE FUNCTION lock_slot(p_store uuid, p_slot uuid, p_zip text, OUT refusal text, OUT ends_at timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
  v_slot delivery_slots;
BEGIN
  SELECT * INTO v_slot FROM delivery_slots s WHERE s.store_id = p_store AND s.id = p_slot FOR NO KEY UPDATE;
  ends_at := v_slot.ends_at;
  IF v_slot.id IS NULL OR NOT EXISTS (
    SELECT 1
      FROM delivery_zones z
     WHERE z.store_id = p_store AND z.id = v_slot.zone_id AND p_zip = ANY (z.zip_codes)
  ) THEN
    refusal := 'SLOT_INVALID';
  ELSIF v_slot.closed_at IS NOT NULL OR v_slot.cutoff_at <= now() THEN
    refusal := 'SLOT_CLOSED';
  ELSIF v_slot.booked >= v_slot.capacity THEN
    refusal := 'SLOT_FULL';
  END IF;
END $$;
