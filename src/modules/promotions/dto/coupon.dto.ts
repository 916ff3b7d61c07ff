import { Transform } from 'class-transformer';
import {
  IsBoolean,
  IsIn,
  IsInt,
  IsISO8601,
  IsOptional,
  IsPositive,
  IsString,
  Matches,
  Max,
  Min,
} from 'class-validator';
import { Omittable } from '../../../http/omittable.js';
import { PageQuery } from '../../../http/page.dto.js';

export const COUPON_KINDS = ['PERCENTAGE', 'FIXED', 'FREE_DELIVERY'] as const;
export type CouponKind = (typeof COUPON_KINDS)[number];

const LARGEST = 10_000_000_000;
const MOST_USES = 1_000_000_000;

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/;
const instantForm = '$property must be a time with its offset, as 2026-11-21T08:00:00Z';

const upper = Transform(({ value }: { value: unknown }) =>
  typeof value === 'string' ? value.trim().toUpperCase() : value,
);

/** What may change of a coupon that orders use; null takes a limit away. */
export class CouponChangesDto {
  @Omittable()
  @IsBoolean()
  active?: boolean;

  @IsOptional()
  @IsISO8601({ strict: true }, { message: instantForm })
  @Matches(INSTANT, { message: instantForm })
  startsAt?: string | null;

  @IsOptional()
  @IsISO8601({ strict: true }, { message: instantForm })
  @Matches(INSTANT, { message: instantForm })
  endsAt?: string | null;

  /** Goods for at least this, in minor units of the store's currency. */
  @Omittable()
  @IsInt()
  @Min(0)
  @Max(LARGEST)
  minimum?: number;

  /** Most that a PERCENTAGE takes off, in minor units. */
  @IsOptional()
  @IsInt()
  @IsPositive()
  @Max(LARGEST)
  maximumDiscount?: number | null;

  /** Orders that may use it at a time. Those that were cancelled or expired don't count. */
  @IsOptional()
  @IsInt()
  @IsPositive()
  @Max(MOST_USES)
  usageLimit?: number | null;

  /** The same for each customer; guests are known by their e-mail. */
  @IsOptional()
  @IsInt()
  @IsPositive()
  @Max(MOST_USES)
  customerLimit?: number | null;
}

export class NewCouponDto extends CouponChangesDto {
  /** Capitals, digits and hyphens, 3 to 40; unique in the store. */
  @upper
  @IsString()
  @Matches(/^[A-Z0-9][A-Z0-9-]{2,39}$/, { message: 'code must be 3 to 40 letters, digits and hyphens' })
  code: string;

  @IsIn(COUPON_KINDS)
  kind: CouponKind;

  /** PERCENTAGE: parts per million of the goods (100000 is 10 %). FIXED: minor units. FREE_DELIVERY: 0. */
  @IsInt()
  @Min(0)
  @Max(LARGEST)
  value: number;
}

export class CouponsQuery extends PageQuery {
  @IsOptional()
  @IsString()
  @Matches(/^[A-Za-z0-9-]{1,40}$/, { message: 'code must be letters, digits and hyphens' })
  code?: string;
}

export class CouponResponse {
  id: string;
  code: string;
  kind: CouponKind;
  value: number;
  active: boolean;
  startsAt: string | null;
  endsAt: string | null;
  minimum: number;
  maximumDiscount: number | null;
  usageLimit: number | null;
  customerLimit: number | null;
  /** Orders that use it now; null where no limit makes anybody count. */
  used: number | null;
  createdAt: string;
}

export class CouponPageResponse {
  items: CouponResponse[];
  nextCursor: string | null;
}
