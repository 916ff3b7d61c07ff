import { MoneyDto } from '../../../http/money.dto.js';

export class PaymentResponse {
  id: string;
  orderId: string;
  /** COD, WALLET or CARD */
  method: string;
  /** PENDING, AUTHORIZED, CAPTURED, PARTIALLY_REFUNDED, REFUNDED, VOIDED, FAILED or EXPIRED */
  status: string;
  amount: MoneyDto;
  captured: MoneyDto;
  refunded: MoneyDto;
  createdAt: string;
  updatedAt: string;
}
