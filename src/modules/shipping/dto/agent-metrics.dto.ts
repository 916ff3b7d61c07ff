import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, Max, Min } from 'class-validator';
import { MoneyDto } from '../../../http/money.dto.js';
import { RangeQuery } from './range.dto.js';

export class LeaderboardQuery extends RangeQuery {
  /** Agents at the top. */
  @ApiPropertyOptional()
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(100)
  limit: number = 20;
}

export class ShareResponse {
  count: number;
  of: number;
  /** count / of, to four places; null of none. */
  rate: number | null;
}

/** By nearest rank: p50 is the smallest of the times that half of them don't exceed. Null of none. */
export class DurationResponse {
  count: number;
  p50Seconds: number | null;
  p95Seconds: number | null;
}

export class OffersResponse {
  accepted: number;
  rejected: number;
  /** Offers to him alone that he did not answer. */
  expired: number;
}

/** An assignment counts in the range that it ended in. docs/metrics.md defines each figure. */
export class AgentMetricsResponse {
  agentId: string;
  name: string;
  from: string;
  to: string;
  offers: OffersResponse;
  /** Accepted, of the offers that he answered or let expire. */
  acceptance: ShareResponse;
  timeToAccept: DurationResponse;
  timeToPickUp: DurationResponse;
  timeToDeliver: DurationResponse;
  deliveries: number;
  failures: number;
  /** Delivered by the time promised to the customer. */
  onTime: ShareResponse;
  /** Delivered, of the parcels that he was the first to carry to the door. */
  firstAttempt: ShareResponse;
  /** What he holds for the store now. */
  cashInHand: MoneyDto;
}

export class LeaderboardResponse {
  items: AgentMetricsResponse[];
}
