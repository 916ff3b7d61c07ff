import { IsBoolean, IsNotEmpty, IsOptional, IsString, MaxLength } from 'class-validator';
import { MoneyDto } from '../../../http/money.dto.js';

export class PaymentResponse {
  id: string;
  orderId: string;
  /** COD, WALLET or CARD */
  method: string;
  /** PENDING, AUTHORIZED, CAPTURED, PARTIALLY_REFUNDED, REFUNDED or VOIDED */
  status: string;
  amount: MoneyDto;
  /** Held on a card and not yet taken. */
  authorized: MoneyDto;
  captured: MoneyDto;
  refunded: MoneyDto;
  /** Why the card was not charged, last time. */
  failureCode: string | null;
  createdAt: string;
  updatedAt: string;
}

export class NextActionResponse {
  /** CONFIRM_WITH_STRIPE: hand clientSecret to Stripe.js. TEST_BANK: POST {"approved": true} to url. */
  type: 'CONFIRM_WITH_STRIPE' | 'TEST_BANK';
  clientSecret: string | null;
  url: string | null;
}

export class ConfirmedPaymentResponse extends PaymentResponse {
  /** What the customer has to do before his card can be charged; his order waits for it. */
  nextAction: NextActionResponse | null;
}

export class ConfirmPaymentDto {
  /**
   * What the payment form of the provider gave: with Stripe the id of a payment method, with the test provider one of its cards.
   * Never the number of a real card.
   */
  @IsString()
  @IsNotEmpty()
  @MaxLength(255)
  source: string;
}

export class VoidPaymentDto {
  @IsOptional()
  @IsString()
  @MaxLength(500)
  reason?: string;
}

export class TestBankDto {
  /** Whether the customer's bank lets the card be charged. */
  @IsBoolean()
  approved: boolean;
}

export class ReceivedResponse {
  received: true;
}
