-- Orders of the past are inserted by npm run import and npm run generate alone, by the thousand. They leave no marks, which would cost
-- everybody who places an order two tests: they unfold the days that they have written to, in the same transaction. A day without a
-- zone is not folded. Its row is locked to the commit: a fold that has not seen it fails and is tried again. The store keeps its
-- zone until then, or these would not be the days.
DROP TRIGGER orders_late ON orders;
DROP TRIGGER shipping_assignments_late ON shipping_assignments;
CREATE TRIGGER shipping_assignments_late AFTER UPDATE OF closed_at ON shipping_assignments FOR EACH ROW
  WHEN (NEW.closed_at < clock_timestamp() - interval '23 hours') EXECUTE FUNCTION mark_delivery();

-- For who has inserted orders that were placed, or attempts that were closed, at these times. Last: it locks.
CREATE FUNCTION unfold_days(p_store uuid, p_times timestamptz[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM stores s WHERE s.id = p_store FOR SHARE;
  INSERT INTO rollup_days (store_id, day, timezone)
  SELECT DISTINCT s.id, (t.at AT TIME ZONE s.timezone)::date AS day, ''
    FROM stores s
   CROSS JOIN unnest(p_times) AS t (at)
   WHERE s.id = p_store AND t.at < clock_timestamp() - interval '23 hours'
   ORDER BY day
  ON CONFLICT (store_id, day) DO UPDATE SET timezone = '';
END $$;

-- Adds days up, once more if need be, and takes away the marks that it knows of. All of one snapshot: a change that it doesn't
-- see has its mark left, or makes this fail. Of two who fold the same day or month at the same time one fails, to be tried again.
CREATE FUNCTION fold_days(p_store uuid, p_days date[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_zone text;
  v_from timestamptz[];
  v_to timestamptz[];
  v_months date[];
BEGIN
  IF current_setting('transaction_isolation') <> 'repeatable read' THEN
    RAISE EXCEPTION 'days are folded in one snapshot';
  END IF;
  SELECT s.timezone, array_agg(day_begins(n.day, s.timezone) ORDER BY n.place),
         array_agg(day_begins(n.day + 1, s.timezone) ORDER BY n.place), array_agg(DISTINCT date_trunc('month', n.day::timestamp)::date)
    INTO v_zone, v_from, v_to, v_months
    FROM stores s
   CROSS JOIN unnest(p_days) WITH ORDINALITY AS n (day, place)
   WHERE s.id = p_store
   GROUP BY s.timezone;
  INSERT INTO rollup_days (store_id, day, timezone)
  SELECT p_store, n.day, v_zone
    FROM unnest(p_days) AS n (day)
   ORDER BY n.day
  ON CONFLICT (store_id, day) DO UPDATE SET timezone = excluded.timezone, folded_at = excluded.folded_at;
  DELETE FROM rollup_marks m
   USING unnest(v_from, v_to) AS d (starts_at, ends_at)
   WHERE m.store_id = p_store AND m.at >= d.starts_at AND m.at < d.ends_at;
  DELETE FROM order_days d WHERE d.store_id = p_store AND d.day = ANY (p_days);
  DELETE FROM product_days d WHERE d.store_id = p_store AND d.day = ANY (p_days);
  DELETE FROM agent_days d WHERE d.store_id = p_store AND d.day = ANY (p_days);
  DELETE FROM zip_days d WHERE d.store_id = p_store AND d.day = ANY (p_days);
  DELETE FROM fulfilment_days d WHERE d.store_id = p_store AND d.day = ANY (p_days);
  DELETE FROM delivery_minutes d WHERE d.store_id = p_store AND d.day = ANY (p_days);
  INSERT INTO order_days (store_id, day, status, payment_method, orders, total, refunded)
  SELECT p_store, d.day, c.status, c.payment_method, c.orders, c.total, c.refunded
    FROM unnest(p_days, v_from, v_to) AS d (day, starts_at, ends_at)
   CROSS JOIN LATERAL count_orders(p_store, d.starts_at, d.ends_at) c;
  INSERT INTO product_days (store_id, day, variant_id, units, revenue)
  SELECT p_store, d.day, c.variant_id, c.units, c.revenue
    FROM unnest(p_days, v_from, v_to) AS d (day, starts_at, ends_at)
   CROSS JOIN LATERAL count_products(p_store, d.starts_at, d.ends_at) c;
  -- A thousand goods on 366 days are too many rows to add up while somebody waits.
  DELETE FROM product_months m WHERE m.store_id = p_store AND m.month = ANY (v_months);
  INSERT INTO product_months (store_id, month, variant_id, units, revenue)
  SELECT p_store, n.month, d.variant_id, bigint_sum(d.units), bigint_sum(d.revenue)
    FROM unnest(v_months) AS n (month)
    JOIN product_days d ON d.store_id = p_store AND d.day >= n.month AND d.day < n.month + interval '1 month'
   GROUP BY n.month, d.variant_id;
  -- Deliveries are looked up once for four tables: as count_agents() and its like count them.
  WITH tried AS MATERIALIZED (
    SELECT n.day, d.*
      FROM unnest(p_days, v_from, v_to) AS n (day, starts_at, ends_at)
     CROSS JOIN LATERAL deliveries_between(p_store, n.starts_at, n.ends_at) d
  ), by_agent AS (
    INSERT INTO agent_days (store_id, day, agent_id, deliveries, on_time, failures, earnings)
    SELECT p_store, d.day, d.agent_id, count(*) FILTER (WHERE d.delivered), count(*) FILTER (WHERE d.on_time),
           count(*) FILTER (WHERE NOT d.delivered), bigint_sum(d.earned)
      FROM tried d
     GROUP BY d.day, d.agent_id
  ), by_zip AS (
    INSERT INTO zip_days (store_id, day, zip, deliveries, on_time, failures, minutes)
    SELECT p_store, d.day, d.zip, count(*) FILTER (WHERE d.delivered), count(*) FILTER (WHERE d.on_time),
           count(*) FILTER (WHERE NOT d.delivered), coalesce(sum(d.in_all), 0)
      FROM tried d
     GROUP BY d.day, d.zip
  ), by_minute AS (
    INSERT INTO delivery_minutes (store_id, day, stage, minutes, deliveries)
    SELECT p_store, d.day, s.stage, s.minutes, count(*)
      FROM tried d
     CROSS JOIN LATERAL (
       VALUES ('PICK_UP', d.to_pick_up), ('DELIVER', d.to_deliver), ('ALL', d.in_all)
     ) AS s (stage, minutes)
     WHERE s.minutes IS NOT NULL
     GROUP BY d.day, s.stage, s.minutes
  )
  INSERT INTO fulfilment_days (
    store_id, day, deliveries, on_time, failures, first_attempts, first_deliveries, to_pick_up, to_deliver, in_all
  )
  SELECT p_store, d.day, count(*) FILTER (WHERE d.delivered), count(*) FILTER (WHERE d.on_time),
         count(*) FILTER (WHERE NOT d.delivered), count(*) FILTER (WHERE d.first_attempt),
         count(*) FILTER (WHERE d.first_attempt AND d.delivered),
         percentile_disc(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY d.to_pick_up),
         percentile_disc(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY d.to_deliver),
         percentile_disc(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY d.in_all)
    FROM tried d
   GROUP BY d.day;
END $$;

CREATE OR REPLACE FUNCTION fold_day(p_store uuid, p_day date) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM fold_days(p_store, ARRAY[p_day]);
END $$;
