DROP FUNCTION remove_idle_carts(uuid, timestamptz, int);
DROP FUNCTION quote_cart(uuid, uuid, uuid, text, bytea, text, text, text, uuid, text, text);
DROP FUNCTION quote_coupon(coupons, text);
DROP FUNCTION quote_slot(delivery_slots, text);
DROP FUNCTION merge_cart(uuid, uuid, bytea, uuid);
DROP FUNCTION change_cart_line(uuid, uuid, uuid, bytea, uuid, int);
DROP FUNCTION open_cart(uuid, uuid, uuid);
DROP FUNCTION cart_document(carts);
DROP FUNCTION cart_problems(uuid, uuid[], int[]);
DROP INDEX idx_carts_idle;
DROP INDEX idx_carts_merged_into;
DROP INDEX carts_open_key;
DROP INDEX carts_token_key;
ALTER TABLE carts
  DROP CONSTRAINT carts_owner_check,
  DROP CONSTRAINT carts_merged_check,
  DROP CONSTRAINT carts_status_check,
  DROP CONSTRAINT carts_store_id_merged_into_id_fkey,
  DROP COLUMN merged_into_id;
ALTER TABLE carts
  ADD CONSTRAINT carts_status_check CHECK (status IN ('OPEN', 'ORDERED', 'MERGED', 'ABANDONED')),
  ADD CONSTRAINT carts_owner_check CHECK (customer_id IS NOT NULL OR token_hash IS NOT NULL);
