import { Injectable } from '@nestjs/common';
import { randomInt } from 'node:crypto';
import { isErrorCode } from '../../common/exceptions/catalogue.js';
import { failure, type FailureDetails } from '../../common/exceptions/failure.js';
import { newId } from '../../common/ids.js';
import type { Visitor } from '../../http/guest.js';
import { type IdempotentRequest, replay } from '../../platform/idempotency/idempotency.service.js';
import { CacheInvalidation } from '../../platform/cache/invalidation/cache-invalidation.js';
import { LarderLogger } from '../../platform/logging/larder-logger.js';
import { businessMetrics } from '../../platform/metrics/business.metrics.js';
import { httpMetrics } from '../../platform/metrics/http.metrics.js';
import { Database } from '../../platform/prisma/database.js';
import { mayBeCommitted } from '../../platform/prisma/database-error.js';
import { QuoteTokens } from '../carts/quote-tokens.js';
import { PaymentProviders } from '../payments/providers/payment-providers.js';
import type { PlaceOrderDto } from './dto/order.dto.js';
import { placementBegun, type PlacedRow, type Placement, placeOrder } from './orders.queries.js';

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
    private readonly quotes: QuoteTokens,
    private readonly logger: LarderLogger,
    private readonly cacheInvalidation: CacheInvalidation,
  ) {}

  /**
   * A customer orders from his cart or by lines; a guest from his cart, with an e-mail. Locks: see place_order().
   * @throws NOT_FOUND for a cart that isn't the visitor's, CART_CLOSED (details: the order that it became), CART_EMPTY,
   * QUOTE_INVALID, QUOTE_EXPIRED, QUOTE_CHANGED (details: both totals), INSUFFICIENT_STOCK and PRODUCT_UNAVAILABLE (details:
   * every line that can't be served), INSUFFICIENT_FUNDS, ZIP_NOT_SERVED, ORDER_TOTAL_TOO_LARGE, PAYMENT_METHOD_NOT_SUPPORTED,
   * SLOT_INVALID, SLOT_CLOSED, SLOT_FULL, COUPON_INVALID, COUPON_MINIMUM_NOT_MET, COUPON_USED_UP, COUPON_USED_BY_CUSTOMER,
   * COUPON_ATTEMPTS_EXCEEDED, IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_IN_PROGRESS
   */
  async place(visitor: Visitor, body: PlaceOrderDto, request: IdempotentRequest): Promise<PlacedOrder> {
    requireComplete(visitor, body);
    const { actor, cartTokenHash } = visitor;
    const who = { customerId: actor?.id ?? null, cartTokenHash };
    const expectedTotal = await this.quotedTotal(who, body, request);
    const orderId = newId();
    const statement = placeOrder({
      orderId,
      ...who,
      guestEmail: body.email ?? null,
      cartId: body.cartId ?? null,
      provider: this.providers.current,
      slotId: body.slotId ?? null,
      couponCode: body.couponCode ?? null,
      expectedTotal,
      paymentMethod: body.paymentMethod,
      variantIds: body.lines?.map((line) => line.variantId) ?? null,
      quantities: body.lines?.map((line) => line.quantity) ?? null,
      address: JSON.stringify(body.deliveryAddress),
      deliveryCode: String(randomInt(1_000_000)).padStart(6, '0'),
      note: body.note ?? null,
      ...request,
    });
    const [row] = await this.database.query<PlacedRow>(statement).catch((error: unknown) => {
      if (mayBeCommitted(error)) this.tellCache(body);
      throw error;
    });
    if (!row) throw new Error('place_order answered nothing');
    if (row.outcome === 'PLACED' && row.response) {
      httpMetrics.idempotency.inc({ result: 'new' });
      businessMetrics.ordersPlaced.inc({ payment_method: body.paymentMethod });
      this.tellCache(body);
      this.logger.info({ event: 'order_request_placed', orderId });
      return { document: row.response, replayed: false };
    }
    return this.notPlaced(row);
  }

  private tellCache({ slotId, paymentMethod }: PlaceOrderDto): void {
    this.cacheInvalidation.invalidate(
      'orders',
      'inventory',
      ...(slotId ? (['slots'] as const) : []),
      ...(paymentMethod === 'WALLET' ? (['wallets'] as const) : []),
    );
  }

  /**
   * What a quote has told, minor units; null without one. An order that was placed in time and is asked for again after the
   * quote has expired is answered again.
   */
  private async quotedTotal(
    who: Pick<Placement, 'customerId' | 'cartTokenHash'>,
    { quote, cartId }: PlaceOrderDto,
    request: IdempotentRequest,
  ): Promise<number | null> {
    if (quote === undefined) return null;
    if (!cartId) throw failure('QUOTE_INVALID');
    const { total, isExpired } = await this.quotes.read(quote, cartId);
    if (!isExpired) return total;
    const [begun] = await this.database.query<{ outcome: string }>(placementBegun({ ...who, ...request }));
    if (begun?.outcome === 'NEW') throw failure('QUOTE_EXPIRED');
    return total;
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

/** What the fields can't say of each other. @throws VALIDATION_FAILED */
function requireComplete({ actor }: Visitor, { cartId, lines, email }: PlaceOrderDto): void {
  if (cartId && lines) refuse('lines', 'must not be sent beside cartId');
  if (actor) return;
  if (!cartId) refuse('cartId', 'is needed: a guest orders from his cart');
  if (!email) refuse('email', 'is needed of a guest');
}

function refuse(field: string, problem: string): never {
  throw failure('VALIDATION_FAILED', [{ field, message: `${field} ${problem}` }]);
}
