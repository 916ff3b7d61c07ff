DROP FUNCTION change_coupon(uuid, uuid, jsonb);
