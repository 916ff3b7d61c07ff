import { newId } from '../../src/common/ids.js';
import type { Shop } from './shop.js';

export interface CouponColumns {
  kind?: 'PERCENTAGE' | 'FIXED' | 'FREE_DELIVERY';
  value?: number;
  minimum?: number;
  maximumDiscount?: number | null;
  usageLimit?: number | null;
  customerLimit?: number | null;
}

/** A coupon with a code that nobody guesses. Returns the code. */
export async function makeCoupon(shop: Shop, columns: CouponColumns = {}): Promise<string> {
  const { kind = 'FIXED', value = 100, minimum = 0, maximumDiscount, usageLimit, customerLimit } = columns;
  const code = `C-${newId().slice(-12).toUpperCase()}`;
  await shop.larder.sql.query(
    `INSERT INTO coupons (store_id, id, code, kind, value, minimum, maximum_discount, usage_limit, customer_limit)
     VALUES ($1, uuid_v7(), $2, $3, $4, $5, $6, $7, $8)`,
    [shop.store.id, code, kind, value, minimum, maximumDiscount, usageLimit, customerLimit],
  );
  return code;
}

export interface SlotColumns {
  capacity?: number;
  /** From now, as an interval. */
  cutoff?: string;
  closed?: boolean;
}

/** A window that can be booked in an hour's time; each has a day of its own. */
export async function makeSlot(shop: Shop, zoneId: string, columns: SlotColumns = {}): Promise<string> {
  const id = newId();
  const { capacity = 5, cutoff = '1 hour', closed = false } = columns;
  await shop.larder.sql.query(
    `INSERT INTO delivery_slots (store_id, id, zone_id, starts_at, ends_at, cutoff_at, capacity, closed_at)
     SELECT $1, $2, $3, now() + n.n * interval '1 day', now() + n.n * interval '1 day' + interval '2 hours',
            now() + $5::interval, $4, CASE WHEN $6 THEN now() END
       FROM (SELECT 1 + count(*) AS n FROM delivery_slots) n`,
    [shop.store.id, id, zoneId, capacity, cutoff, closed],
  );
  return id;
}
