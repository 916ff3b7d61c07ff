/** A batch of variants in a table that only this connection sees, emptied by each commit. */
export const CREATE_CATALOG_STAGE = `
  CREATE TEMP TABLE staged_variants (
    line bigint PRIMARY KEY, sku text, product text, name text, price bigint, description text, category text,
    category_name text, variant text, on_hand int, published boolean, image_urls text,
    new_product_id uuid, new_variant_id uuid, new_category_id uuid, fate text
  ) ON COMMIT DELETE ROWS`;

/** $1: rows as JSON. */
export const STAGE_VARIANTS = `
  INSERT INTO staged_variants
  SELECT * FROM json_populate_recordset(NULL::staged_variants, $1)`;

/** $1: the store, $2: the import. */
export const JUDGE_VARIANTS = [
  `UPDATE staged_variants s
      SET fate = CASE WHEN k.line_no = s.line THEN 'PRESENT' ELSE 'sku: stands in line ' || k.line_no || ' already' END
     FROM import_keys k
    WHERE k.store_id = $1 AND k.import_id = $2 AND k.key = s.sku`,
  `UPDATE staged_variants s
      SET fate = 'sku: stands in line ' || twice.first_line || ' already'
     FROM (SELECT line, min(line) OVER (PARTITION BY sku) AS first_line FROM staged_variants) twice
    WHERE s.line = twice.line AND twice.line > twice.first_line AND s.fate IS NULL`,
  `UPDATE staged_variants s
      SET fate = 'sku: of the product ' || p.slug
     FROM variants v
     JOIN products p ON p.store_id = v.store_id AND p.id = v.product_id
    WHERE v.store_id = $1 AND v.sku = s.sku AND v.archived_at IS NULL AND p.slug <> s.product AND s.fate IS NULL`,
];

export interface VariantFateRow {
  line: string;
  fate: string;
}

export const VARIANT_FATES = `SELECT line, fate FROM staged_variants WHERE fate IS NOT NULL`;
export const CLEAR_VARIANTS = `DELETE FROM staged_variants`;

/** $2: the import. */
export const KEEP_SKUS = `
  INSERT INTO import_keys (store_id, import_id, key, line_no)
  SELECT $1, $2, s.sku, s.line FROM staged_variants s WHERE s.fate IS NULL`;

/** What a file says of each product in several lines: the last that says anything counts. */
const SAID = `
  SELECT s.product,
         (array_agg(s.new_product_id ORDER BY s.line))[1] AS new_id,
         (array_agg(s.name ORDER BY s.line DESC))[1] AS name,
         (array_agg(s.description ORDER BY s.line DESC) FILTER (WHERE s.description IS NOT NULL))[1] AS description,
         (array_agg(s.category ORDER BY s.line DESC) FILTER (WHERE s.category IS NOT NULL))[1] AS category,
         (array_agg(s.published ORDER BY s.line DESC) FILTER (WHERE s.published IS NOT NULL))[1] AS published,
         (array_agg(s.image_urls ORDER BY s.line DESC) FILTER (WHERE s.image_urls IS NOT NULL))[1] AS image_urls
    FROM staged_variants s
   WHERE s.fate IS NULL
   GROUP BY s.product`;

const CATEGORIES = `
  INSERT INTO categories (store_id, id, slug, name)
  SELECT $1, (array_agg(s.new_category_id ORDER BY s.line))[1], s.category,
         coalesce((array_agg(s.category_name ORDER BY s.line) FILTER (WHERE s.category_name IS NOT NULL))[1], s.category)
    FROM staged_variants s
   WHERE s.fate IS NULL AND s.category IS NOT NULL
   GROUP BY s.category
   ORDER BY s.category
  ON CONFLICT (store_id, slug) DO NOTHING`;

/** In the order of their ids: none of them is archived while it gets a variant. */
const LOCK_PRODUCTS = `
  SELECT 1
    FROM products p
   WHERE p.store_id = $1 AND p.archived_at IS NULL AND p.slug IN (SELECT s.product FROM staged_variants s WHERE s.fate IS NULL)
   ORDER BY p.id
     FOR NO KEY UPDATE`;

const CHANGE_PRODUCTS = `
  UPDATE products p
     SET name = said.name,
         description = coalesce(said.description, p.description),
         category_id = coalesce(c.id, p.category_id),
         published = coalesce(said.published, p.published),
         image_urls = coalesce(string_to_array(said.image_urls, ' '), p.image_urls),
         updated_at = now()
    FROM (${SAID}) said
    LEFT JOIN categories c ON c.store_id = $1 AND c.slug = said.category
   WHERE p.store_id = $1 AND p.slug = said.product AND p.archived_at IS NULL
     AND (p.name, p.description, p.category_id, p.published, p.image_urls) IS DISTINCT FROM (
       said.name, coalesce(said.description, p.description), coalesce(c.id, p.category_id), coalesce(said.published, p.published),
       coalesce(string_to_array(said.image_urls, ' '), p.image_urls)
     )`;

const ADD_PRODUCTS = `
  INSERT INTO products (store_id, id, slug, name, description, category_id, published, image_urls)
  SELECT $1, said.new_id, said.product, said.name, coalesce(said.description, ''), c.id, coalesce(said.published, true),
         coalesce(string_to_array(said.image_urls, ' '), '{}')
    FROM (${SAID}) said
    LEFT JOIN categories c ON c.store_id = $1 AND c.slug = said.category
   WHERE NOT EXISTS (
     SELECT 1 FROM products p WHERE p.store_id = $1 AND p.slug = said.product AND p.archived_at IS NULL
   )`;

const CHANGE_VARIANTS = `
  UPDATE variants v
     SET price = s.price, name = coalesce(s.variant, v.name)
    FROM staged_variants s
   WHERE v.store_id = $1 AND v.sku = s.sku AND v.archived_at IS NULL AND s.fate IS NULL
     AND (v.price, v.name) IS DISTINCT FROM (s.price, coalesce(s.variant, v.name))`;

/** Stock is received for new variants only: what lies on the shelf of the others is known better today. */
const ADD_VARIANTS = `
  WITH added AS (
    INSERT INTO variants (store_id, id, product_id, sku, name, price, currency)
    SELECT $1, s.new_variant_id, p.id, s.sku, coalesce(s.variant, ''), s.price, store.currency
      FROM staged_variants s
      JOIN stores store ON store.id = $1
      JOIN products p ON p.store_id = $1 AND p.slug = s.product AND p.archived_at IS NULL
     WHERE s.fate IS NULL
       AND NOT EXISTS (SELECT 1 FROM variants v WHERE v.store_id = $1 AND v.sku = s.sku AND v.archived_at IS NULL)
    RETURNING store_id, id, sku
  ), stocked AS (
    INSERT INTO stock_levels (store_id, variant_id, on_hand)
    SELECT a.store_id, a.id, s.on_hand
      FROM added a
      JOIN staged_variants s ON s.new_variant_id = a.id
    RETURNING store_id, variant_id, on_hand
  )
  INSERT INTO stock_movements (store_id, variant_id, delta, reason, note)
  SELECT store_id, variant_id, on_hand, 'RECEIPT', 'imported' FROM stocked WHERE on_hand > 0`;

/** $1: the store. In this order. */
export const WRITE_CATALOG = [CATEGORIES, LOCK_PRODUCTS, CHANGE_PRODUCTS, ADD_PRODUCTS, CHANGE_VARIANTS, ADD_VARIANTS];
