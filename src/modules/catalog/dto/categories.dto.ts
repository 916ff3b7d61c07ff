import { IsString, Length, Matches, MaxLength } from 'class-validator';
import { Omittable } from '../../../http/omittable.js';
import { LINE, onOneLine, SLUG, slugForm, trimmed } from './text.js';

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
}

export class CategoryResponse {
  id: string;
  slug: string;
  name: string;
}

export class CategoryPage {
  items: CategoryResponse[];
  nextCursor: string | null;
}
