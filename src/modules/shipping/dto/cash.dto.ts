import { Type } from 'class-transformer';
import { IsObject, ValidateNested } from 'class-validator';
import { MoneyDto, PositiveMoneyDto, PriceDto } from '../../../http/money.dto.js';

export class RemitDto {
  @IsObject()
  @ValidateNested()
  @Type(() => PositiveMoneyDto)
  amount: PositiveMoneyDto;
}

export class RemittanceResponse {
  id: string;
  agentId: string;
  shiftId: string;
  amount: MoneyDto;
  /** What the agent still holds. */
  cashInHand: MoneyDto;
}

export class CloseShiftDto {
  /** What lies on the table, all of it. */
  @IsObject()
  @ValidateNested()
  @Type(() => PriceDto)
  counted: PriceDto;
}

export class VarianceResponse {
  /** counted - expected: below zero is missing. */
  amount: MoneyDto;
  status: 'PENDING' | 'APPROVED' | 'REJECTED';
  approvalId: string;
}

/**
 * due - short + above = collected. openingCash + charged + collected + adjusted - remitted = expected. What is counted is handed
 * in, up to what is expected.
 */
export class ShiftResponse {
  id: string;
  agentId: string;
  /** COUNTED: a variance waits for a decision. */
  status: 'OPEN' | 'COUNTED' | 'CLOSED';
  openedAt: string;
  countedAt: string | null;
  countedBy: string | null;
  closedAt: string | null;
  deliveries: number;
  /** What the customers of its deliveries had to pay in cash. */
  due: MoneyDto;
  /** What they did not pay. */
  short: MoneyDto;
  /** What they paid beyond it, which is in their wallets. */
  above: MoneyDto;
  /** In hand when it began. */
  openingCash: MoneyDto;
  /** Missing in earlier shifts and not written off, decided while this one was open. */
  charged: MoneyDto;
  collected: MoneyDto;
  /** What the books were corrected by, by hand. */
  adjusted: MoneyDto;
  /** Handed in before the count. */
  remitted: MoneyDto;
  /** What should have been counted; of an open shift, what he should hold now. */
  expected: MoneyDto;
  counted: MoneyDto | null;
  /** At the count. */
  handedIn: MoneyDto;
  variance: VarianceResponse | null;
  /** What he has still to answer for of this shift. */
  outstanding: MoneyDto;
}

export class ShiftPageResponse {
  items: ShiftResponse[];
  nextCursor: string | null;
}

/** carriedIn + collected + adjusted = remitted + writtenOff + chargedBack + underApproval + inHand. */
export class CashTotalsResponse {
  shifts: number;
  deliveries: number;
  due: MoneyDto;
  short: MoneyDto;
  above: MoneyDto;
  collected: MoneyDto;
  /** In hand when the shifts began, and charged to them. */
  carriedIn: MoneyDto;
  /** What the books were corrected by, by hand. */
  adjusted: MoneyDto;
  /** Handed in, at counts and before. */
  remitted: MoneyDto;
  /** Missing, and approved. */
  writtenOff: MoneyDto;
  /** Missing, and rejected: carried into a later shift. */
  chargedBack: MoneyDto;
  /** Missing, and not decided yet. */
  underApproval: MoneyDto;
  /** In the open shift. */
  inHand: MoneyDto;
  /** Too much at counts, whatever was decided. */
  over: MoneyDto;
}

export class AgentCashResponse {
  agentId: string;
  from: string;
  to: string;
  /** What he holds now, by the ledger. */
  cashInHand: MoneyDto;
  totals: CashTotalsResponse;
  /** The latest hundred of those that were opened in the range. */
  shifts: ShiftResponse[];
}
