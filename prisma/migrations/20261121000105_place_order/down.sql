DROP FUNCTION place_order(uuid, uuid, uuid, text, uuid[], int[], json, text, text, text, text, text);
DROP FUNCTION post_sale(orders, uuid);
DROP FUNCTION unservable_lines(uuid, uuid[], int[], json);
DROP FUNCTION lock_stock(uuid, uuid[], int[]);
DROP FUNCTION wanted_stock(uuid[], int[]);
DROP FUNCTION order_number(bigint);
-- Orders keep their numbers; applied again, the sequence would give them out again. Set it before the next order:
-- SELECT setval('order_number_seq', <orders placed so far>).
DROP SEQUENCE order_number_seq;
