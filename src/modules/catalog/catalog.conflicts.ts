import { failure } from '../../common/exceptions/failure.js';
import { violates } from '../../platform/prisma/database-error.js';

const FIELD_BY_KEY = {
  products_slug_key: 'slug',
  variants_sku_key: 'sku',
  categories_slug_key: 'slug',
};

/** A duplicate of a slug or SKU as CONFLICT that says which of them; any other error as it is. */
export function nameTheConflict(error: unknown): unknown {
  const found = Object.entries(FIELD_BY_KEY).find(([key]) => violates(error, key));
  return found ? failure('CONFLICT', [{ field: found[1] }]) : error;
}
