import { MoneyDto } from '../../../http/money.dto.js';
import { DashboardResponse, RangedResponse } from './dashboard.dto.js';

export class AgentCashDto {
  agentId: string;
  name: string;
  inHand: MoneyDto;
  /** Under way, with cash to collect. */
  parcels: number;
  dueUnderWay: MoneyDto;
  /** When he took the oldest of what he holds; null when he holds nothing. */
  oldestAt: string | null;
}

export class CashOutstandingResponse extends DashboardResponse {
  inHand: MoneyDto;
  dueUnderWay: MoneyDto;
  /** What customers still owe for parcels that they have. */
  receivables: MoneyDto;
  agents: AgentCashDto[];
}

export class LargestWalletDto {
  ownerId: string;
  name: string;
  amount: MoneyDto;
}

export class LiabilityDto {
  /** With something in them. */
  wallets: number;
  amount: MoneyDto;
  largest: LargestWalletDto | null;
}

export class WalletLiabilitiesResponse extends DashboardResponse {
  amount: MoneyDto;
  customers: LiabilityDto;
  agentEarnings: LiabilityDto;
}

export class RefundGroupDto {
  name: string;
  count: number;
  amount: MoneyDto;
}

export class RefundsDashboardResponse extends RangedResponse {
  count: number;
  amount: MoneyDto;
  /** Of those that succeeded. */
  givenBack: MoneyDto;
  /** givenBack against what was sold in the range or paid for orders that were cancelled, to four places; null of none. */
  rate: number | null;
  byStatus: RefundGroupDto[];
  byDestination: RefundGroupDto[];
  /** The twenty that most was asked for. */
  byReason: RefundGroupDto[];
}
