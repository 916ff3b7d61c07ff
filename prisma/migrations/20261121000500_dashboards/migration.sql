-- What the dashboards read: figures of past days, added up once; docs/metrics.md defines them.

-- CreateTable
CREATE TABLE "rollup_days" (
    "store_id" UUID NOT NULL,
    "day" DATE NOT NULL,
    "timezone" TEXT NOT NULL,
    "folded_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "rollup_days_pkey" PRIMARY KEY ("store_id","day")
);

-- CreateTable
CREATE TABLE "rollup_marks" (
    "store_id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "id" BIGSERIAL NOT NULL,

    CONSTRAINT "rollup_marks_pkey" PRIMARY KEY ("store_id","at","id")
);

-- CreateTable
CREATE TABLE "order_days" (
    "store_id" UUID NOT NULL,
    "day" DATE NOT NULL,
    "status" TEXT NOT NULL,
    "payment_method" TEXT NOT NULL,
    "orders" INTEGER NOT NULL,
    "total" BIGINT NOT NULL,
    "refunded" BIGINT NOT NULL,

    CONSTRAINT "order_days_pkey" PRIMARY KEY ("store_id","day","status","payment_method")
);

-- CreateTable
CREATE TABLE "product_days" (
    "store_id" UUID NOT NULL,
    "day" DATE NOT NULL,
    "variant_id" UUID NOT NULL,
    "units" BIGINT NOT NULL,
    "revenue" BIGINT NOT NULL,

    CONSTRAINT "product_days_pkey" PRIMARY KEY ("store_id","day","variant_id")
);

-- CreateTable
CREATE TABLE "product_months" (
    "store_id" UUID NOT NULL,
    "month" DATE NOT NULL,
    "variant_id" UUID NOT NULL,
    "units" BIGINT NOT NULL,
    "revenue" BIGINT NOT NULL,

    CONSTRAINT "product_months_pkey" PRIMARY KEY ("store_id","month","variant_id")
);

-- CreateTable
CREATE TABLE "agent_days" (
    "store_id" UUID NOT NULL,
    "day" DATE NOT NULL,
    "agent_id" UUID NOT NULL,
    "deliveries" INTEGER NOT NULL,
    "on_time" INTEGER NOT NULL,
    "failures" INTEGER NOT NULL,
    "earnings" BIGINT NOT NULL,

    CONSTRAINT "agent_days_pkey" PRIMARY KEY ("store_id","day","agent_id")
);

-- CreateTable
CREATE TABLE "zip_days" (
    "store_id" UUID NOT NULL,
    "day" DATE NOT NULL,
    "zip" TEXT NOT NULL,
    "deliveries" INTEGER NOT NULL,
    "on_time" INTEGER NOT NULL,
    "failures" INTEGER NOT NULL,
    "minutes" BIGINT NOT NULL,

    CONSTRAINT "zip_days_pkey" PRIMARY KEY ("store_id","day","zip")
);

-- CreateTable
CREATE TABLE "fulfilment_days" (
    "store_id" UUID NOT NULL,
    "day" DATE NOT NULL,
    "deliveries" INTEGER NOT NULL,
    "on_time" INTEGER NOT NULL,
    "failures" INTEGER NOT NULL,
    "first_attempts" INTEGER NOT NULL,
    "first_deliveries" INTEGER NOT NULL,
    "to_pick_up" INTEGER[],
    "to_deliver" INTEGER[],
    "in_all" INTEGER[],

    CONSTRAINT "fulfilment_days_pkey" PRIMARY KEY ("store_id","day")
);

-- CreateTable
CREATE TABLE "delivery_minutes" (
    "store_id" UUID NOT NULL,
    "day" DATE NOT NULL,
    "stage" TEXT NOT NULL,
    "minutes" INTEGER NOT NULL,
    "deliveries" INTEGER NOT NULL,

    CONSTRAINT "delivery_minutes_pkey" PRIMARY KEY ("store_id","day","stage","minutes")
);

-- CreateIndex
CREATE INDEX "idx_orders_placed" ON "orders"("store_id", "placed_at");

-- CreateIndex
CREATE INDEX "idx_outbox_events_store" ON "outbox_events"("store_id", "id");

-- CreateIndex
CREATE INDEX "idx_refunds_created" ON "refunds"("store_id", "created_at");

-- AddForeignKey
ALTER TABLE "rollup_days" ADD CONSTRAINT "rollup_days_store_id_fkey" FOREIGN KEY ("store_id") REFERENCES "stores"("id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "order_days" ADD CONSTRAINT "order_days_store_id_fkey" FOREIGN KEY ("store_id") REFERENCES "stores"("id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "product_days" ADD CONSTRAINT "product_days_store_id_variant_id_fkey" FOREIGN KEY ("store_id", "variant_id") REFERENCES "variants"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "product_months" ADD CONSTRAINT "product_months_store_id_variant_id_fkey" FOREIGN KEY ("store_id", "variant_id") REFERENCES "variants"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "agent_days" ADD CONSTRAINT "agent_days_store_id_agent_id_fkey" FOREIGN KEY ("store_id", "agent_id") REFERENCES "delivery_agents"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "zip_days" ADD CONSTRAINT "zip_days_store_id_fkey" FOREIGN KEY ("store_id") REFERENCES "stores"("id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "fulfilment_days" ADD CONSTRAINT "fulfilment_days_store_id_fkey" FOREIGN KEY ("store_id") REFERENCES "stores"("id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "delivery_minutes" ADD CONSTRAINT "delivery_minutes_store_id_fkey" FOREIGN KEY ("store_id") REFERENCES "stores"("id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- Nothing else writes them, and what is counted is not negative.
ALTER TABLE order_days ADD CONSTRAINT order_days_orders_check CHECK (orders > 0);
ALTER TABLE delivery_minutes ADD CONSTRAINT delivery_minutes_stage_check CHECK (stage IN ('PICK_UP', 'DELIVER', 'ALL'));

-- The first moment at which the clocks of a zone show this date. Where midnight is skipped, PostgreSQL takes the moment of the
-- change; where it comes twice, the second one: the hour before it is of the same day.
CREATE FUNCTION day_begins(p_day date, p_zone text) RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN ((p_day::timestamp AT TIME ZONE p_zone - interval '1 hour') AT TIME ZONE p_zone)::date = p_day
              THEN p_day::timestamp AT TIME ZONE p_zone - interval '1 hour'
              ELSE p_day::timestamp AT TIME ZONE p_zone END
$$;

-- The figures of a time, from the base tables. Each row of the first table looks its others up by key, a few thousand a day;
-- a join would now and then be planned as one of whole tables.

-- Orders placed in it, in the status they are in, with what was given back of them.
CREATE FUNCTION count_orders(p_store uuid, p_from timestamptz, p_to timestamptz)
RETURNS TABLE (status text, payment_method text, orders int, total bigint, refunded bigint) LANGUAGE sql STABLE AS $$
  SELECT o.status, o.payment_method, count(*)::int, bigint_sum(o.total),
         bigint_sum(coalesce((
           SELECT p.refunded_amount FROM payments p WHERE p.store_id = o.store_id AND p.order_id = o.id
         ), 0))
    FROM orders o
   WHERE o.store_id = p_store AND o.placed_at >= p_from AND o.placed_at < p_to
   GROUP BY o.status, o.payment_method
$$;

-- Goods of the orders placed in it that are sold: less their discount, with the tax only where prices contain it.
CREATE FUNCTION count_products(p_store uuid, p_from timestamptz, p_to timestamptz)
RETURNS TABLE (variant_id uuid, units bigint, revenue bigint) LANGUAGE sql STABLE AS $$
  SELECT l.variant_id, bigint_sum(l.quantity), bigint_sum(l.total - l.discount)
    FROM orders o
   CROSS JOIN LATERAL (
     SELECT ol.variant_id, ol.quantity, ol.total, ol.discount
       FROM order_lines ol
      WHERE ol.store_id = o.store_id AND ol.order_id = o.id
     OFFSET 0
   ) l
   WHERE o.store_id = p_store AND o.placed_at >= p_from AND o.placed_at < p_to
     AND o.status IN ('CONFIRMED', 'PREPARING', 'SHIPPING', 'DELIVERED')
   GROUP BY l.variant_id
$$;

-- Attempts to deliver that ended in it, one by one, by idx_shipping_assignments_closed. Times are whole minutes.
CREATE FUNCTION deliveries_between(p_store uuid, p_from timestamptz, p_to timestamptz)
RETURNS TABLE (
  agent_id uuid, zip text, delivered boolean, on_time boolean, first_attempt boolean,
  to_pick_up int, to_deliver int, in_all int, earned bigint
) LANGUAGE sql STABLE AS $$
  SELECT a.agent_id, a.zip, a.status = 'DELIVERED', a.status = 'DELIVERED' AND a.delivered_at <= a.promised_at,
         a.picked_up_at IS NOT NULL AND NOT EXISTS (
           SELECT 1
             FROM shipping_assignments earlier
            WHERE earlier.store_id = a.store_id AND earlier.order_id = a.order_id AND earlier.status = 'FAILED'
              AND earlier.picked_up_at < a.picked_up_at
         ),
         CASE a.status WHEN 'DELIVERED' THEN floor(extract(epoch FROM a.picked_up_at - o.placed_at) / 60)::int END,
         CASE a.status WHEN 'DELIVERED' THEN floor(extract(epoch FROM a.delivered_at - a.picked_up_at) / 60)::int END,
         CASE a.status WHEN 'DELIVERED' THEN floor(extract(epoch FROM a.delivered_at - o.placed_at) / 60)::int END,
         CASE a.status WHEN 'DELIVERED' THEN coalesce((
           SELECT bigint_sum(e.amount)
             FROM ledger_transactions t
             JOIN ledger_entries e ON e.store_id = t.store_id AND e.transaction_id = t.id AND e.amount > 0
            WHERE t.store_id = a.store_id AND t.type IN ('AGENT_FEE', 'PAST_AGENT_FEE') AND t.reference = a.id::text
         ), 0) ELSE 0 END
    FROM shipping_assignments a
   CROSS JOIN LATERAL (
     SELECT placed.placed_at FROM orders placed WHERE placed.store_id = a.store_id AND placed.id = a.order_id OFFSET 0
   ) o
   WHERE a.store_id = p_store AND a.closed_at >= p_from AND a.closed_at < p_to
     AND a.agent_id IS NOT NULL AND a.status IN ('DELIVERED', 'FAILED')
$$;

CREATE FUNCTION count_agents(p_store uuid, p_from timestamptz, p_to timestamptz)
RETURNS TABLE (agent_id uuid, deliveries int, on_time int, failures int, earnings bigint) LANGUAGE sql STABLE AS $$
  SELECT d.agent_id, (count(*) FILTER (WHERE d.delivered))::int, (count(*) FILTER (WHERE d.on_time))::int,
         (count(*) FILTER (WHERE NOT d.delivered))::int, bigint_sum(d.earned)
    FROM deliveries_between(p_store, p_from, p_to) d
   GROUP BY d.agent_id
$$;

CREATE FUNCTION count_zips(p_store uuid, p_from timestamptz, p_to timestamptz)
RETURNS TABLE (zip text, deliveries int, on_time int, failures int, minutes bigint) LANGUAGE sql STABLE AS $$
  SELECT d.zip, (count(*) FILTER (WHERE d.delivered))::int, (count(*) FILTER (WHERE d.on_time))::int,
         (count(*) FILTER (WHERE NOT d.delivered))::int, coalesce(sum(d.in_all), 0)
    FROM deliveries_between(p_store, p_from, p_to) d
   GROUP BY d.zip
$$;

-- One row, or none when nothing was tried.
CREATE FUNCTION count_fulfilment(p_store uuid, p_from timestamptz, p_to timestamptz)
RETURNS TABLE (
  deliveries int, on_time int, failures int, first_attempts int, first_deliveries int,
  to_pick_up int[], to_deliver int[], in_all int[]
) LANGUAGE sql STABLE AS $$
  SELECT (count(*) FILTER (WHERE d.delivered))::int, (count(*) FILTER (WHERE d.on_time))::int,
         (count(*) FILTER (WHERE NOT d.delivered))::int, (count(*) FILTER (WHERE d.first_attempt))::int,
         (count(*) FILTER (WHERE d.first_attempt AND d.delivered))::int,
         percentile_disc(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY d.to_pick_up),
         percentile_disc(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY d.to_deliver),
         percentile_disc(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY d.in_all)
    FROM deliveries_between(p_store, p_from, p_to) d
  HAVING count(*) > 0
$$;

CREATE FUNCTION count_minutes(p_store uuid, p_from timestamptz, p_to timestamptz)
RETURNS TABLE (stage text, minutes int, deliveries int) LANGUAGE sql STABLE AS $$
  SELECT s.stage, s.minutes, count(*)::int
    FROM deliveries_between(p_store, p_from, p_to) d
   CROSS JOIN LATERAL (
     VALUES ('PICK_UP', d.to_pick_up), ('DELIVER', d.to_deliver), ('ALL', d.in_all)
   ) AS s (stage, minutes)
   WHERE s.minutes IS NOT NULL
   GROUP BY s.stage, s.minutes
$$;

-- What is folded may change: an order is returned after days, refunded, or brought in from the past. The change leaves a mark at
-- the moment that it counts in, always a row of its own, so that whoever sees the one sees the other and nobody waits. A day
-- is folded a day after its end at the soonest, when all transactions have ended that wrote before that: what they wrote
-- without a mark was younger than 23 hours then, by the clock at that time. The hour is for clocks that are set back.
CREATE FUNCTION mark_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO rollup_marks (store_id, at) VALUES (NEW.store_id, NEW.placed_at);
  RETURN NULL;
END $$;
CREATE TRIGGER orders_late AFTER INSERT ON orders FOR EACH ROW
  WHEN (NEW.placed_at < clock_timestamp() - interval '23 hours') EXECUTE FUNCTION mark_order();
CREATE TRIGGER orders_moved_late AFTER UPDATE OF status ON orders FOR EACH ROW
  WHEN (NEW.status <> OLD.status AND NEW.placed_at < clock_timestamp() - interval '23 hours') EXECUTE FUNCTION mark_order();

CREATE FUNCTION mark_refund() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO rollup_marks (store_id, at)
  SELECT o.store_id, o.placed_at
    FROM orders o
   WHERE o.store_id = NEW.store_id AND o.id = NEW.order_id AND o.placed_at < clock_timestamp() - interval '23 hours';
  RETURN NULL;
END $$;
CREATE TRIGGER payments_refunded_late AFTER UPDATE OF refunded_amount ON payments FOR EACH ROW
  WHEN (NEW.refunded_amount <> OLD.refunded_amount) EXECUTE FUNCTION mark_refund();

CREATE FUNCTION mark_delivery() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO rollup_marks (store_id, at) VALUES (NEW.store_id, NEW.closed_at);
  RETURN NULL;
END $$;
CREATE TRIGGER shipping_assignments_late AFTER INSERT OR UPDATE OF closed_at ON shipping_assignments FOR EACH ROW
  WHEN (NEW.closed_at < clock_timestamp() - interval '23 hours') EXECUTE FUNCTION mark_delivery();

-- Adds a day up, once more if need be, and takes away the marks that it knows of. All of one snapshot: a change that it doesn't
-- see has its mark left. Of two who fold the same day at the same time one fails, to be tried again.
CREATE FUNCTION fold_day(p_store uuid, p_day date) RETURNS void LANGUAGE plpgsql AS $$
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
