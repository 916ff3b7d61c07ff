-- Orders of the past, which the verifier asks for in four of its claims: it read all orders for the few or none of them. An order
-- that is placed here is not in it.
CREATE INDEX idx_orders_imported ON orders (store_id, id) WHERE imported_at IS NOT NULL;
