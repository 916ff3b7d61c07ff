import { MoneyDto } from '../../../http/money.dto.js';
import { RangedResponse, RateDto } from './dashboard.dto.js';

/** Whole minutes, by nearest rank; null when nothing was delivered. */
export class PercentilesDto {
  p50: number | null;
  p95: number | null;
}

export class DeliveryMinutesDto {
  /** From placing the order until the agent had the parcel. */
  toPickUp: PercentilesDto;
  /** From there to the door. */
  toDeliver: PercentilesDto;
  inAll: PercentilesDto;
}

export class FulfilmentDto {
  deliveries: number;
  failures: number;
  /** Deliveries by the time promised to the customer. */
  onTime: RateDto;
  /** Delivered, of the attempts that were their order's first. */
  firstAttempt: RateDto;
  minutes: DeliveryMinutesDto;
}

export class FulfilmentDayDto extends FulfilmentDto {
  day: string;
}

export class FulfilmentResponse extends RangedResponse {
  total: FulfilmentDto;
  /** Those on which something was tried. */
  days: FulfilmentDayDto[];
}

export class ZipDeliveriesDto {
  zip: string;
  deliveries: number;
  failures: number;
  onTime: RateDto;
  /** From order to door, to one place; null when nothing was delivered. */
  averageMinutes: number | null;
}

export class DeliveryByZipResponse extends RangedResponse {
  items: ZipDeliveriesDto[];
}

export class AgentDeliveriesDto {
  agentId: string;
  name: string;
  deliveries: number;
  failures: number;
  onTime: RateDto;
  /** For these deliveries. */
  earnings: MoneyDto;
  /** What he holds for the store now. */
  cashInHand: MoneyDto;
}

export class AgentLeaderboardResponse extends RangedResponse {
  items: AgentDeliveriesDto[];
}
