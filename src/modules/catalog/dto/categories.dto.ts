import { IsInt, IsOptional, IsString, Length, Matches, Max, MaxLength, Min } from 'class-validator';
import { Omittable } from '../../../http/omittable.js';
import { LINE, onOneLine, SLUG, slugForm, trimmed } from '../../../http/text.js';

export class NewCategoryDto {
  /** Unique in the store, for addresses. */
  @IsString()
  @MaxLength(100)
  @Matches(SLUG, slugForm)
  slug: string;

  @trimmed
  @IsString()
  @Length(1, 200)
  @Matches(LINE, onOneLine)
  name: string;

  /** Tax on its goods, parts per million: 88750 is 8.875 %. Null: the store's. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(1_000_000)
  taxRatePpm?: number | null;
}

export class CategoryChangesDto {
  @Omittable()
  @IsString()
  @MaxLength(100)
  @Matches(SLUG, slugForm)
  slug?: string;

  @Omittable()
  @trimmed
  @IsString()
  @Length(1, 200)
  @Matches(LINE, onOneLine)
  name?: string;

  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(1_000_000)
  taxRatePpm?: number | null;
}

export class CategoryResponse {
  id: string;
  slug: string;
  name: string;
  taxRatePpm: number | null;
}

export class CategoryPage {
  items: CategoryResponse[];
  nextCursor: string | null;
}
