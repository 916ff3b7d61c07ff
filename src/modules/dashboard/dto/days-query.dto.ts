import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsISO8601, IsOptional, Matches, Max, Min } from 'class-validator';

/** What products are put in order by. */
export type ProductOrder = 'revenue' | 'units';

const DAY = /^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}$/;
const message = '$property must be a day like 2026-11-21';

/** Days of the store, in its time zone, both in the range. At most 366 of them. */
export class DaysQuery {
  /** Without it, 29 days before the last one. */
  @IsOptional()
  @IsISO8601({ strict: true }, { message })
  @Matches(DAY, { message })
  from?: string;

  /** Without it, today. */
  @IsOptional()
  @IsISO8601({ strict: true }, { message })
  @Matches(DAY, { message })
  to?: string;
}

export class TopProductsQuery extends DaysQuery {
  @ApiPropertyOptional({ enum: ['revenue', 'units'] })
  @IsOptional()
  @IsIn(['revenue', 'units'])
  by: ProductOrder = 'revenue';

  @ApiPropertyOptional()
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(100)
  limit: number = 10;
}

export class AgentBoardQuery extends DaysQuery {
  /** Agents at the top. */
  @ApiPropertyOptional()
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(100)
  limit: number = 20;
}

export class LowStockQuery {
  /** Pieces left to sell, at most. */
  @ApiPropertyOptional()
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(100_000)
  threshold: number = 5;

  @ApiPropertyOptional()
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(100)
  limit: number = 50;
}
