CREATE OR REPLACE FUNCTION open_store_wallets(p_store uuid) RETURNS void LANGUAGE sql AS $$
  INSERT INTO wallets (store_id, id, kind, owner_id, currency, balance_kept, allow_negative)
  SELECT s.id, uuid_v7(), k.kind, s.id, s.currency, false, true
    FROM stores s
   CROSS JOIN unnest(ARRAY[
     'SALES', 'DELIVERY_FEES', 'TAXES', 'PROMOTIONS', 'PSP_CLEARING', 'CASH_VAULT', 'CASH_SHORT_OVER'
   ]) AS k (kind)
   WHERE s.id = p_store
  ON CONFLICT DO NOTHING
$$;

-- Wallets are never deleted, but for these, which nothing before this migration knows. Their entries keep them from going.
ALTER TABLE wallets DISABLE TRIGGER wallets_keep;
GRANT DELETE ON wallets TO CURRENT_USER;
DELETE FROM wallets WHERE kind IN ('PAYOUTS_PENDING', 'RECEIVABLES');
REVOKE DELETE ON wallets FROM CURRENT_USER;
ALTER TABLE wallets ENABLE TRIGGER wallets_keep;
ALTER TABLE wallets
  DROP CONSTRAINT wallets_kind_check,
  ADD CONSTRAINT wallets_kind_check CHECK (kind IN (
    'CUSTOMER', 'AGENT_EARNINGS', 'AGENT_CASH',
    'SALES', 'DELIVERY_FEES', 'TAXES', 'PROMOTIONS', 'PSP_CLEARING', 'CASH_VAULT', 'CASH_SHORT_OVER'
  ));
DROP INDEX orders_cart_key;
DROP INDEX idx_orders_slot;
DROP INDEX idx_orders_expiring;
DROP INDEX payments_provider_ref_key;
DROP INDEX payment_operations_capture_key;
DROP INDEX payment_operations_void_key;
DROP INDEX payment_operations_authorize_key;
DROP INDEX payment_operations_refund_key;
DROP INDEX idx_payment_operations_pending;
DROP INDEX idx_provider_events_pending;
DROP INDEX idx_delivery_zones_zip_codes;
DROP INDEX approval_decisions_rejection_key;
DROP INDEX agent_shifts_open_key;
DROP INDEX idx_shipping_assignments_shift;
DROP INDEX idx_remittances_shift;
DROP INDEX idx_shipping_assignments_expiring;
DROP TRIGGER approval_decisions_append_only ON approval_decisions;
ALTER TABLE stores
  DROP CONSTRAINT stores_taxes_check,
  DROP CONSTRAINT stores_card_capture_check,
  DROP CONSTRAINT stores_payment_minutes_check,
  DROP CONSTRAINT stores_approvals_check;
ALTER TABLE categories
  DROP CONSTRAINT categories_tax_check;
ALTER TABLE orders
  DROP CONSTRAINT orders_amounts_check,
  DROP CONSTRAINT orders_total_check,
  DROP CONSTRAINT orders_customer_check,
  DROP CONSTRAINT orders_waiting_check,
  ADD CONSTRAINT orders_amounts_check CHECK (
    subtotal >= 0 AND discount >= 0 AND delivery_fee >= 0 AND tax >= 0 AND total BETWEEN 0 AND 9007199254740991
  ),
  ADD CONSTRAINT orders_total_check CHECK (total = subtotal - discount + delivery_fee + tax);
ALTER TABLE order_lines
  DROP CONSTRAINT order_lines_parts_check,
  DROP CONSTRAINT order_lines_refunded_check;
ALTER TABLE payments
  DROP CONSTRAINT payments_amounts_check,
  DROP CONSTRAINT payments_method_check,
  DROP CONSTRAINT payments_provider_check,
  ADD CONSTRAINT payments_amounts_check CHECK (
    amount >= 0 AND captured_amount BETWEEN 0 AND amount AND refunded_amount BETWEEN 0 AND captured_amount
  );
ALTER TABLE refund_lines
  DROP CONSTRAINT refund_lines_quantity_check,
  DROP CONSTRAINT refund_lines_goods_check;
ALTER TABLE payment_operations
  DROP CONSTRAINT payment_operations_kind_check,
  DROP CONSTRAINT payment_operations_status_check,
  DROP CONSTRAINT payment_operations_amount_check,
  DROP CONSTRAINT payment_operations_finished_check,
  DROP CONSTRAINT payment_operations_refund_check;
ALTER TABLE carts
  DROP CONSTRAINT carts_status_check,
  DROP CONSTRAINT carts_owner_check;
ALTER TABLE cart_lines
  DROP CONSTRAINT cart_lines_quantity_check;
ALTER TABLE delivery_slots
  DROP CONSTRAINT delivery_slots_window_check,
  DROP CONSTRAINT delivery_slots_booked_check;
ALTER TABLE coupons
  DROP CONSTRAINT coupons_code_check,
  DROP CONSTRAINT coupons_kind_check,
  DROP CONSTRAINT coupons_value_check,
  DROP CONSTRAINT coupons_limits_check,
  DROP CONSTRAINT coupons_window_check,
  DROP CONSTRAINT coupons_used_check;
ALTER TABLE coupon_redemptions
  DROP CONSTRAINT coupon_redemptions_amount_check;
ALTER TABLE coupon_uses
  DROP CONSTRAINT coupon_uses_used_check;
ALTER TABLE approvals
  DROP CONSTRAINT approvals_kind_check,
  DROP CONSTRAINT approvals_status_check,
  DROP CONSTRAINT approvals_required_check,
  DROP CONSTRAINT approvals_decided_check,
  DROP CONSTRAINT approvals_approved_check;
ALTER TABLE approval_decisions
  DROP CONSTRAINT approval_decisions_decision_check;
ALTER TABLE withdrawals
  DROP CONSTRAINT withdrawals_amount_check,
  DROP CONSTRAINT withdrawals_status_check;
ALTER TABLE agent_shifts
  DROP CONSTRAINT agent_shifts_status_check,
  DROP CONSTRAINT agent_shifts_counted_check;
