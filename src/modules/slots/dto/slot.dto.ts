import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsInt,
  IsISO8601,
  IsNotEmpty,
  IsObject,
  IsOptional,
  IsString,
  IsUUID,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import { Omittable } from '../../../http/omittable.js';

const DAY = /^2\d{3}-\d{2}-\d{2}$/;
const dayForm = '$property must be a day, as 2026-11-21';
const CLOCK = /^([01]\d|2[0-3]):[0-5]\d$/;
const clockForm = '$property must be a time of day from 00:00 to 23:59';
const CLOCK_TO_MIDNIGHT = /^(([01]\d|2[0-3]):[0-5]\d|24:00)$/;
const endForm = '$property must be a time of day from 00:00 to 24:00';
const MOST_PARCELS = 100_000;
const WEEK_MINUTES = 10_080;

export class SlotWindowDto {
  /** In the store's time zone. */
  @IsString()
  @Matches(CLOCK, { message: clockForm })
  start: string;

  /** The same day, 24:00 being its end; after the start. */
  @IsString()
  @Matches(CLOCK_TO_MIDNIGHT, { message: endForm })
  end: string;

  /** Orders that it takes. */
  @IsInt()
  @Min(0)
  @Max(MOST_PARCELS)
  capacity: number;

  /** Minutes before the start from which on it takes no more orders. */
  @ApiPropertyOptional()
  @IsInt()
  @Min(0)
  @Max(WEEK_MINUTES)
  cutoffMinutes: number = 60;
}

export class NewSlotsDto {
  @IsUUID()
  zoneId: string;

  /** First day, in the store's time zone. */
  @IsISO8601({ strict: true }, { message: dayForm })
  @Matches(DAY, { message: dayForm })
  from: string;

  /** Last day; at most 62 days from the first. */
  @IsISO8601({ strict: true }, { message: dayForm })
  @Matches(DAY, { message: dayForm })
  to: string;

  /** The windows of each day. */
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(24)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => SlotWindowDto)
  windows: SlotWindowDto[];
}

export class SlotChangesDto {
  /** Not below what is booked. */
  @Omittable()
  @IsInt()
  @Min(0)
  @Max(MOST_PARCELS)
  capacity?: number;

  /** Takes no more orders; those that have booked it keep their places. */
  @Omittable()
  @IsBoolean()
  closed?: boolean;
}

export class SlotDayQuery {
  /** A day in the store's time zone; today where it is missing. */
  @IsOptional()
  @IsISO8601({ strict: true }, { message: dayForm })
  @Matches(DAY, { message: dayForm })
  date?: string;
}

export class SlotsQuery extends SlotDayQuery {
  @IsString()
  @IsNotEmpty()
  @MaxLength(20)
  zip: string;
}

export class SlotResponse {
  id: string;
  startsAt: string;
  endsAt: string;
  /** Until then it can be booked. */
  cutoffAt: string;
  /** Places left. */
  left: number;
  /** Whether an order can book it now. */
  open: boolean;
}

export class SlotsResponse {
  /** By their beginnings. */
  items: SlotResponse[];
}

/** As staff see it. */
export class SlotBookingsResponse {
  id: string;
  zoneId: string;
  startsAt: string;
  endsAt: string;
  cutoffAt: string;
  capacity: number;
  booked: number;
  closed: boolean;
}

export class ZoneDayResponse {
  items: SlotBookingsResponse[];
}

export class SlotsMadeResponse {
  /** Windows that are new; those that existed stay as they were. */
  created: number;
}
