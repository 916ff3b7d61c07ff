import { Type } from 'class-transformer';
import { IsObject, IsString, Length, Matches, MaxLength, ValidateNested } from 'class-validator';
import { MoneyDto, PriceDto } from '../../../http/money.dto.js';
import { Omittable } from '../../../http/omittable.js';
import { LINE, onOneLine, trimmed } from '../../../http/text.js';

export class NewVariantDto {
  /** Stock keeping unit, unique in the store. */
  @trimmed
  @IsString()
  @Length(1, 64)
  @Matches(LINE, onOneLine)
  sku: string;

  /** What tells it from its siblings: a size, a colour. */
  @Omittable()
  @trimmed
  @IsString()
  @MaxLength(200)
  @Matches(LINE, onOneLine)
  name?: string;

  /** In the store's currency. */
  @IsObject()
  @ValidateNested()
  @Type(() => PriceDto)
  price: PriceDto;
}

export class VariantChangesDto {
  @Omittable()
  @trimmed
  @IsString()
  @MaxLength(200)
  @Matches(LINE, onOneLine)
  name?: string;

  /** In the store's currency. Orders that were placed keep the price they were placed at. */
  @Omittable()
  @IsObject()
  @ValidateNested()
  @Type(() => PriceDto)
  price?: PriceDto;
}

export class VariantResponse {
  id: string;
  sku: string;
  name: string;
  price: MoneyDto;
  /** Pieces that can be ordered now. */
  available: number;
}
