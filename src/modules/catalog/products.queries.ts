import { isId } from '../../common/ids.js';
import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';

export interface ProductsWanted {
  limit: number;
  /** Id of the last product seen. */
  after: string | null;
  search?: string;
  /** Slug or id. */
  category?: string;
  withUnpublished: boolean;
}

/** Written out, not money(): its body can't be inlined, and a call per row is what such a list spends its time on. */
const VARIANT_JSON = Prisma.sql`json_build_object(
  'id', v.id, 'sku', v.sku, 'name', v.name,
  'price', json_build_object('amount', v.price, 'currency', v.currency),
  'available', s.on_hand - s.reserved
)`;

/** The newest products after the cursor, one row more than a page, in one statement whatever their number. */
export function productsPage(wanted: ProductsWanted): Prisma.Sql {
  const { search, limit } = wanted;
  const window = Prisma.sql`
    SELECT p.*
      FROM products p
     WHERE ${search ? Prisma.sql`p.store_id = ${currentStore()}::uuid AND p.id IN (${found(search, wanted)})` : shown(wanted)}
     ORDER BY p.id DESC
     LIMIT ${limit + 1}::int`;
  return Prisma.sql`${documentsOf(window)} ORDER BY p.id DESC`;
}

export function productById(id: string, withUnpublished: boolean): Prisma.Sql {
  return documentsOf(Prisma.sql`
    SELECT p.*
      FROM products p
     WHERE p.store_id = ${currentStore()}::uuid AND p.id = ${id}::uuid AND ${onShelf(withUnpublished)}`);
}

export function variantById(productId: string, variantId: string): Prisma.Sql {
  return Prisma.sql`
    SELECT v.id, ${VARIANT_JSON}::text AS document
      FROM variants v
      JOIN stock_levels s ON s.store_id = v.store_id AND s.variant_id = v.id
     WHERE v.store_id = ${currentStore()}::uuid
       AND v.id = ${variantId}::uuid
       AND v.product_id = ${productId}::uuid
       AND v.archived_at IS NULL`;
}

function documentsOf(products: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`
    SELECT p.id,
           json_build_object(
             'id', p.id, 'slug', p.slug, 'name', p.name, 'description', p.description,
             'category', CASE WHEN c.id IS NOT NULL THEN json_build_object('id', c.id, 'slug', c.slug, 'name', c.name) END,
             'imageUrls', p.image_urls, 'published', p.published, 'variants', coalesce(living.variants, '[]')
           )::text AS document
      FROM (${products}) p
      LEFT JOIN categories c ON c.store_id = p.store_id AND c.id = p.category_id
      LEFT JOIN LATERAL (
        SELECT json_agg(${VARIANT_JSON} ORDER BY v.id) AS variants
          FROM variants v
          JOIN stock_levels s ON s.store_id = v.store_id AND s.variant_id = v.id
         WHERE v.store_id = p.store_id AND v.product_id = p.id AND v.archived_at IS NULL
      ) living ON true`;
}

function onShelf(withUnpublished: boolean): Prisma.Sql {
  return withUnpublished ? Prisma.sql`p.archived_at IS NULL` : Prisma.sql`p.published AND p.archived_at IS NULL`;
}

/** Conditions are left out where they aren't asked for, so that each combination is planned with its own index. */
function shown({ after, category, withUnpublished }: ProductsWanted): Prisma.Sql {
  const conditions = [Prisma.sql`p.store_id = ${currentStore()}::uuid`, onShelf(withUnpublished)];
  if (after !== null) conditions.push(Prisma.sql`p.id < ${after}::uuid`);
  if (category !== undefined) conditions.push(Prisma.sql`p.category_id = ${categoryId(category)}`);
  return Prisma.join(conditions, ' AND ');
}

function categoryId(slugOrId: string): Prisma.Sql {
  if (isId(slugOrId)) return Prisma.sql`${slugOrId}::uuid`;
  return Prisma.sql`(
    SELECT c.id FROM categories c WHERE c.store_id = ${currentStore()}::uuid AND c.slug = ${slugOrId}::text
  )`;
}

/** Products of the window that are read for words before the index is asked for all that have them. */
const NEWEST = 500;

/**
 * Each way of finding has its own index: words, or the one variant with this SKU. How many products have the words is not
 * for the planner to guess, who takes any beginning of a word for one of fifty: of 33,000 products it read all for a rare
 * word (100 ms), and for a common one the index names them all (10 ms). So the newest are read first, which fills the page
 * with a common word (0.5 ms); else idx_products_search says which few there are (2 ms).
 */
function found(search: string, wanted: ProductsWanted): Prisma.Sql {
  const rows = wanted.limit + 1;
  const hasWords = Prisma.sql`product_search_vector(p.name, p.description) @@ ${wordsOf(search)}`;
  return Prisma.sql`
    WITH newest AS MATERIALIZED (
      SELECT p.id
        FROM (SELECT p.* FROM products p WHERE ${shown(wanted)} ORDER BY p.id DESC LIMIT ${NEWEST}::int) p
       WHERE ${hasWords}
       ORDER BY p.id DESC
       LIMIT ${rows}::int
    ), indexed AS MATERIALIZED (
      SELECT p.id
        FROM products p
       WHERE ${shown(wanted)} AND ${hasWords} AND (SELECT count(*) FROM newest) < ${rows}::int
    )
    SELECT newest.id FROM newest
    UNION
    (SELECT indexed.id FROM indexed ORDER BY indexed.id DESC LIMIT ${rows}::int)
    UNION
    SELECT p.id
      FROM variants v
      JOIN products p ON p.store_id = v.store_id AND p.id = v.product_id
     WHERE v.store_id = ${currentStore()}::uuid
       AND v.sku = ${search}::text
       AND v.archived_at IS NULL
       AND ${shown(wanted)}`;
}

/**
 * What a person types, with quotes, OR and -, never a syntax error; a last word that isn't negated or grouped matches as
 * a beginning (':*' on the last lexeme of the query's text).
 */
function wordsOf(search: string): Prisma.Sql {
  const words = Prisma.sql`websearch_to_tsquery('simple', ${search}::text)`;
  return Prisma.sql`CASE
    WHEN ${words}::text ~ '(^| )''[^'']+''$' THEN (${words}::text || ':*')::tsquery
    ELSE ${words}
  END`;
}
