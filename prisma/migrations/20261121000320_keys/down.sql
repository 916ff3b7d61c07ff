ALTER TABLE "dead_jobs" DROP CONSTRAINT "dead_jobs_store_id_fkey";
ALTER TABLE "withdrawals" DROP CONSTRAINT "withdrawals_store_id_wallet_id_fkey";
ALTER TABLE "notifications" DROP CONSTRAINT "notifications_store_id_user_id_fkey";
ALTER TABLE "coupon_failures" DROP CONSTRAINT "coupon_failures_store_id_fkey";
ALTER TABLE "orders" DROP CONSTRAINT "orders_store_id_coupon_id_fkey";
