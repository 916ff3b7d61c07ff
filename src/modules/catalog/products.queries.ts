import { isId } from '../../common/ids.js';
import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';

/** Which products somebody may see and asks for. */
export interface Shelf {
  /** Slug or id. */
  category?: string;
  withUnpublished: boolean;
}

export interface ProductsWanted extends Shelf {
  limit: number;
  /** Id of the last product seen. */
  after: string | null;
}

/** Written out, not money(): its body can't be inlined, and a call per row is what such a list spends its time on. */
const VARIANT_JSON = Prisma.sql`json_build_object(
  'id', v.id, 'sku', v.sku, 'name', v.name,
  'price', json_build_object('amount', v.price, 'currency', v.currency),
  'available', s.on_hand - s.reserved
)`;

/** The newest products after the cursor, one row more than a page, in one statement whatever their number. */
export function productsPage(wanted: ProductsWanted): Prisma.Sql {
  const { after, limit } = wanted;
  const window = Prisma.sql`
    SELECT p.*
      FROM products p
     WHERE ${onShelf(wanted)} ${after === null ? Prisma.empty : Prisma.sql`AND p.id < ${after}::uuid`}
     ORDER BY p.id DESC
     LIMIT ${limit + 1}::int`;
  return Prisma.sql`${documentsOf(window)} ORDER BY p.id DESC`;
}

export function productById(id: string, withUnpublished: boolean): Prisma.Sql {
  return documentsOf(Prisma.sql`
    SELECT p.*
      FROM products p
     WHERE p.id = ${id}::uuid AND ${onShelf({ withUnpublished })}`);
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

/**
 * Each product of a query as its JSON, beside the query's own columns that are named. "IS TRUE" hides from the planner that
 * the indexes of living SKUs would do: planned while the catalog was empty, they read all of the store for each product, and
 * still do when 30,000 have been imported (5 ms each).
 */
export function documentsOf(products: Prisma.Sql, columns = Prisma.sql`p.id`): Prisma.Sql {
  return Prisma.sql`
    SELECT ${columns},
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
         WHERE v.store_id = p.store_id AND v.product_id = p.id AND (v.archived_at IS NULL) IS TRUE
      ) living ON true
     WHERE p.store_id = ${currentStore()}::uuid`;
}

/**
 * Conditions are left out where they aren't asked for, so that each combination is planned with its own index: a category with
 * idx_products_category, since the others don't know by "IS TRUE" that all in them is what is wanted.
 */
export function onShelf({ category, withUnpublished }: Shelf): Prisma.Sql {
  const conditions = [Prisma.sql`p.store_id = ${currentStore()}::uuid`];
  if (!withUnpublished) conditions.push(Prisma.sql`p.published`);
  if (category === undefined) conditions.push(Prisma.sql`p.archived_at IS NULL`);
  else
    conditions.push(Prisma.sql`(p.archived_at IS NULL) IS TRUE`, Prisma.sql`p.category_id = ${categoryId(category)}`);
  return Prisma.join(conditions, ' AND ');
}

export function categoryId(slugOrId: string): Prisma.Sql {
  if (isId(slugOrId)) return Prisma.sql`${slugOrId}::uuid`;
  return Prisma.sql`(
    SELECT c.id FROM categories c WHERE c.store_id = ${currentStore()}::uuid AND c.slug = ${slugOrId}::text
  )`;
}
