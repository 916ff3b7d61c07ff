import { ArrayMaxSize, ArrayMinSize, ArrayUnique, IsArray, IsString, Length, Matches } from 'class-validator';
import { Omittable } from '../../../http/omittable.js';
import { LINE, onOneLine, trimmed } from '../../../http/text.js';

export class NewZoneDto {
  /** Unique in the store. */
  @trimmed
  @IsString()
  @Length(1, 100)
  @Matches(LINE, onOneLine)
  name: string;

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(1000)
  @ArrayUnique()
  @IsString({ each: true })
  @Length(1, 20, { each: true })
  zipCodes: string[];
}

export class ZoneChangesDto {
  @Omittable()
  @trimmed
  @IsString()
  @Length(1, 100)
  @Matches(LINE, onOneLine)
  name?: string;

  @Omittable()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(1000)
  @ArrayUnique()
  @IsString({ each: true })
  @Length(1, 20, { each: true })
  zipCodes?: string[];
}

export class ZoneResponse {
  id: string;
  name: string;
  zipCodes: string[];
}

export class ZonePageResponse {
  items: ZoneResponse[];
  nextCursor: string | null;
}
