import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsObject,
  IsOptional,
  IsString,
  IsUrl,
  IsUUID,
  Length,
  Matches,
  MaxLength,
  ValidateNested,
} from 'class-validator';
import { Omittable } from '../../../http/omittable.js';
import { PageQuery } from '../../../http/page.dto.js';
import { LINE, onOneLine, PROSE, SLUG, slugForm, trimmed } from '../../../http/text.js';
import { NewVariantDto, VariantResponse } from './variants.dto.js';

export class ProductsQuery extends PageQuery {
  /**
   * Words of name or description, the last one may be begun only, accents and small typing errors don't matter; or an exact
   * SKU. "Quotes" keep words together, or between words means either, -word none with it.
   */
  @IsOptional()
  @trimmed
  @IsString()
  @MaxLength(200)
  @Matches(LINE, onOneLine)
  search?: string;

  /** Slug or id of a category. */
  @IsOptional()
  @IsString()
  @MaxLength(100)
  @Matches(SLUG, slugForm)
  category?: string;
}

export class NewProductDto {
  @trimmed
  @IsString()
  @Length(1, 200)
  @Matches(LINE, onOneLine)
  name: string;

  /** Unique in the store, for addresses. */
  @IsString()
  @MaxLength(100)
  @Matches(SLUG, slugForm)
  slug: string;

  @Omittable()
  @IsString()
  @MaxLength(10_000)
  @Matches(PROSE, onOneLine)
  description?: string;

  @IsOptional()
  @IsUUID()
  categoryId?: string | null;

  @Omittable()
  @IsArray()
  @ArrayMaxSize(20)
  @IsUrl({ protocols: ['http', 'https'], require_protocol: true, require_tld: false }, { each: true })
  @MaxLength(2000, { each: true })
  @Matches(LINE, { each: true, ...onOneLine })
  imageUrls?: string[];

  @IsBoolean()
  published: boolean;

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(100)
  @IsObject({ each: true })
  @ArrayUnique((variant: NewVariantDto | null) => variant?.sku, { message: 'each variant needs a SKU of its own' })
  @ValidateNested({ each: true })
  @Type(() => NewVariantDto)
  variants: NewVariantDto[];
}

export class ProductChangesDto {
  @Omittable()
  @trimmed
  @IsString()
  @Length(1, 200)
  @Matches(LINE, onOneLine)
  name?: string;

  @Omittable()
  @IsString()
  @MaxLength(100)
  @Matches(SLUG, slugForm)
  slug?: string;

  @Omittable()
  @IsString()
  @MaxLength(10_000)
  @Matches(PROSE, onOneLine)
  description?: string;

  /** null takes the product out of its category. */
  @IsOptional()
  @IsUUID()
  categoryId?: string | null;

  @Omittable()
  @IsArray()
  @ArrayMaxSize(20)
  @IsUrl({ protocols: ['http', 'https'], require_protocol: true, require_tld: false }, { each: true })
  @MaxLength(2000, { each: true })
  @Matches(LINE, { each: true, ...onOneLine })
  imageUrls?: string[];

  @Omittable()
  @IsBoolean()
  published?: boolean;
}

/** Its category as customers see it. */
export class ProductCategoryResponse {
  id: string;
  slug: string;
  name: string;
}

export class ProductResponse {
  id: string;
  slug: string;
  name: string;
  description: string;
  category: ProductCategoryResponse | null;
  imageUrls: string[];
  published: boolean;
  variants: VariantResponse[];
}

export class ProductPage {
  items: ProductResponse[];
  nextCursor: string | null;
}
