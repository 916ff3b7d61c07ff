CREATE OR REPLACE FUNCTION fold_day(p_store uuid, p_day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_from timestamptz;
  v_to timestamptz;
  v_month date := date_trunc('month', p_day::timestamp)::date;
BEGIN
  IF current_setting('transaction_isolation') <> 'repeatable read' THEN
    RAISE EXCEPTION 'a day is folded in one snapshot';
  END IF;
  INSERT INTO rollup_days AS r (store_id, day, timezone)
  SELECT s.id, p_day, s.timezone
    FROM stores s
   WHERE s.id = p_store
  ON CONFLICT (store_id, day) DO UPDATE SET timezone = excluded.timezone, folded_at = excluded.folded_at
  RETURNING day_begins(p_day, r.timezone), day_begins(p_day + 1, r.timezone) INTO v_from, v_to;
  DELETE FROM rollup_marks m WHERE m.store_id = p_store AND m.at >= v_from AND m.at < v_to;
  DELETE FROM order_days d WHERE d.store_id = p_store AND d.day = p_day;
  DELETE FROM product_days d WHERE d.store_id = p_store AND d.day = p_day;
  DELETE FROM agent_days d WHERE d.store_id = p_store AND d.day = p_day;
  DELETE FROM zip_days d WHERE d.store_id = p_store AND d.day = p_day;
  DELETE FROM fulfilment_days d WHERE d.store_id = p_store AND d.day = p_day;
  DELETE FROM delivery_minutes d WHERE d.store_id = p_store AND d.day = p_day;
  INSERT INTO order_days (store_id, day, status, payment_method, orders, total, refunded)
  SELECT p_store, p_day, c.status, c.payment_method, c.orders, c.total, c.refunded
    FROM count_orders(p_store, v_from, v_to) c;
  INSERT INTO product_days (store_id, day, variant_id, units, revenue)
  SELECT p_store, p_day, c.variant_id, c.units, c.revenue
    FROM count_products(p_store, v_from, v_to) c;
  -- A thousand goods on 366 days are too many rows to add up while somebody waits.
  DELETE FROM product_months m WHERE m.store_id = p_store AND m.month = v_month;
  INSERT INTO product_months (store_id, month, variant_id, units, revenue)
  SELECT p_store, v_month, d.variant_id, bigint_sum(d.units), bigint_sum(d.revenue)
    FROM product_days d
   WHERE d.store_id = p_store AND d.day >= v_month AND d.day < v_month + interval '1 month'
   GROUP BY d.variant_id;
  INSERT INTO agent_days (store_id, day, agent_id, deliveries, on_time, failures, earnings)
  SELECT p_store, p_day, c.agent_id, c.deliveries, c.on_time, c.failures, c.earnings
    FROM count_agents(p_store, v_from, v_to) c;
  INSERT INTO zip_days (store_id, day, zip, deliveries, on_time, failures, minutes)
  SELECT p_store, p_day, c.zip, c.deliveries, c.on_time, c.failures, c.minutes
    FROM count_zips(p_store, v_from, v_to) c;
  INSERT INTO fulfilment_days (
    store_id, day, deliveries, on_time, failures, first_attempts, first_deliveries, to_pick_up, to_deliver, in_all
  )
  SELECT p_store, p_day, c.deliveries, c.on_time, c.failures, c.first_attempts, c.first_deliveries,
         c.to_pick_up, c.to_deliver, c.in_all
    FROM count_fulfilment(p_store, v_from, v_to) c;
  INSERT INTO delivery_minutes (store_id, day, stage, minutes, deliveries)
  SELECT p_store, p_day, c.stage, c.minutes, c.deliveries
    FROM count_minutes(p_store, v_from, v_to) c;
END $$;

DROP FUNCTION fold_days(uuid, date[]);

DROP FUNCTION unfold_days(uuid, timestamptz[]);
DROP TRIGGER shipping_assignments_late ON shipping_assignments;
CREATE TRIGGER shipping_assignments_late AFTER INSERT OR UPDATE OF closed_at ON shipping_assignments FOR EACH ROW
  WHEN (NEW.closed_at < clock_timestamp() - interval '23 hours') EXECUTE FUNCTION mark_delivery();
CREATE TRIGGER orders_late AFTER INSERT ON orders FOR EACH ROW
  WHEN (NEW.placed_at < clock_timestamp() - interval '23 hours') EXECUTE FUNCTION mark_order();
