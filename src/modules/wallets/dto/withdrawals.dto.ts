import { ApiProperty } from '@nestjs/swagger';
import { MoneyDto } from '../../../http/money.dto.js';

const STATUSES = ['REQUESTED', 'PAID', 'REJECTED'] as const;
type WithdrawalStatus = (typeof STATUSES)[number];

/** A withdrawal above the store's threshold: the money has left the wallet, and waits. */
export class WaitingWithdrawalResponse {
  id: string;
  @ApiProperty({ enum: STATUSES })
  status: WithdrawalStatus;
  approvalId: string;
}

export class WithdrawalResponse extends WaitingWithdrawalResponse {
  amount: MoneyDto;
  createdAt: string;
  finishedAt: string | null;
}

export class WithdrawalPage {
  items: WithdrawalResponse[];
  nextCursor: string | null;
}
