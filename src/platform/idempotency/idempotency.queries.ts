import { Prisma } from '../../generated/prisma/client.js';

/** Over all stores, oldest first, by idx_idempotency_keys_created. Rows are never updated, so their place names them. */
export function deleteOldKeys(keepHours: number, limit: number): Prisma.Sql {
  return Prisma.sql`
    WITH old AS (
      DELETE FROM idempotency_keys
       WHERE ctid = ANY (ARRAY(
         SELECT ctid
           FROM idempotency_keys
          WHERE created_at < now() - make_interval(hours => ${keepHours}::int)
          ORDER BY created_at
          LIMIT ${limit}::int
       ))
      RETURNING 1
    )
    SELECT count(*)::int AS deleted FROM old`;
}
