-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateTable
CREATE TABLE "users" (
    "store_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "email" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "password_hash" TEXT NOT NULL,
    "roles" TEXT[],
    "address" JSONB,
    "disabled_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "users_pkey" PRIMARY KEY ("store_id","id")
);

-- CreateTable
CREATE TABLE "refresh_tokens" (
    "store_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "family_id" UUID NOT NULL,
    "token_hash" BYTEA NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "used_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "refresh_tokens_pkey" PRIMARY KEY ("store_id","id")
);

-- CreateTable
CREATE TABLE "categories" (
    "store_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "slug" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "categories_pkey" PRIMARY KEY ("store_id","id")
);

-- CreateTable
CREATE TABLE "products" (
    "store_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "slug" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',
    "category_id" UUID,
    "image_urls" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "published" BOOLEAN NOT NULL DEFAULT false,
    "archived_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "products_pkey" PRIMARY KEY ("store_id","id")
);

-- CreateTable
CREATE TABLE "variants" (
    "store_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "product_id" UUID NOT NULL,
    "sku" TEXT NOT NULL,
    "name" TEXT NOT NULL DEFAULT '',
    "price" BIGINT NOT NULL,
    "currency" CHAR(3) NOT NULL,
    "archived_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "variants_pkey" PRIMARY KEY ("store_id","id")
);

-- CreateTable
CREATE TABLE "stock_levels" (
    "store_id" UUID NOT NULL,
    "variant_id" UUID NOT NULL,
    "on_hand" INTEGER NOT NULL DEFAULT 0,
    "reserved" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "stock_levels_pkey" PRIMARY KEY ("store_id","variant_id")
);

-- CreateTable
CREATE TABLE "stock_movements" (
    "store_id" UUID NOT NULL,
    "variant_id" UUID NOT NULL,
    "id" BIGSERIAL NOT NULL,
    "delta" INTEGER NOT NULL,
    "reason" TEXT NOT NULL,
    "order_id" UUID,
    "actor_id" UUID,
    "note" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "stock_movements_pkey" PRIMARY KEY ("store_id","variant_id","id")
);

-- CreateTable
CREATE TABLE "orders" (
    "store_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "number" TEXT NOT NULL,
    "customer_id" UUID NOT NULL,
    "status" TEXT NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "payment_method" TEXT NOT NULL,
    "currency" CHAR(3) NOT NULL,
    "subtotal" BIGINT NOT NULL,
    "discount" BIGINT NOT NULL DEFAULT 0,
    "delivery_fee" BIGINT NOT NULL DEFAULT 0,
    "tax" BIGINT NOT NULL DEFAULT 0,
    "total" BIGINT NOT NULL,
    "delivery_address" JSON NOT NULL,
    "delivery_zip" TEXT NOT NULL,
    "delivery_code" TEXT NOT NULL,
    "note" TEXT,
    "promised_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3),
    "placed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "orders_pkey" PRIMARY KEY ("store_id","id")
);

-- CreateTable
CREATE TABLE "order_lines" (
    "store_id" UUID NOT NULL,
    "order_id" UUID NOT NULL,
    "line_no" SMALLINT NOT NULL,
    "variant_id" UUID NOT NULL,
    "sku" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "quantity" INTEGER NOT NULL,
    "unit_price" BIGINT NOT NULL,
    "total" BIGINT NOT NULL,

    CONSTRAINT "order_lines_pkey" PRIMARY KEY ("store_id","order_id","line_no")
);

-- CreateTable
CREATE TABLE "order_history" (
    "store_id" UUID NOT NULL,
    "order_id" UUID NOT NULL,
    "version" INTEGER NOT NULL,
    "from_status" TEXT,
    "to_status" TEXT NOT NULL,
    "actor_id" UUID,
    "actor_role" TEXT NOT NULL,
    "reason" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "order_history_pkey" PRIMARY KEY ("store_id","order_id","version")
);

-- CreateTable
CREATE TABLE "payments" (
    "store_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "order_id" UUID NOT NULL,
    "method" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "currency" CHAR(3) NOT NULL,
    "amount" BIGINT NOT NULL,
    "captured_amount" BIGINT NOT NULL DEFAULT 0,
    "refunded_amount" BIGINT NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "payments_pkey" PRIMARY KEY ("store_id","id")
);

-- CreateTable
CREATE TABLE "refunds" (
    "store_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "payment_id" UUID NOT NULL,
    "amount" BIGINT NOT NULL,
    "destination" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "actor_id" UUID,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "refunds_pkey" PRIMARY KEY ("store_id","id")
);

-- CreateTable
CREATE TABLE "idempotency_keys" (
    "store_id" UUID NOT NULL,
    "principal" TEXT NOT NULL,
    "route" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "fingerprint" TEXT NOT NULL,
    "status_code" SMALLINT NOT NULL,
    "response" JSON NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "idempotency_keys_pkey" PRIMARY KEY ("store_id","principal","route","key")
);

-- CreateTable
CREATE TABLE "outbox_events" (
    "id" BIGSERIAL NOT NULL,
    "store_id" UUID NOT NULL,
    "aggregate_type" TEXT NOT NULL,
    "aggregate_id" UUID NOT NULL,
    "type" TEXT NOT NULL,
    "payload" JSON NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "published_at" TIMESTAMPTZ(3),

    CONSTRAINT "outbox_events_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "delivery_agents" (
    "store_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'OFFLINE',
    "service_zip_codes" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "delivery_agents_pkey" PRIMARY KEY ("store_id","id")
);

-- CreateTable
CREATE TABLE "shipping_assignments" (
    "store_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "order_id" UUID NOT NULL,
    "agent_id" UUID,
    "status" TEXT NOT NULL,
    "zip" TEXT NOT NULL,
    "cash_due" BIGINT NOT NULL DEFAULT 0,
    "cash_collected" BIGINT,
    "currency" CHAR(3) NOT NULL,
    "proof" JSON,
    "proof_attempts" SMALLINT NOT NULL DEFAULT 0,
    "fail_reason" TEXT,
    "offered_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "offer_expires_at" TIMESTAMPTZ(3),
    "accepted_at" TIMESTAMPTZ(3),
    "picked_up_at" TIMESTAMPTZ(3),
    "delivered_at" TIMESTAMPTZ(3),
    "closed_at" TIMESTAMPTZ(3),
    "promised_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "shipping_assignments_pkey" PRIMARY KEY ("store_id","id")
);

-- CreateTable
CREATE TABLE "assignment_rejections" (
    "store_id" UUID NOT NULL,
    "assignment_id" UUID NOT NULL,
    "agent_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "assignment_rejections_pkey" PRIMARY KEY ("store_id","assignment_id","agent_id")
);

-- CreateTable
CREATE TABLE "remittances" (
    "store_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "agent_id" UUID NOT NULL,
    "amount" BIGINT NOT NULL,
    "currency" CHAR(3) NOT NULL,
    "actor_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "remittances_pkey" PRIMARY KEY ("store_id","id")
);

-- CreateTable
CREATE TABLE "stores" (
    "id" UUID NOT NULL,
    "slug" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "currency" CHAR(3) NOT NULL,
    "timezone" TEXT NOT NULL DEFAULT 'UTC',
    "service_zip_codes" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "delivery_fee" BIGINT NOT NULL DEFAULT 0,
    "agent_fee" BIGINT NOT NULL DEFAULT 0,
    "agent_float_limit" BIGINT NOT NULL DEFAULT 50000,
    "offer_ttl_seconds" INTEGER NOT NULL DEFAULT 900,
    "promise_minutes" INTEGER NOT NULL DEFAULT 120,
    "delivery_proof" TEXT NOT NULL DEFAULT 'CODE',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "stores_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "wallets" (
    "store_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "owner_id" UUID NOT NULL,
    "currency" CHAR(3) NOT NULL,
    "balance" BIGINT NOT NULL DEFAULT 0,
    "balance_kept" BOOLEAN NOT NULL,
    "allow_negative" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "wallets_pkey" PRIMARY KEY ("store_id","id")
);

-- CreateTable
CREATE TABLE "ledger_transactions" (
    "store_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "type" TEXT NOT NULL,
    "reference" TEXT NOT NULL,
    "actor_id" UUID,
    "memo" TEXT,
    "posted_in" xid8 NOT NULL DEFAULT pg_current_xact_id(),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "ledger_transactions_pkey" PRIMARY KEY ("store_id","id")
);

-- CreateTable
CREATE TABLE "ledger_entries" (
    "wallet_id" UUID NOT NULL,
    "id" BIGSERIAL NOT NULL,
    "store_id" UUID NOT NULL,
    "transaction_id" UUID NOT NULL,
    "amount" BIGINT NOT NULL,
    "currency" CHAR(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "ledger_entries_pkey" PRIMARY KEY ("wallet_id","id")
);

-- CreateTable
CREATE TABLE "wallet_checkpoints" (
    "store_id" UUID NOT NULL,
    "wallet_id" UUID NOT NULL,
    "entry_id" BIGINT NOT NULL,
    "balance" BIGINT,
    "marked_in" xid8 NOT NULL DEFAULT pg_current_xact_id(),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "wallet_checkpoints_pkey" PRIMARY KEY ("store_id","wallet_id","entry_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "users_email_key" ON "users"("store_id", "email");

-- CreateIndex
CREATE UNIQUE INDEX "refresh_tokens_hash_key" ON "refresh_tokens"("token_hash");

-- CreateIndex
CREATE INDEX "idx_refresh_tokens_family" ON "refresh_tokens"("family_id");

-- CreateIndex
CREATE INDEX "idx_refresh_tokens_user" ON "refresh_tokens"("store_id", "user_id");

-- CreateIndex
CREATE UNIQUE INDEX "categories_slug_key" ON "categories"("store_id", "slug");

-- CreateIndex
CREATE INDEX "idx_products_category" ON "products"("store_id", "category_id", "id");

-- CreateIndex
CREATE INDEX "idx_variants_product" ON "variants"("store_id", "product_id");

-- CreateIndex
CREATE INDEX "idx_orders_customer" ON "orders"("store_id", "customer_id", "id");

-- CreateIndex
CREATE INDEX "idx_orders_status" ON "orders"("store_id", "status", "id");

-- CreateIndex
CREATE UNIQUE INDEX "orders_number_key" ON "orders"("store_id", "number");

-- CreateIndex
CREATE INDEX "idx_order_lines_variant" ON "order_lines"("store_id", "variant_id");

-- CreateIndex
CREATE UNIQUE INDEX "payments_order_key" ON "payments"("store_id", "order_id");

-- CreateIndex
CREATE INDEX "idx_refunds_payment" ON "refunds"("store_id", "payment_id");

-- CreateIndex
CREATE INDEX "idx_idempotency_keys_created" ON "idempotency_keys"("created_at");

-- CreateIndex
CREATE INDEX "idx_delivery_agents_zip_codes" ON "delivery_agents" USING GIN ("service_zip_codes");

-- CreateIndex
CREATE INDEX "idx_shipping_assignments_agent_status" ON "shipping_assignments"("agent_id", "status", "created_at");

-- CreateIndex
CREATE INDEX "idx_shipping_assignments_agent" ON "shipping_assignments"("store_id", "agent_id", "id");

-- CreateIndex
CREATE INDEX "idx_shipping_assignments_status" ON "shipping_assignments"("store_id", "status", "id");

-- CreateIndex
CREATE INDEX "idx_remittances_agent" ON "remittances"("store_id", "agent_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "stores_slug_key" ON "stores"("slug");

-- CreateIndex
CREATE UNIQUE INDEX "wallets_owner_key" ON "wallets"("store_id", "kind", "owner_id", "currency");

-- CreateIndex
CREATE UNIQUE INDEX "ledger_transactions_reference_key" ON "ledger_transactions"("store_id", "type", "reference");

-- CreateIndex
CREATE INDEX "idx_ledger_entries_wallet_amount" ON "ledger_entries"("wallet_id", "amount");

-- CreateIndex
CREATE INDEX "idx_ledger_entries_created" ON "ledger_entries"("created_at" DESC);

-- CreateIndex
CREATE INDEX "idx_ledger_entries_transaction" ON "ledger_entries"("store_id", "transaction_id");

-- AddForeignKey
ALTER TABLE "users" ADD CONSTRAINT "users_store_id_fkey" FOREIGN KEY ("store_id") REFERENCES "stores"("id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "refresh_tokens" ADD CONSTRAINT "refresh_tokens_store_id_user_id_fkey" FOREIGN KEY ("store_id", "user_id") REFERENCES "users"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "categories" ADD CONSTRAINT "categories_store_id_fkey" FOREIGN KEY ("store_id") REFERENCES "stores"("id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "products" ADD CONSTRAINT "products_store_id_fkey" FOREIGN KEY ("store_id") REFERENCES "stores"("id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "products" ADD CONSTRAINT "products_store_id_category_id_fkey" FOREIGN KEY ("store_id", "category_id") REFERENCES "categories"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "variants" ADD CONSTRAINT "variants_store_id_product_id_fkey" FOREIGN KEY ("store_id", "product_id") REFERENCES "products"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "stock_levels" ADD CONSTRAINT "stock_levels_store_id_variant_id_fkey" FOREIGN KEY ("store_id", "variant_id") REFERENCES "variants"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "stock_movements" ADD CONSTRAINT "stock_movements_store_id_variant_id_fkey" FOREIGN KEY ("store_id", "variant_id") REFERENCES "stock_levels"("store_id", "variant_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "orders" ADD CONSTRAINT "orders_store_id_customer_id_fkey" FOREIGN KEY ("store_id", "customer_id") REFERENCES "users"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "order_lines" ADD CONSTRAINT "order_lines_store_id_order_id_fkey" FOREIGN KEY ("store_id", "order_id") REFERENCES "orders"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "order_lines" ADD CONSTRAINT "order_lines_store_id_variant_id_fkey" FOREIGN KEY ("store_id", "variant_id") REFERENCES "stock_levels"("store_id", "variant_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "order_history" ADD CONSTRAINT "order_history_store_id_order_id_fkey" FOREIGN KEY ("store_id", "order_id") REFERENCES "orders"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "payments" ADD CONSTRAINT "payments_store_id_order_id_fkey" FOREIGN KEY ("store_id", "order_id") REFERENCES "orders"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "refunds" ADD CONSTRAINT "refunds_store_id_payment_id_fkey" FOREIGN KEY ("store_id", "payment_id") REFERENCES "payments"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "delivery_agents" ADD CONSTRAINT "delivery_agents_store_id_id_fkey" FOREIGN KEY ("store_id", "id") REFERENCES "users"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "shipping_assignments" ADD CONSTRAINT "shipping_assignments_store_id_order_id_fkey" FOREIGN KEY ("store_id", "order_id") REFERENCES "orders"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "shipping_assignments" ADD CONSTRAINT "shipping_assignments_store_id_agent_id_fkey" FOREIGN KEY ("store_id", "agent_id") REFERENCES "delivery_agents"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "assignment_rejections" ADD CONSTRAINT "assignment_rejections_store_id_assignment_id_fkey" FOREIGN KEY ("store_id", "assignment_id") REFERENCES "shipping_assignments"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "remittances" ADD CONSTRAINT "remittances_store_id_agent_id_fkey" FOREIGN KEY ("store_id", "agent_id") REFERENCES "delivery_agents"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "wallets" ADD CONSTRAINT "wallets_store_id_fkey" FOREIGN KEY ("store_id") REFERENCES "stores"("id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "ledger_entries" ADD CONSTRAINT "ledger_entries_store_id_transaction_id_fkey" FOREIGN KEY ("store_id", "transaction_id") REFERENCES "ledger_transactions"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "wallet_checkpoints" ADD CONSTRAINT "wallet_checkpoints_store_id_wallet_id_fkey" FOREIGN KEY ("store_id", "wallet_id") REFERENCES "wallets"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

