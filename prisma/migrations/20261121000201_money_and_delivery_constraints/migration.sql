-- What Prisma's schema can't say: CHECKs and partial indexes.

ALTER TABLE stores
  ADD CONSTRAINT stores_taxes_check CHECK (
    tax_rate_ppm BETWEEN 0 AND 1000000 AND delivery_tax_ppm BETWEEN 0 AND 1000000
  ),
  ADD CONSTRAINT stores_card_capture_check CHECK (card_capture IN ('AUTOMATIC', 'MANUAL')),
  ADD CONSTRAINT stores_payment_minutes_check CHECK (payment_minutes BETWEEN 1 AND 1440),
  ADD CONSTRAINT stores_approvals_check CHECK (
    refund_approval_threshold >= 0 AND withdrawal_approval_threshold >= 0 AND overpayment_limit >= 0
    AND approvals_required BETWEEN 1 AND 10
  );
ALTER TABLE categories
  ADD CONSTRAINT categories_tax_check CHECK (tax_rate_ppm BETWEEN 0 AND 1000000);

-- These are read and prepared anew by each statement that writes a row: a fifth of what placing an order costs. So none says
-- again what follows from others. Of an order: fees, taxes, discounts and the goods are not negative, nor is the total.
ALTER TABLE orders
  DROP CONSTRAINT orders_amounts_check,
  ADD CONSTRAINT orders_amounts_check CHECK (
    least(delivery_discount, delivery_tax) >= 0 AND delivery_discount <= least(delivery_fee, discount)
    AND delivery_tax <= tax AND discount - delivery_discount <= subtotal AND total <= 9007199254740991
  ),
  DROP CONSTRAINT orders_total_check,
  ADD CONSTRAINT orders_total_check CHECK (
    total = subtotal - discount + delivery_fee + CASE WHEN tax_inclusive THEN 0 ELSE tax END
  ),
  ADD CONSTRAINT orders_customer_check CHECK ((customer_id IS NULL) <> (guest_email IS NULL)),
  ADD CONSTRAINT orders_waiting_check CHECK (status <> 'PENDING' OR expires_at IS NOT NULL);
CREATE UNIQUE INDEX orders_cart_key ON orders (store_id, cart_id) WHERE cart_id IS NOT NULL;
CREATE INDEX idx_orders_slot ON orders (store_id, slot_id) WHERE slot_id IS NOT NULL;
CREATE INDEX idx_orders_expiring ON orders (expires_at) WHERE status = 'PENDING';

ALTER TABLE order_lines
  ADD CONSTRAINT order_lines_parts_check CHECK (least(discount, tax, tax_rate_ppm) >= 0 AND discount <= total),
  ADD CONSTRAINT order_lines_refunded_check CHECK (refunded_quantity BETWEEN 0 AND quantity);

ALTER TABLE payments
  DROP CONSTRAINT payments_amounts_check,
  ADD CONSTRAINT payments_amounts_check CHECK (
    least(authorized_amount, refunded_amount, refunding_amount) >= 0
    AND greatest(authorized_amount, captured_amount) <= amount
    AND refunded_amount + refunding_amount <= captured_amount
  ),
  ADD CONSTRAINT payments_method_check CHECK (method IN ('COD', 'WALLET', 'CARD')),
  ADD CONSTRAINT payments_provider_check CHECK ((method = 'CARD') = (provider IS NOT NULL));
CREATE UNIQUE INDEX payments_provider_ref_key ON payments (provider, provider_ref) WHERE provider_ref IS NOT NULL;

ALTER TABLE refund_lines
  ADD CONSTRAINT refund_lines_quantity_check CHECK (quantity > 0 AND amount >= 0),
  ADD CONSTRAINT refund_lines_goods_check CHECK (goods IN ('RESTOCK', 'SCRAP', 'KEEP'));

ALTER TABLE payment_operations
  ADD CONSTRAINT payment_operations_kind_check CHECK (kind IN ('AUTHORIZE', 'CAPTURE', 'VOID', 'REFUND')),
  ADD CONSTRAINT payment_operations_status_check CHECK (status IN ('PENDING', 'SUCCEEDED', 'FAILED')),
  ADD CONSTRAINT payment_operations_amount_check CHECK (amount > 0),
  ADD CONSTRAINT payment_operations_finished_check CHECK ((status = 'PENDING') = (finished_at IS NULL)),
  ADD CONSTRAINT payment_operations_refund_check CHECK ((kind = 'REFUND') = (refund_id IS NOT NULL));
-- A payment is captured once, voided once, and each refund is paid out once, whoever asks however often.
CREATE UNIQUE INDEX payment_operations_capture_key ON payment_operations (store_id, payment_id)
  WHERE kind = 'CAPTURE' AND status <> 'FAILED';
CREATE UNIQUE INDEX payment_operations_void_key ON payment_operations (store_id, payment_id)
  WHERE kind = 'VOID' AND status <> 'FAILED';
CREATE UNIQUE INDEX payment_operations_authorize_key ON payment_operations (store_id, payment_id)
  WHERE kind = 'AUTHORIZE' AND status <> 'FAILED';
CREATE UNIQUE INDEX payment_operations_refund_key ON payment_operations (store_id, refund_id)
  WHERE kind = 'REFUND' AND status <> 'FAILED';
-- What the sweeper looks for.
CREATE INDEX idx_payment_operations_pending ON payment_operations (next_attempt_at) WHERE status = 'PENDING';
CREATE INDEX idx_provider_events_pending ON provider_events (received_at) WHERE processed_at IS NULL;

ALTER TABLE carts
  ADD CONSTRAINT carts_status_check CHECK (status IN ('OPEN', 'ORDERED', 'MERGED', 'ABANDONED')),
  ADD CONSTRAINT carts_owner_check CHECK (customer_id IS NOT NULL OR token_hash IS NOT NULL);
ALTER TABLE cart_lines
  ADD CONSTRAINT cart_lines_quantity_check CHECK (quantity BETWEEN 1 AND 100000);

ALTER TABLE delivery_slots
  ADD CONSTRAINT delivery_slots_window_check CHECK (starts_at < ends_at AND cutoff_at <= ends_at),
  ADD CONSTRAINT delivery_slots_booked_check CHECK (booked BETWEEN 0 AND capacity);
CREATE INDEX idx_delivery_zones_zip_codes ON delivery_zones USING gin (zip_codes);

ALTER TABLE coupons
  ADD CONSTRAINT coupons_code_check CHECK (code ~ '^[A-Z0-9][A-Z0-9-]{2,39}$'),
  ADD CONSTRAINT coupons_kind_check CHECK (kind IN ('PERCENTAGE', 'FIXED', 'FREE_DELIVERY')),
  ADD CONSTRAINT coupons_value_check CHECK (
    CASE kind WHEN 'PERCENTAGE' THEN value BETWEEN 1 AND 1000000 WHEN 'FIXED' THEN value > 0 ELSE value = 0 END
  ),
  ADD CONSTRAINT coupons_limits_check CHECK (
    minimum >= 0 AND maximum_discount > 0 AND usage_limit > 0 AND customer_limit > 0
  ),
  ADD CONSTRAINT coupons_window_check CHECK (starts_at < ends_at),
  -- Without a limit nothing is counted: such a coupon would be a hot row of every order that uses it.
  ADD CONSTRAINT coupons_used_check CHECK (used BETWEEN 0 AND coalesce(usage_limit, 0));
ALTER TABLE coupon_redemptions
  ADD CONSTRAINT coupon_redemptions_amount_check CHECK (amount >= 0);
ALTER TABLE coupon_uses
  ADD CONSTRAINT coupon_uses_used_check CHECK (used >= 0);

ALTER TABLE approvals
  ADD CONSTRAINT approvals_kind_check CHECK (kind IN ('REFUND', 'WITHDRAWAL', 'CASH_VARIANCE', 'LEDGER_ADJUSTMENT')),
  ADD CONSTRAINT approvals_status_check CHECK (status IN ('PENDING', 'APPROVED', 'REJECTED')),
  ADD CONSTRAINT approvals_required_check CHECK (required BETWEEN 1 AND 10 AND approved BETWEEN 0 AND required),
  ADD CONSTRAINT approvals_decided_check CHECK ((status = 'PENDING') = (decided_at IS NULL)),
  ADD CONSTRAINT approvals_approved_check CHECK (status <> 'APPROVED' OR approved = required);
ALTER TABLE approval_decisions
  ADD CONSTRAINT approval_decisions_decision_check CHECK (decision IN ('APPROVED', 'REJECTED'));
-- One rejection is enough, so there is one at most.
CREATE UNIQUE INDEX approval_decisions_rejection_key ON approval_decisions (store_id, approval_id)
  WHERE decision = 'REJECTED';
CREATE TRIGGER approval_decisions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON approval_decisions
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

ALTER TABLE withdrawals
  ADD CONSTRAINT withdrawals_amount_check CHECK (amount > 0),
  ADD CONSTRAINT withdrawals_status_check CHECK (status IN ('REQUESTED', 'PAID', 'REJECTED'));

ALTER TABLE agent_shifts
  ADD CONSTRAINT agent_shifts_status_check CHECK (status IN ('OPEN', 'COUNTED', 'CLOSED')),
  ADD CONSTRAINT agent_shifts_counted_check CHECK ((status = 'OPEN') = (counted IS NULL) AND counted >= 0);
CREATE UNIQUE INDEX agent_shifts_open_key ON agent_shifts (store_id, agent_id) WHERE status = 'OPEN';
CREATE INDEX idx_shipping_assignments_shift ON shipping_assignments (store_id, shift_id) WHERE shift_id IS NOT NULL;
CREATE INDEX idx_remittances_shift ON remittances (store_id, shift_id) WHERE shift_id IS NOT NULL;
-- Offers that ran out, found without looking at the others.
CREATE INDEX idx_shipping_assignments_expiring ON shipping_assignments (offer_expires_at) WHERE status = 'OFFERED';

-- PAYOUTS_PENDING: withdrawals that wait for approval. RECEIVABLES: what customers still owe for parcels they have.
ALTER TABLE wallets
  DROP CONSTRAINT wallets_kind_check,
  ADD CONSTRAINT wallets_kind_check CHECK (kind IN (
    'CUSTOMER', 'AGENT_EARNINGS', 'AGENT_CASH',
    'SALES', 'DELIVERY_FEES', 'TAXES', 'PROMOTIONS', 'PSP_CLEARING', 'CASH_VAULT', 'CASH_SHORT_OVER',
    'PAYOUTS_PENDING', 'RECEIVABLES'
  ));
CREATE OR REPLACE FUNCTION open_store_wallets(p_store uuid) RETURNS void LANGUAGE sql AS $$
  INSERT INTO wallets (store_id, id, kind, owner_id, currency, balance_kept, allow_negative)
  SELECT s.id, uuid_v7(), k.kind, s.id, s.currency, false, true
    FROM stores s
   CROSS JOIN unnest(ARRAY[
     'SALES', 'DELIVERY_FEES', 'TAXES', 'PROMOTIONS', 'PSP_CLEARING', 'CASH_VAULT', 'CASH_SHORT_OVER',
     'PAYOUTS_PENDING', 'RECEIVABLES'
   ]) AS k (kind)
   WHERE s.id = p_store
  ON CONFLICT DO NOTHING
$$;
SELECT open_store_wallets(s.id) FROM stores s;
