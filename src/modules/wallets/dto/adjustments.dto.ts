import { ApiProperty } from '@nestjs/swagger';
import { IsNotEmpty, IsString, MaxLength } from 'class-validator';
import { MoneyDto } from '../../../http/money.dto.js';
import { TransferDto } from './wallets.dto.js';

export class LedgerAdjustmentDto extends TransferDto {
  @IsString()
  @IsNotEmpty()
  @MaxLength(500)
  reason: string;
}

export class LedgerAdjustmentResponse {
  id: string;
  /** Nothing is moved before somebody else has approved it. */
  @ApiProperty({ enum: ['REQUESTED'] })
  status: 'REQUESTED';
  approvalId: string;
  from: string;
  to: string;
  amount: MoneyDto;
  reason: string;
}
