import { Injectable } from '@nestjs/common';
import type { Visitor } from '../../http/guest.js';
import { Database } from '../../platform/prisma/database.js';
import { PaymentProviders } from '../payments/providers/payment-providers.js';
import { answerOf } from './cart-outcome.js';
import { type CartOutcomeRow, quoteCart } from './carts.queries.js';
import type { QuoteCartDto, QuoteResponse } from './dto/cart.dto.js';
import { QuoteTokens } from './quote-tokens.js';

type Amounts = Pick<QuoteResponse, 'subtotal' | 'discount' | 'deliveryFee' | 'tax' | 'taxInclusive' | 'total'>;
type QuoteDocument = Pick<QuoteResponse, 'cartId' | 'lines' | 'couponCode' | 'slot' | 'problems'> & {
  /** Null when they are too large to be told, or there is nothing to be priced. */
  amounts: Amounts | null;
};

const NO_AMOUNTS: Amounts = {
  subtotal: null,
  discount: null,
  deliveryFee: null,
  tax: null,
  taxInclusive: null,
  total: null,
};

/** What ordering a cart would cost, to the cent, and what would keep it from being ordered. Books nothing. */
@Injectable()
export class QuoteCart {
  constructor(
    private readonly database: Database,
    private readonly providers: PaymentProviders,
    private readonly tokens: QuoteTokens,
  ) {}

  /** @throws NOT_FOUND, CART_CLOSED, CART_EMPTY, COUPON_ATTEMPTS_EXCEEDED */
  async quote(cartId: string, visitor: Visitor, body: QuoteCartDto): Promise<QuoteResponse> {
    const [row] = await this.database.query<CartOutcomeRow>(
      quoteCart({
        cartId,
        visitor,
        guestEmail: body.email ?? null,
        paymentMethod: body.paymentMethod ?? null,
        provider: this.providers.current,
        zip: body.zip ?? null,
        slotId: body.slotId ?? null,
        couponCode: body.couponCode ?? null,
      }),
    );
    const { amounts, ...document } = JSON.parse(answerOf(row, 'QUOTED')) as QuoteDocument;
    const total = amounts?.total;
    const signed =
      total && document.problems.length === 0
        ? await this.tokens.sign(cartId, total.amount)
        : { quote: null, expiresAt: null };
    return { ...document, ...(amounts ?? NO_AMOUNTS), ...signed };
  }
}
