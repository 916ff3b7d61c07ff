import {
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  NotEquals,
  Validate,
  type ValidationArguments,
  ValidatorConstraint,
  type ValidatorConstraintInterface,
} from 'class-validator';
import { PageQuery } from '../../../http/page.dto.js';

// Two constants: at `@Min(SMALLEST_DELTA)` the plugin that writes the OpenAPI document leaves the field out.
const SMALLEST_DELTA = -1_000_000;
const LARGEST_DELTA = 1_000_000;
const NO_CONTROL_CHARACTERS = /^\P{Cc}*$/u;

/** Reasons that a person can give; SALE is written by shipping an order. */
const REASONS = ['RECEIPT', 'CORRECTION', 'DAMAGE', 'RETURN'] as const;
export type AdjustmentReason = (typeof REASONS)[number];

/** Which way a reason moves stock; CORRECTION goes both. */
const SIGN: Partial<Record<AdjustmentReason, 1 | -1>> = { RECEIPT: 1, RETURN: 1, DAMAGE: -1 };

@ValidatorConstraint()
class DeltaSuitsReason implements ValidatorConstraintInterface {
  validate(delta: unknown, { object }: ValidationArguments): boolean {
    const sign = SIGN[(object as AdjustmentDto).reason];
    return sign === undefined || Math.sign(Number(delta)) === sign;
  }

  defaultMessage(): string {
    return 'delta must be above zero for RECEIPT and RETURN, below zero for DAMAGE';
  }
}

export class AdjustmentDto {
  /** Pieces that come (above zero) or go (below). */
  @IsInt()
  @Min(SMALLEST_DELTA)
  @Max(LARGEST_DELTA)
  @NotEquals(0)
  @Validate(DeltaSuitsReason)
  delta: number;

  @IsIn(REASONS)
  reason: AdjustmentReason;

  @IsOptional()
  @IsString()
  @MaxLength(500)
  @Matches(NO_CONTROL_CHARACTERS, { message: 'note must not contain control characters' })
  note?: string | null;
}

export class StockQuery extends PageQuery {
  /** Exactly this SKU. */
  @IsOptional()
  @IsString()
  @MaxLength(64)
  @Matches(NO_CONTROL_CHARACTERS, { message: 'sku must not contain control characters' })
  sku?: string;
}

export class StockLevelResponse {
  variantId: string;
  /** Pieces on the shelf. */
  onHand: number;
  /** Of these, promised to orders that have not been shipped. */
  reserved: number;
  /** What is left to sell: on hand less reserved. */
  available: number;
}

export class StockItemResponse extends StockLevelResponse {
  sku: string;
  productId: string;
}

export class StockPage {
  items: StockItemResponse[];
  nextCursor: string | null;
}

export class StockMovementResponse {
  id: string;
  delta: number;
  reason: AdjustmentReason | 'SALE';
  orderId: string | null;
  actorId: string | null;
  note: string | null;
  createdAt: string;
}

export class StockMovementPage {
  items: StockMovementResponse[];
  nextCursor: string | null;
}
