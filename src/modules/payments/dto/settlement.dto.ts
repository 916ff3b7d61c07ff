import { Type } from 'class-transformer';
import { IsObject, ValidateNested } from 'class-validator';
import { MoneyDto, PositiveMoneyDto } from '../../../http/money.dto.js';

export class SettlementDto {
  @IsObject()
  @ValidateNested()
  @Type(() => PositiveMoneyDto)
  amount: PositiveMoneyDto;
}

export class SettlementResponse {
  id: string;
  paymentId: string;
  orderId: string;
  amount: MoneyDto;
  /** What the customer still owes. */
  owed: MoneyDto;
}
