DROP FUNCTION unapproved_refunds(payments);
DROP FUNCTION missing_pieces(orders, uuid[], int[]);
DROP FUNCTION request_refund(
  uuid, uuid, bigint, text, uuid[], int[], text[], text, text, uuid, text, text, text
);
DROP FUNCTION restock_pieces(uuid, uuid, uuid, uuid);
DROP FUNCTION release_refund(uuid, uuid, text, uuid);
DROP FUNCTION refund_rest(uuid, uuid, uuid, text);
DROP FUNCTION open_refund(payments, bigint, text, text, uuid, text);
DROP FUNCTION pay_refund(uuid, uuid, uuid);
DROP FUNCTION settle_refund(uuid, uuid, uuid);
DROP FUNCTION lock_refund_order(uuid, uuid);
DROP FUNCTION tell_refund(refunds, uuid, text);
DROP FUNCTION post_reversal(orders, text, text, uuid, text, uuid, bigint, bigint[]);
DROP FUNCTION sale_left(orders, uuid[]);
DROP FUNCTION sale_wallets(orders);
DROP FUNCTION split_over_sale(bigint, bigint[]);
DROP FUNCTION take_goods_back(refunds, uuid, uuid);
DROP FUNCTION lock_refund_stock(uuid, uuid[]);
DROP FUNCTION refund_pieces(orders, uuid[], int[], text[]);
DROP FUNCTION share_of_left(bigint, bigint, bigint);
DROP FUNCTION refund_document(refunds);
ALTER TABLE refunds DROP CONSTRAINT refunds_finished_check;
ALTER TABLE refund_lines DROP CONSTRAINT refund_lines_parts_check, DROP COLUMN tax, DROP COLUMN discount;
