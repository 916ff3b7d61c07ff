-- DropForeignKey
ALTER TABLE "approvals" DROP CONSTRAINT "approvals_store_id_fkey";

-- DropForeignKey
ALTER TABLE "approval_decisions" DROP CONSTRAINT "approval_decisions_store_id_approval_id_fkey";

-- DropForeignKey
ALTER TABLE "carts" DROP CONSTRAINT "carts_store_id_fkey";

-- DropForeignKey
ALTER TABLE "carts" DROP CONSTRAINT "carts_store_id_customer_id_fkey";

-- DropForeignKey
ALTER TABLE "cart_lines" DROP CONSTRAINT "cart_lines_store_id_cart_id_fkey";

-- DropForeignKey
ALTER TABLE "cart_lines" DROP CONSTRAINT "cart_lines_store_id_variant_id_fkey";

-- DropForeignKey
ALTER TABLE "orders" DROP CONSTRAINT "orders_store_id_cart_id_fkey";

-- DropForeignKey
ALTER TABLE "orders" DROP CONSTRAINT "orders_store_id_slot_id_fkey";

-- DropForeignKey
ALTER TABLE "refund_lines" DROP CONSTRAINT "refund_lines_store_id_refund_id_fkey";

-- DropForeignKey
ALTER TABLE "refund_lines" DROP CONSTRAINT "refund_lines_store_id_order_id_line_no_fkey";

-- DropForeignKey
ALTER TABLE "payment_operations" DROP CONSTRAINT "payment_operations_store_id_payment_id_fkey";

-- DropForeignKey
ALTER TABLE "payment_operations" DROP CONSTRAINT "payment_operations_store_id_refund_id_fkey";

-- DropForeignKey
ALTER TABLE "coupons" DROP CONSTRAINT "coupons_store_id_fkey";

-- DropForeignKey
ALTER TABLE "coupon_redemptions" DROP CONSTRAINT "coupon_redemptions_store_id_order_id_fkey";

-- DropForeignKey
ALTER TABLE "coupon_redemptions" DROP CONSTRAINT "coupon_redemptions_store_id_coupon_id_fkey";

-- DropForeignKey
ALTER TABLE "coupon_uses" DROP CONSTRAINT "coupon_uses_store_id_coupon_id_fkey";

-- DropForeignKey
ALTER TABLE "shipping_assignments" DROP CONSTRAINT "shipping_assignments_store_id_shift_id_fkey";

-- DropForeignKey
ALTER TABLE "remittances" DROP CONSTRAINT "remittances_store_id_shift_id_fkey";

-- DropForeignKey
ALTER TABLE "agent_shifts" DROP CONSTRAINT "agent_shifts_store_id_agent_id_fkey";

-- DropForeignKey
ALTER TABLE "delivery_zones" DROP CONSTRAINT "delivery_zones_store_id_fkey";

-- DropForeignKey
ALTER TABLE "delivery_slots" DROP CONSTRAINT "delivery_slots_store_id_zone_id_fkey";

-- AlterTable
ALTER TABLE "categories" DROP COLUMN "tax_rate_ppm";

-- AlterTable
ALTER TABLE "orders" DROP COLUMN "cart_id",
DROP COLUMN "coupon_id",
DROP COLUMN "delivery_discount",
DROP COLUMN "delivery_tax",
DROP COLUMN "guest_email",
DROP COLUMN "imported_at",
DROP COLUMN "slot_id",
DROP COLUMN "tax_inclusive",
ALTER COLUMN "customer_id" SET NOT NULL;

-- AlterTable
ALTER TABLE "order_lines" DROP COLUMN "discount",
DROP COLUMN "refunded_quantity",
DROP COLUMN "tax",
DROP COLUMN "tax_rate_ppm";

-- AlterTable
ALTER TABLE "payments" DROP COLUMN "authorized_amount",
DROP COLUMN "failure_code",
DROP COLUMN "provider",
DROP COLUMN "provider_ref",
DROP COLUMN "refunding_amount";

-- AlterTable
ALTER TABLE "refunds" DROP COLUMN "finished_at";

-- AlterTable
ALTER TABLE "shipping_assignments" DROP COLUMN "shift_id";

-- AlterTable
ALTER TABLE "remittances" DROP COLUMN "shift_id";

-- AlterTable
ALTER TABLE "stores" DROP COLUMN "approvals_required",
DROP COLUMN "card_capture",
DROP COLUMN "delivery_tax_ppm",
DROP COLUMN "overpayment_limit",
DROP COLUMN "payment_minutes",
DROP COLUMN "refund_approval_threshold",
DROP COLUMN "tax_inclusive",
DROP COLUMN "tax_rate_ppm",
DROP COLUMN "withdrawal_approval_threshold";

-- DropTable
DROP TABLE "approvals";

-- DropTable
DROP TABLE "approval_decisions";

-- DropTable
DROP TABLE "notifications";

-- DropTable
DROP TABLE "carts";

-- DropTable
DROP TABLE "cart_lines";

-- DropTable
DROP TABLE "refund_lines";

-- DropTable
DROP TABLE "payment_operations";

-- DropTable
DROP TABLE "provider_events";

-- DropTable
DROP TABLE "coupons";

-- DropTable
DROP TABLE "coupon_redemptions";

-- DropTable
DROP TABLE "coupon_uses";

-- DropTable
DROP TABLE "coupon_failures";

-- DropTable
DROP TABLE "agent_shifts";

-- DropTable
DROP TABLE "delivery_zones";

-- DropTable
DROP TABLE "delivery_slots";

-- DropTable
DROP TABLE "withdrawals";


