-- AlterTable
ALTER TABLE "categories" ADD COLUMN     "tax_rate_ppm" INTEGER;

-- AlterTable
ALTER TABLE "orders" ADD COLUMN     "cart_id" UUID,
ADD COLUMN     "coupon_id" UUID,
ADD COLUMN     "delivery_discount" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "delivery_tax" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "guest_email" TEXT,
ADD COLUMN     "imported_at" TIMESTAMPTZ(3),
ADD COLUMN     "slot_id" UUID,
ADD COLUMN     "tax_inclusive" BOOLEAN NOT NULL DEFAULT false,
ALTER COLUMN "customer_id" DROP NOT NULL;

-- AlterTable
ALTER TABLE "order_lines" ADD COLUMN     "discount" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "refunded_quantity" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "tax" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "tax_rate_ppm" INTEGER NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "payments" ADD COLUMN     "authorized_amount" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "failure_code" TEXT,
ADD COLUMN     "provider" TEXT,
ADD COLUMN     "provider_ref" TEXT,
ADD COLUMN     "refunding_amount" BIGINT NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "refunds" ADD COLUMN     "finished_at" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "shipping_assignments" ADD COLUMN     "shift_id" UUID;

-- AlterTable
ALTER TABLE "remittances" ADD COLUMN     "shift_id" UUID;

-- AlterTable
ALTER TABLE "stores" ADD COLUMN     "approvals_required" INTEGER NOT NULL DEFAULT 1,
ADD COLUMN     "card_capture" TEXT NOT NULL DEFAULT 'AUTOMATIC',
ADD COLUMN     "delivery_tax_ppm" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "overpayment_limit" BIGINT NOT NULL DEFAULT 2000,
ADD COLUMN     "payment_minutes" INTEGER NOT NULL DEFAULT 15,
ADD COLUMN     "refund_approval_threshold" BIGINT NOT NULL DEFAULT 10000,
ADD COLUMN     "tax_inclusive" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "tax_rate_ppm" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "withdrawal_approval_threshold" BIGINT NOT NULL DEFAULT 10000;

-- CreateTable
CREATE TABLE "approvals" (
    "store_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "subject_id" UUID NOT NULL,
    "amount" BIGINT NOT NULL,
    "currency" CHAR(3) NOT NULL,
    "reason" TEXT NOT NULL,
    "payload" JSON NOT NULL,
    "requested_by" UUID NOT NULL,
    "required" SMALLINT NOT NULL,
    "approved" SMALLINT NOT NULL DEFAULT 0,
    "status" TEXT NOT NULL DEFAULT 'PENDING',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "decided_at" TIMESTAMPTZ(3),

    CONSTRAINT "approvals_pkey" PRIMARY KEY ("store_id","id")
);

-- CreateTable
CREATE TABLE "approval_decisions" (
    "store_id" UUID NOT NULL,
    "approval_id" UUID NOT NULL,
    "approver_id" UUID NOT NULL,
    "decision" TEXT NOT NULL,
    "comment" TEXT,
    "decided_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "approval_decisions_pkey" PRIMARY KEY ("store_id","approval_id","approver_id")
);

-- CreateTable
CREATE TABLE "notifications" (
    "store_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "event_id" BIGINT NOT NULL,
    "type" TEXT NOT NULL,
    "payload" JSON NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "read_at" TIMESTAMPTZ(3),

    CONSTRAINT "notifications_pkey" PRIMARY KEY ("store_id","id")
);

-- CreateTable
CREATE TABLE "carts" (
    "store_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "customer_id" UUID,
    "token_hash" BYTEA,
    "status" TEXT NOT NULL DEFAULT 'OPEN',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "carts_pkey" PRIMARY KEY ("store_id","id")
);

-- CreateTable
CREATE TABLE "cart_lines" (
    "store_id" UUID NOT NULL,
    "cart_id" UUID NOT NULL,
    "variant_id" UUID NOT NULL,
    "quantity" INTEGER NOT NULL,
    "added_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "cart_lines_pkey" PRIMARY KEY ("store_id","cart_id","variant_id")
);

-- CreateTable
CREATE TABLE "refund_lines" (
    "store_id" UUID NOT NULL,
    "refund_id" UUID NOT NULL,
    "order_id" UUID NOT NULL,
    "line_no" SMALLINT NOT NULL,
    "quantity" INTEGER NOT NULL,
    "amount" BIGINT NOT NULL,
    "goods" TEXT NOT NULL,

    CONSTRAINT "refund_lines_pkey" PRIMARY KEY ("store_id","refund_id","line_no")
);

-- CreateTable
CREATE TABLE "payment_operations" (
    "store_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "payment_id" UUID NOT NULL,
    "refund_id" UUID,
    "kind" TEXT NOT NULL,
    "amount" BIGINT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'PENDING',
    "source" TEXT,
    "attempts" SMALLINT NOT NULL DEFAULT 0,
    "next_attempt_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "failure_code" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "payment_operations_pkey" PRIMARY KEY ("store_id","id")
);

-- CreateTable
CREATE TABLE "provider_events" (
    "provider" TEXT NOT NULL,
    "event_id" TEXT NOT NULL,
    "store_id" UUID,
    "type" TEXT NOT NULL,
    "payload" JSON NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "processed_at" TIMESTAMPTZ(3),

    CONSTRAINT "provider_events_pkey" PRIMARY KEY ("provider","event_id")
);

-- CreateTable
CREATE TABLE "coupons" (
    "store_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "code" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "value" BIGINT NOT NULL,
    "minimum" BIGINT NOT NULL DEFAULT 0,
    "maximum_discount" BIGINT,
    "starts_at" TIMESTAMPTZ(3),
    "ends_at" TIMESTAMPTZ(3),
    "usage_limit" INTEGER,
    "customer_limit" INTEGER,
    "used" INTEGER NOT NULL DEFAULT 0,
    "active" BOOLEAN NOT NULL DEFAULT true,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "coupons_pkey" PRIMARY KEY ("store_id","id")
);

-- CreateTable
CREATE TABLE "coupon_redemptions" (
    "store_id" UUID NOT NULL,
    "order_id" UUID NOT NULL,
    "coupon_id" UUID NOT NULL,
    "used_by" TEXT NOT NULL,
    "amount" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "released_at" TIMESTAMPTZ(3),

    CONSTRAINT "coupon_redemptions_pkey" PRIMARY KEY ("store_id","order_id")
);

-- CreateTable
CREATE TABLE "coupon_uses" (
    "store_id" UUID NOT NULL,
    "coupon_id" UUID NOT NULL,
    "used_by" TEXT NOT NULL,
    "used" INTEGER NOT NULL,

    CONSTRAINT "coupon_uses_pkey" PRIMARY KEY ("store_id","coupon_id","used_by")
);

-- CreateTable
CREATE TABLE "coupon_failures" (
    "store_id" UUID NOT NULL,
    "principal" TEXT NOT NULL,
    "failures" INTEGER NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "coupon_failures_pkey" PRIMARY KEY ("store_id","principal")
);

-- CreateTable
CREATE TABLE "agent_shifts" (
    "store_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "agent_id" UUID NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'OPEN',
    "currency" CHAR(3) NOT NULL,
    "opening_cash" BIGINT NOT NULL,
    "expected" BIGINT,
    "counted" BIGINT,
    "opened_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "counted_at" TIMESTAMPTZ(3),
    "counted_by" UUID,
    "closed_at" TIMESTAMPTZ(3),

    CONSTRAINT "agent_shifts_pkey" PRIMARY KEY ("store_id","id")
);

-- CreateTable
CREATE TABLE "delivery_zones" (
    "store_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "zip_codes" TEXT[],
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "delivery_zones_pkey" PRIMARY KEY ("store_id","id")
);

-- CreateTable
CREATE TABLE "delivery_slots" (
    "store_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "zone_id" UUID NOT NULL,
    "starts_at" TIMESTAMPTZ(3) NOT NULL,
    "ends_at" TIMESTAMPTZ(3) NOT NULL,
    "cutoff_at" TIMESTAMPTZ(3) NOT NULL,
    "capacity" INTEGER NOT NULL,
    "booked" INTEGER NOT NULL DEFAULT 0,
    "closed_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "delivery_slots_pkey" PRIMARY KEY ("store_id","id")
);

-- CreateTable
CREATE TABLE "withdrawals" (
    "store_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "wallet_id" UUID NOT NULL,
    "amount" BIGINT NOT NULL,
    "currency" CHAR(3) NOT NULL,
    "status" TEXT NOT NULL,
    "actor_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "withdrawals_pkey" PRIMARY KEY ("store_id","id")
);

-- CreateIndex
CREATE INDEX "idx_approvals_status" ON "approvals"("store_id", "status", "id");

-- CreateIndex
CREATE UNIQUE INDEX "approvals_subject_key" ON "approvals"("store_id", "kind", "subject_id");

-- CreateIndex
CREATE INDEX "idx_notifications_user" ON "notifications"("store_id", "user_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "notifications_event_key" ON "notifications"("store_id", "user_id", "event_id");

-- CreateIndex
CREATE INDEX "idx_carts_customer" ON "carts"("store_id", "customer_id", "id");

-- CreateIndex
CREATE INDEX "idx_cart_lines_variant" ON "cart_lines"("store_id", "variant_id");

-- CreateIndex
CREATE INDEX "idx_refund_lines_order_line" ON "refund_lines"("store_id", "order_id", "line_no");

-- CreateIndex
CREATE INDEX "idx_payment_operations_payment" ON "payment_operations"("store_id", "payment_id");

-- CreateIndex
CREATE UNIQUE INDEX "coupons_code_key" ON "coupons"("store_id", "code");

-- CreateIndex
CREATE INDEX "idx_coupon_redemptions_coupon" ON "coupon_redemptions"("store_id", "coupon_id");

-- CreateIndex
CREATE INDEX "idx_agent_shifts_agent" ON "agent_shifts"("store_id", "agent_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "delivery_zones_name_key" ON "delivery_zones"("store_id", "name");

-- CreateIndex
CREATE UNIQUE INDEX "delivery_slots_window_key" ON "delivery_slots"("store_id", "zone_id", "starts_at", "ends_at");

-- CreateIndex
CREATE INDEX "idx_withdrawals_wallet" ON "withdrawals"("store_id", "wallet_id", "id");

-- AddForeignKey
ALTER TABLE "approvals" ADD CONSTRAINT "approvals_store_id_fkey" FOREIGN KEY ("store_id") REFERENCES "stores"("id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "approval_decisions" ADD CONSTRAINT "approval_decisions_store_id_approval_id_fkey" FOREIGN KEY ("store_id", "approval_id") REFERENCES "approvals"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "carts" ADD CONSTRAINT "carts_store_id_fkey" FOREIGN KEY ("store_id") REFERENCES "stores"("id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "carts" ADD CONSTRAINT "carts_store_id_customer_id_fkey" FOREIGN KEY ("store_id", "customer_id") REFERENCES "users"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "cart_lines" ADD CONSTRAINT "cart_lines_store_id_cart_id_fkey" FOREIGN KEY ("store_id", "cart_id") REFERENCES "carts"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "cart_lines" ADD CONSTRAINT "cart_lines_store_id_variant_id_fkey" FOREIGN KEY ("store_id", "variant_id") REFERENCES "variants"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "orders" ADD CONSTRAINT "orders_store_id_cart_id_fkey" FOREIGN KEY ("store_id", "cart_id") REFERENCES "carts"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "orders" ADD CONSTRAINT "orders_store_id_slot_id_fkey" FOREIGN KEY ("store_id", "slot_id") REFERENCES "delivery_slots"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "refund_lines" ADD CONSTRAINT "refund_lines_store_id_refund_id_fkey" FOREIGN KEY ("store_id", "refund_id") REFERENCES "refunds"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "refund_lines" ADD CONSTRAINT "refund_lines_store_id_order_id_line_no_fkey" FOREIGN KEY ("store_id", "order_id", "line_no") REFERENCES "order_lines"("store_id", "order_id", "line_no") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "payment_operations" ADD CONSTRAINT "payment_operations_store_id_payment_id_fkey" FOREIGN KEY ("store_id", "payment_id") REFERENCES "payments"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "payment_operations" ADD CONSTRAINT "payment_operations_store_id_refund_id_fkey" FOREIGN KEY ("store_id", "refund_id") REFERENCES "refunds"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "coupons" ADD CONSTRAINT "coupons_store_id_fkey" FOREIGN KEY ("store_id") REFERENCES "stores"("id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "coupon_redemptions" ADD CONSTRAINT "coupon_redemptions_store_id_order_id_fkey" FOREIGN KEY ("store_id", "order_id") REFERENCES "orders"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "coupon_redemptions" ADD CONSTRAINT "coupon_redemptions_store_id_coupon_id_fkey" FOREIGN KEY ("store_id", "coupon_id") REFERENCES "coupons"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "coupon_uses" ADD CONSTRAINT "coupon_uses_store_id_coupon_id_fkey" FOREIGN KEY ("store_id", "coupon_id") REFERENCES "coupons"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "shipping_assignments" ADD CONSTRAINT "shipping_assignments_store_id_shift_id_fkey" FOREIGN KEY ("store_id", "shift_id") REFERENCES "agent_shifts"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "remittances" ADD CONSTRAINT "remittances_store_id_shift_id_fkey" FOREIGN KEY ("store_id", "shift_id") REFERENCES "agent_shifts"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "agent_shifts" ADD CONSTRAINT "agent_shifts_store_id_agent_id_fkey" FOREIGN KEY ("store_id", "agent_id") REFERENCES "delivery_agents"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "delivery_zones" ADD CONSTRAINT "delivery_zones_store_id_fkey" FOREIGN KEY ("store_id") REFERENCES "stores"("id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "delivery_slots" ADD CONSTRAINT "delivery_slots_store_id_zone_id_fkey" FOREIGN KEY ("store_id", "zone_id") REFERENCES "delivery_zones"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;


