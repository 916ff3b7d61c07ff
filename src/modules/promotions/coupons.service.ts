import { Injectable } from '@nestjs/common';
import { failure } from '../../common/exceptions/failure.js';
import { newId } from '../../common/ids.js';
import { decodeCursor, type Page, toPage, UUID_CURSOR } from '../../common/pagination.js';
import { currentStore } from '../../common/request-context.js';
import { Database } from '../../platform/prisma/database.js';
import { violates } from '../../platform/prisma/database-error.js';
import { changeCoupon, COUNTED, type CountedCoupon, type CouponChanges } from './coupons.queries.js';
import type { CouponChangesDto, CouponKind, CouponResponse, CouponsQuery, NewCouponDto } from './dto/coupon.dto.js';

/** The coupons of a store. What an order gets for one is in price_order() and use_coupon(), in the order's own statement. */
@Injectable()
export class CouponsService {
  constructor(private readonly database: Database) {}

  /** Newest first. @throws INVALID_CURSOR */
  async page({ code, limit, cursor }: CouponsQuery): Promise<Page<CouponResponse>> {
    const before = decodeCursor('coupons', cursor, UUID_CURSOR);
    const rows = await this.database.prisma.coupon.findMany({
      where: { code: code?.toUpperCase(), ...(before === null ? {} : { id: { lt: before } }) },
      orderBy: { id: 'desc' },
      take: limit + 1,
      include: COUNTED,
    });
    return toPage('coupons', rows.map(toResponse), limit, ({ id }) => id);
  }

  /** @throws NOT_FOUND */
  async find(id: string): Promise<CouponResponse> {
    const row = await this.database.prisma.coupon.findFirst({ where: { id }, include: COUNTED });
    if (!row) throw failure('NOT_FOUND');
    return toResponse(row);
  }

  /** @throws CONFLICT, VALIDATION_FAILED when kind, value and times don't go together */
  async create(body: NewCouponDto): Promise<CouponResponse> {
    const { code, kind, value } = body;
    const { startsAt, endsAt, active, minimum, maximumDiscount, usageLimit, customerLimit } = body;
    try {
      const row = await this.database.prisma.coupon.create({
        data: {
          ...{ storeId: currentStore(), id: newId(), code, kind, value },
          ...{ startsAt: instant(startsAt), endsAt: instant(endsAt) },
          ...{ active, minimum, maximumDiscount, usageLimit, customerLimit },
        },
        include: COUNTED,
      });
      return toResponse(row);
    } catch (error) {
      throw explained(error);
    }
  }

  /** @throws NOT_FOUND, COUPON_LIMIT_BELOW_USED, VALIDATION_FAILED */
  async change(id: string, body: CouponChangesDto): Promise<CouponResponse> {
    const changes: CouponChanges = {
      active: body.active,
      starts_at: instant(body.startsAt),
      ends_at: instant(body.endsAt),
      minimum: body.minimum,
      maximum_discount: body.maximumDiscount,
      usage_limit: body.usageLimit,
      customer_limit: body.customerLimit,
    };
    try {
      const [row] = await this.database.query<{ id: string }>(changeCoupon(id, changes));
      if (!row) throw failure('NOT_FOUND');
    } catch (error) {
      throw explained(error);
    }
    return this.find(id);
  }
}

/** In UTC; null and undefined stay what they are. */
function instant<T extends string | null | undefined>(time: T): string | T {
  return time ? new Date(time).toISOString() : time;
}

/** What the table's own rules object to, in the words of the API. */
function explained(error: unknown): unknown {
  if (violates(error, 'coupons_code_key')) return failure('CONFLICT', [{ field: 'code' }]);
  if (violates(error, 'coupon_uses_used_check')) return failure('COUPON_LIMIT_BELOW_USED');
  if (violates(error, 'coupons_value_check')) {
    const message = 'value must be 1 to 1000000 for PERCENTAGE, above 0 for FIXED, and 0 for FREE_DELIVERY';
    return failure('VALIDATION_FAILED', [{ field: 'value', message }]);
  }
  if (violates(error, 'coupons_window_check')) {
    return failure('VALIDATION_FAILED', [{ field: 'endsAt', message: 'endsAt must be after startsAt' }]);
  }
  return error;
}

function toResponse(row: CountedCoupon): CouponResponse {
  return {
    id: row.id,
    code: row.code,
    kind: row.kind as CouponKind,
    value: Number(row.value),
    active: row.active,
    startsAt: row.startsAt?.toISOString() ?? null,
    endsAt: row.endsAt?.toISOString() ?? null,
    minimum: Number(row.minimum),
    maximumDiscount: row.maximumDiscount === null ? null : Number(row.maximumDiscount),
    usageLimit: row.usageLimit,
    customerLimit: row.customerLimit,
    used: row.usageLimit === null ? null : (row.uses[0]?.used ?? 0),
    createdAt: row.createdAt.toISOString(),
  };
}
