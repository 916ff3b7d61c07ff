import { IsInt, IsPositive, Matches, Max, Min } from 'class-validator';

const LARGEST = 10_000_000_000;

/** An amount in minor units (cents) of an ISO 4217 currency. */
export class MoneyDto {
  @IsInt()
  amount: number;

  @Matches(/^[A-Z]{3}$/, { message: 'currency must be a code of ISO 4217, three capitals' })
  currency: string;
}

/** An amount above zero. */
export class PositiveMoneyDto extends MoneyDto {
  @IsPositive()
  @Max(LARGEST)
  declare amount: number;
}

/** A price: zero or more. */
export class PriceDto extends MoneyDto {
  @Min(0)
  @Max(LARGEST)
  declare amount: number;
}
