import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';
import type { CouponKind } from './dto/coupon.dto.js';

export interface CouponRow {
  id: string;
  code: string;
  kind: CouponKind;
  value: number;
  active: boolean;
  starts_at: Date | null;
  ends_at: Date | null;
  minimum: number;
  maximum_discount: number | null;
  usage_limit: number | null;
  customer_limit: number | null;
  used: number;
  created_at: Date;
}

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

/** See change_coupon(). A row of nothing but NULL when there is no such coupon. */
export function changeCoupon(id: string, changes: CouponChanges): Prisma.Sql {
  return Prisma.sql`
    SELECT c.id, c.code, c.kind, c.value, c.active, c.starts_at, c.ends_at, c.minimum, c.maximum_discount, c.usage_limit,
           c.customer_limit, c.used, c.created_at
      FROM change_coupon(${currentStore()}::uuid, ${id}::uuid, ${JSON.stringify(changes)}::jsonb) c
     WHERE c.id IS NOT NULL`;
}
