-- Changes a coupon: only the keys that p_changes has. Limits that are set later count the orders that use the coupon already.
-- Locks the coupon against orders that are just using it: they come before and are counted, or after and see the new limits.
-- Raises check_violation (23514), coupons_used_check or coupon_uses_used_check, when more orders use it than a new limit allows,
-- of all or of one customer. NULL when there is no such coupon.
CREATE FUNCTION change_coupon(p_store uuid, p_coupon uuid, p_changes jsonb) RETURNS coupons LANGUAGE plpgsql AS $$
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
