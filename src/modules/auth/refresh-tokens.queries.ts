import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';

export interface TakenRow {
  user_id: string;
  family_id: string;
}

/**
 * Takes a token out of use; no row when it can't be. One revoked token ends its whole family: a revocation can't mark the
 * token that a refresh at the same moment has not issued yet.
 */
export function takeToken(tokenHash: Uint8Array): Prisma.Sql {
  return Prisma.sql`
    UPDATE refresh_tokens t
       SET used_at = now()
     WHERE t.store_id = ${currentStore()}::uuid
       AND t.token_hash = ${tokenHash}::bytea
       AND t.used_at IS NULL
       AND t.revoked_at IS NULL
       AND t.expires_at > now()
       AND NOT EXISTS (
         SELECT 1
           FROM refresh_tokens r
          WHERE r.store_id = t.store_id AND r.family_id = t.family_id AND r.revoked_at IS NOT NULL
       )
    RETURNING t.user_id, t.family_id`;
}

/**
 * Deletes tokens whose time is over, oldest first. One that was revoked stays for as long as a token of its family lives: it
 * is what ends that one, too.
 */
export function deleteExpired(limit: number): Prisma.Sql {
  return Prisma.sql`
    WITH deleted AS (
      DELETE FROM refresh_tokens t
       WHERE t.store_id = ${currentStore()}::uuid
         AND t.id = ANY (ARRAY(
           SELECT e.id
             FROM refresh_tokens e
            WHERE e.store_id = ${currentStore()}::uuid
              AND e.expires_at < now()
              AND (e.revoked_at IS NULL OR NOT EXISTS (
                SELECT 1
                  FROM refresh_tokens l
                 WHERE l.store_id = e.store_id AND l.family_id = e.family_id AND l.expires_at > now()
              ))
            ORDER BY e.expires_at
            LIMIT ${limit}::int
         ))
      RETURNING 1
    )
    SELECT count(*)::int AS deleted FROM deleted`;
}
