import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';

export interface NewVariant {
  id: string;
  productId: string;
  sku: string;
  name: string;
  price: number;
  currency: string;
}

/**
 * A variant with its empty stock; no row when there is no such product. FOR SHARE makes it wait for an archiving under way,
 * and that one for it: no living variant is left behind in an archived product.
 */
export function insertVariant({ id, productId, sku, name, price, currency }: NewVariant): Prisma.Sql {
  return Prisma.sql`
    WITH product AS (
      SELECT p.store_id, p.id
        FROM products p
       WHERE p.store_id = ${currentStore()}::uuid AND p.id = ${productId}::uuid AND p.archived_at IS NULL
         FOR SHARE
    ),
    added AS (
      INSERT INTO variants (store_id, id, product_id, sku, name, price, currency)
      SELECT product.store_id, ${id}::uuid, product.id, ${sku}::text, ${name}::text, ${price}::bigint, ${currency}::text
        FROM product
      RETURNING store_id, id
    )
    INSERT INTO stock_levels (store_id, variant_id)
    SELECT store_id, id
      FROM added
    RETURNING variant_id`;
}
