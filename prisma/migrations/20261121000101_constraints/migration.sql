-- What Prisma's schema can't say: CHECKs, partial and expression indexes, append-only tables.

ALTER TABLE stores
  ADD CONSTRAINT stores_currency_check CHECK (currency ~ '^[A-Z]{3}$'),
  ADD CONSTRAINT stores_slug_check CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
  ADD CONSTRAINT stores_fees_check CHECK (delivery_fee >= 0 AND agent_fee >= 0 AND agent_float_limit >= 0),
  ADD CONSTRAINT stores_proof_check CHECK (delivery_proof IN ('CODE', 'PHOTO', 'NAME'));

ALTER TABLE users
  ADD CONSTRAINT users_email_check CHECK (email = lower(email)),
  ADD CONSTRAINT users_roles_check CHECK (
    cardinality(roles) > 0 AND roles <@ ARRAY['CUSTOMER', 'AGENT', 'SUPPORT', 'MANAGER', 'ADMIN']
  );

-- Whether a login was ended, asked at each refresh: a family can grow to thousands of tokens, few of them revoked.
CREATE INDEX idx_refresh_tokens_revoked ON refresh_tokens (store_id, family_id) WHERE revoked_at IS NOT NULL;

CREATE UNIQUE INDEX products_slug_key ON products (store_id, slug) WHERE archived_at IS NULL;
CREATE UNIQUE INDEX variants_sku_key ON variants (store_id, sku) WHERE archived_at IS NULL;
ALTER TABLE variants
  ADD CONSTRAINT variants_price_check CHECK (price BETWEEN 0 AND 10000000000);

CREATE FUNCTION product_search_vector(name text, description text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT setweight(to_tsvector('simple', name), 'A') || setweight(to_tsvector('simple', description), 'B')
$$;
CREATE INDEX idx_products_search ON products USING gin (product_search_vector(name, description));
-- The shop window: newest first among what is published.
CREATE INDEX idx_products_published ON products (store_id, id DESC) WHERE published AND archived_at IS NULL;

ALTER TABLE stock_levels
  ADD CONSTRAINT stock_levels_on_hand_check CHECK (on_hand >= 0),
  ADD CONSTRAINT stock_levels_reserved_check CHECK (reserved >= 0),
  ADD CONSTRAINT stock_levels_oversold_check CHECK (reserved <= on_hand);
ALTER TABLE stock_movements
  ADD CONSTRAINT stock_movements_delta_check CHECK (delta <> 0),
  ADD CONSTRAINT stock_movements_reason_check CHECK (reason IN ('RECEIPT', 'CORRECTION', 'DAMAGE', 'RETURN', 'SALE'));

ALTER TABLE orders
  ADD CONSTRAINT orders_status_check CHECK (
    status IN ('PENDING', 'CONFIRMED', 'PREPARING', 'SHIPPING', 'DELIVERED', 'CANCELLED', 'RETURNED', 'EXPIRED')
  ),
  ADD CONSTRAINT orders_payment_method_check CHECK (payment_method IN ('COD', 'WALLET', 'CARD')),
  ADD CONSTRAINT orders_total_check CHECK (total = subtotal - discount + delivery_fee + tax),
  ADD CONSTRAINT orders_amounts_check CHECK (
    subtotal >= 0 AND discount >= 0 AND delivery_fee >= 0 AND tax >= 0 AND total BETWEEN 0 AND 9007199254740991
  ),
  ADD CONSTRAINT orders_delivery_code_check CHECK (delivery_code ~ '^[0-9]{6}$');
ALTER TABLE order_lines
  ADD CONSTRAINT order_lines_quantity_check CHECK (quantity > 0),
  ADD CONSTRAINT order_lines_total_check CHECK (unit_price >= 0 AND total = unit_price * quantity);

ALTER TABLE payments
  ADD CONSTRAINT payments_status_check CHECK (
    status IN ('PENDING', 'AUTHORIZED', 'CAPTURED', 'PARTIALLY_REFUNDED', 'REFUNDED', 'VOIDED', 'FAILED', 'EXPIRED')
  ),
  ADD CONSTRAINT payments_amounts_check CHECK (
    amount >= 0 AND captured_amount BETWEEN 0 AND amount AND refunded_amount BETWEEN 0 AND captured_amount
  );
ALTER TABLE refunds
  ADD CONSTRAINT refunds_amount_check CHECK (amount > 0),
  ADD CONSTRAINT refunds_destination_check CHECK (destination IN ('ORIGINAL', 'WALLET')),
  ADD CONSTRAINT refunds_status_check CHECK (
    status IN ('REQUESTED', 'APPROVED', 'PROCESSING', 'SUCCEEDED', 'FAILED', 'REJECTED')
  );

ALTER TABLE delivery_agents
  ADD CONSTRAINT delivery_agents_status_check CHECK (status IN ('ONLINE', 'OFFLINE'));
ALTER TABLE shipping_assignments
  ADD CONSTRAINT shipping_assignments_status_check CHECK (
    status IN ('OFFERED', 'ACCEPTED', 'PICKED_UP', 'DELIVERED', 'REJECTED', 'EXPIRED', 'FAILED', 'CANCELLED')
  ),
  ADD CONSTRAINT shipping_assignments_cash_check CHECK (cash_due >= 0 AND (cash_collected IS NULL OR cash_collected >= 0)),
  ADD CONSTRAINT shipping_assignments_agent_check CHECK (
    agent_id IS NOT NULL OR status NOT IN ('ACCEPTED', 'PICKED_UP', 'DELIVERED', 'FAILED', 'REJECTED')
  );
-- One parcel, one agent.
CREATE UNIQUE INDEX shipping_assignments_active_key ON shipping_assignments (store_id, order_id)
  WHERE status IN ('OFFERED', 'ACCEPTED', 'PICKED_UP');
-- What agents look for. Offers that nobody took stay OFFERED until they are offered again: 40,000 of them cost 70 ms a list.
CREATE INDEX idx_shipping_assignments_open ON shipping_assignments (store_id, offer_expires_at)
  WHERE status = 'OFFERED' AND agent_id IS NULL;
CREATE INDEX idx_shipping_assignments_delivered_sla ON shipping_assignments (status, delivered_at)
  WHERE status = 'DELIVERED';
ALTER TABLE remittances ADD CONSTRAINT remittances_amount_check CHECK (amount > 0);

CREATE INDEX idx_outbox_events_pending ON outbox_events (id) WHERE published_at IS NULL;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER order_history_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON order_history
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER stock_movements_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stock_movements
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Written once: what an agent's metrics are computed from.
CREATE FUNCTION keep_assignment_times() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.offered_at <> OLD.offered_at OR NEW.promised_at <> OLD.promised_at
    OR (OLD.accepted_at IS NOT NULL AND NEW.accepted_at IS DISTINCT FROM OLD.accepted_at)
    OR (OLD.picked_up_at IS NOT NULL AND NEW.picked_up_at IS DISTINCT FROM OLD.picked_up_at)
    OR (OLD.delivered_at IS NOT NULL AND NEW.delivered_at IS DISTINCT FROM OLD.delivered_at)
  THEN
    RAISE EXCEPTION 'times of an assignment are written once' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER shipping_assignments_times BEFORE UPDATE ON shipping_assignments
  FOR EACH ROW EXECUTE FUNCTION keep_assignment_times();
