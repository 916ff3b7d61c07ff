DROP INDEX idx_orders_imported;
