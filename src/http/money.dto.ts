import { IsInt, IsPositive, Matches, Max, Min } from 'class-validator';

const LARGEST = 10_000_000_000;

/** An amount in minor units (cents) of an ISO 4217 currency. */
export class MoneyDto {
  @IsInt()
  amount: number;

  @Matches(/^[A-Z]{3}$/, { message: 'currency must be a code of ISO 4217, three capitals' })
  currency: string;
}

// class-validator drops what the parent says of a field that a child has rules of its own for: IsInt again.

/** An amount above zero. */
export class PositiveMoneyDto extends MoneyDto {
  @IsInt()
  @IsPositive()
  @Max(LARGEST)
  declare amount: number;
}

/** A price: zero or more. */
export class PriceDto extends MoneyDto {
  @IsInt()
  @Min(0)
  @Max(LARGEST)
  declare amount: number;
}
