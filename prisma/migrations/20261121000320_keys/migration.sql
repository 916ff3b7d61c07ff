-- Foreign keys between what came at different times.
ALTER TABLE "orders" ADD CONSTRAINT "orders_store_id_coupon_id_fkey" FOREIGN KEY ("store_id", "coupon_id") REFERENCES "coupons"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;
ALTER TABLE "coupon_failures" ADD CONSTRAINT "coupon_failures_store_id_fkey" FOREIGN KEY ("store_id") REFERENCES "stores"("id") ON DELETE RESTRICT ON UPDATE RESTRICT;
ALTER TABLE "notifications" ADD CONSTRAINT "notifications_store_id_user_id_fkey" FOREIGN KEY ("store_id", "user_id") REFERENCES "users"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;
ALTER TABLE "withdrawals" ADD CONSTRAINT "withdrawals_store_id_wallet_id_fkey" FOREIGN KEY ("store_id", "wallet_id") REFERENCES "wallets"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;
ALTER TABLE "dead_jobs" ADD CONSTRAINT "dead_jobs_store_id_fkey" FOREIGN KEY ("store_id") REFERENCES "stores"("id") ON DELETE RESTRICT ON UPDATE RESTRICT;
