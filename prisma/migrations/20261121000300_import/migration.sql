-- CreateTable
CREATE TABLE "imports" (
    "store_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "file_name" TEXT NOT NULL,
    "file_bytes" BIGINT NOT NULL,
    "fingerprint" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'RUNNING',
    "position_bytes" BIGINT NOT NULL DEFAULT 0,
    "position_lines" BIGINT NOT NULL DEFAULT 0,
    "imported" BIGINT NOT NULL DEFAULT 0,
    "present" BIGINT NOT NULL DEFAULT 0,
    "rejected" BIGINT NOT NULL DEFAULT 0,
    "started_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "imports_pkey" PRIMARY KEY ("store_id","id")
);

-- CreateTable
CREATE TABLE "import_keys" (
    "store_id" UUID NOT NULL,
    "import_id" UUID NOT NULL,
    "key" TEXT NOT NULL,
    "line_no" BIGINT NOT NULL,

    CONSTRAINT "import_keys_pkey" PRIMARY KEY ("store_id","import_id","key")
);

-- CreateTable
CREATE TABLE "import_rejections" (
    "store_id" UUID NOT NULL,
    "import_id" UUID NOT NULL,
    "line_no" BIGINT NOT NULL,
    "reason" TEXT NOT NULL,
    "content" TEXT NOT NULL,

    CONSTRAINT "import_rejections_pkey" PRIMARY KEY ("store_id","import_id","line_no")
);

-- CreateIndex
CREATE UNIQUE INDEX "imports_fingerprint_key" ON "imports"("store_id", "kind", "fingerprint");

-- AddForeignKey
ALTER TABLE "imports" ADD CONSTRAINT "imports_store_id_fkey" FOREIGN KEY ("store_id") REFERENCES "stores"("id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "import_keys" ADD CONSTRAINT "import_keys_store_id_import_id_fkey" FOREIGN KEY ("store_id", "import_id") REFERENCES "imports"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "import_rejections" ADD CONSTRAINT "import_rejections_store_id_import_id_fkey" FOREIGN KEY ("store_id", "import_id") REFERENCES "imports"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

ALTER TABLE imports
  ADD CONSTRAINT imports_kind_check CHECK (kind IN ('CATALOG', 'ORDERS')),
  ADD CONSTRAINT imports_status_check CHECK (status IN ('RUNNING', 'DONE')),
  ADD CONSTRAINT imports_finished_check CHECK ((status = 'DONE') = (finished_at IS NOT NULL)),
  ADD CONSTRAINT imports_position_check CHECK (position_bytes BETWEEN 0 AND file_bytes AND position_lines >= 0),
  ADD CONSTRAINT imports_counts_check CHECK (imported >= 0 AND present >= 0 AND rejected >= 0);
