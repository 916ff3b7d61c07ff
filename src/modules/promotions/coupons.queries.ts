import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';

/** A coupon with the row that counts everybody's uses. */
export const COUNTED = { uses: { where: { usedBy: '' }, select: { used: true } } } satisfies Prisma.CouponInclude;
export type CountedCoupon = Prisma.CouponGetPayload<{ include: typeof COUNTED }>;

/** Columns of a coupon that may change, by their names in the database; what is missing stays. */
export interface CouponChanges {
  active?: boolean;
  starts_at?: string | null;
  ends_at?: string | null;
  minimum?: number;
  maximum_discount?: number | null;
  usage_limit?: number | null;
  customer_limit?: number | null;
}

/** Forgets guesses that count no more, some at a time; see find_coupon(). */
export function forgetGuesses(limit: number): Prisma.Sql {
  return Prisma.sql`
    WITH forgotten AS (
      DELETE FROM coupon_failures f
       WHERE f.store_id = ${currentStore()}::uuid
         AND f.principal IN (
           SELECT o.principal
             FROM coupon_failures o
            WHERE o.store_id = ${currentStore()}::uuid AND o.since <= now() - interval '1 hour'
            LIMIT ${limit}::int
         )
         AND f.since <= now() - interval '1 hour'
      RETURNING 1
    )
    SELECT count(*)::int AS forgotten
      FROM forgotten`;
}

/** See change_coupon(). No row when there is no such coupon. */
export function changeCoupon(id: string, changes: CouponChanges): Prisma.Sql {
  return Prisma.sql`
    SELECT c.id
      FROM change_coupon(${currentStore()}::uuid, ${id}::uuid, ${JSON.stringify(changes)}::jsonb) c
     WHERE c.id IS NOT NULL`;
}
