DROP FUNCTION uuid_v7();
DROP FUNCTION order_document(orders, boolean);
DROP FUNCTION iso_time(timestamptz);
DROP FUNCTION money(bigint, text);
