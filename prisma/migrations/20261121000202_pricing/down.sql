DROP FUNCTION lock_slot(uuid, uuid, text);
DROP FUNCTION release_booking(uuid, uuid);
DROP FUNCTION redeem_coupon(coupons, uuid, text, bigint);
DROP FUNCTION lock_coupon(coupons, text);
DROP FUNCTION find_coupon(uuid, text, text);
DROP FUNCTION price_order(stores, uuid[], int[], coupons);
DROP FUNCTION split_by_largest_remainder(bigint, bigint[]);
DROP FUNCTION tax_of(bigint, int, boolean);
