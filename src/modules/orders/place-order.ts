import { Injectable } from '@nestjs/common';
import { randomInt } from 'node:crypto';
import { isErrorCode } from '../../common/exceptions/catalogue.js';
import { failure, type FailureDetails } from '../../common/exceptions/failure.js';
import { newId } from '../../common/ids.js';
import { type IdempotentRequest, replay } from '../../platform/idempotency/idempotency.service.js';
import { LarderLogger } from '../../platform/logging/larder-logger.js';
import { businessMetrics } from '../../platform/metrics/business.metrics.js';
import { httpMetrics } from '../../platform/metrics/http.metrics.js';
import { Database } from '../../platform/prisma/database.js';
import { PaymentProviders } from '../payments/providers/payment-providers.js';
import type { PlaceOrderDto } from './dto/order.dto.js';
import { type PlacedRow, placeOrder } from './orders.queries.js';

export interface PlacedOrder {
  /** The order as JSON text, as the database made it. */
  document: string;
  replayed: boolean;
}

/** Placing an order: one statement, one round trip, one commit (5.3). */
@Injectable()
export class PlaceOrder {
  constructor(
    private readonly database: Database,
    private readonly providers: PaymentProviders,
    private readonly logger: LarderLogger,
  ) {}

  /**
   * @throws INSUFFICIENT_STOCK and PRODUCT_UNAVAILABLE (details: every line that can't be served), INSUFFICIENT_FUNDS,
   * ZIP_NOT_SERVED, ORDER_TOTAL_TOO_LARGE, PAYMENT_METHOD_NOT_SUPPORTED, SLOT_INVALID, SLOT_CLOSED, SLOT_FULL, COUPON_INVALID,
   * COUPON_MINIMUM_NOT_MET, COUPON_USED_UP, COUPON_USED_BY_CUSTOMER, COUPON_ATTEMPTS_EXCEEDED, IDEMPOTENCY_KEY_REUSED,
   * IDEMPOTENCY_IN_PROGRESS
   */
  async place(customerId: string, body: PlaceOrderDto, request: IdempotentRequest): Promise<PlacedOrder> {
    const orderId = newId();
    const [row] = await this.database.query<PlacedRow>(
      placeOrder({
        orderId,
        customerId,
        guestEmail: null,
        cartId: null,
        cartTokenHash: null,
        provider: this.providers.current,
        slotId: body.slotId ?? null,
        couponCode: body.couponCode ?? null,
        expectedTotal: null,
        paymentMethod: body.paymentMethod,
        variantIds: body.lines.map((line) => line.variantId),
        quantities: body.lines.map((line) => line.quantity),
        address: JSON.stringify(body.deliveryAddress),
        deliveryCode: String(randomInt(1_000_000)).padStart(6, '0'),
        note: body.note ?? null,
        ...request,
      }),
    );
    if (!row) throw new Error('place_order answered nothing');
    if (row.outcome === 'PLACED' && row.response) {
      httpMetrics.idempotency.inc({ result: 'new' });
      businessMetrics.ordersPlaced.inc({ payment_method: body.paymentMethod });
      this.logger.info({ event: 'order_request_placed', orderId });
      return { document: row.response, replayed: false };
    }
    return this.notPlaced(row);
  }

  private notPlaced(row: PlacedRow): PlacedOrder {
    if (row.outcome === 'REPLAY' && row.status_code === 201 && row.response) {
      httpMetrics.idempotency.inc({ result: 'replay' });
      return { document: row.response, replayed: true };
    }
    const response = row.response ? (JSON.parse(row.response) as { details?: FailureDetails }) : null;
    if (!isErrorCode(row.outcome)) replay({ ...row, response });
    const code = isErrorCode(row.outcome) ? row.outcome : 'INTERNAL_ERROR';
    businessMetrics.ordersRefused.inc({ code });
    if (code === 'INSUFFICIENT_STOCK') businessMetrics.oversellRejects.inc();
    throw failure(code, response?.details);
  }
}
