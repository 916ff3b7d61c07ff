DROP TRIGGER shipping_assignments_times ON shipping_assignments;
DROP FUNCTION keep_assignment_times();
DROP TRIGGER stock_movements_append_only ON stock_movements;
DROP TRIGGER order_history_append_only ON order_history;
DROP FUNCTION refuse_change();

DROP INDEX idx_outbox_events_pending;
ALTER TABLE remittances DROP CONSTRAINT remittances_amount_check;
DROP INDEX idx_shipping_assignments_delivered_sla;
DROP INDEX idx_shipping_assignments_open;
DROP INDEX shipping_assignments_active_key;
ALTER TABLE shipping_assignments
  DROP CONSTRAINT shipping_assignments_status_check,
  DROP CONSTRAINT shipping_assignments_cash_check,
  DROP CONSTRAINT shipping_assignments_agent_check;
ALTER TABLE delivery_agents
  DROP CONSTRAINT delivery_agents_status_check;

ALTER TABLE refunds
  DROP CONSTRAINT refunds_amount_check,
  DROP CONSTRAINT refunds_destination_check,
  DROP CONSTRAINT refunds_status_check;
ALTER TABLE payments
  DROP CONSTRAINT payments_status_check,
  DROP CONSTRAINT payments_amounts_check;

ALTER TABLE order_lines
  DROP CONSTRAINT order_lines_quantity_check,
  DROP CONSTRAINT order_lines_total_check;
ALTER TABLE orders
  DROP CONSTRAINT orders_status_check,
  DROP CONSTRAINT orders_payment_method_check,
  DROP CONSTRAINT orders_total_check,
  DROP CONSTRAINT orders_amounts_check,
  DROP CONSTRAINT orders_delivery_code_check;

ALTER TABLE stock_movements
  DROP CONSTRAINT stock_movements_delta_check,
  DROP CONSTRAINT stock_movements_reason_check;
ALTER TABLE stock_levels
  DROP CONSTRAINT stock_levels_on_hand_check,
  DROP CONSTRAINT stock_levels_reserved_check,
  DROP CONSTRAINT stock_levels_oversold_check;

DROP INDEX idx_products_published;
DROP INDEX idx_products_search;
DROP FUNCTION product_search_vector(text, text);
ALTER TABLE variants
  DROP CONSTRAINT variants_price_check;
DROP INDEX variants_sku_key;
DROP INDEX products_slug_key;
DROP INDEX idx_refresh_tokens_revoked;

ALTER TABLE users
  DROP CONSTRAINT users_email_check,
  DROP CONSTRAINT users_roles_check;
ALTER TABLE stores
  DROP CONSTRAINT stores_currency_check,
  DROP CONSTRAINT stores_slug_check,
  DROP CONSTRAINT stores_fees_check,
  DROP CONSTRAINT stores_proof_check;
