export const PROVIDER_NAMES = ['test', 'stripe'] as const;
export type ProviderName = (typeof PROVIDER_NAMES)[number];

export type OperationKind = 'AUTHORIZE' | 'CAPTURE' | 'VOID' | 'REFUND';

/** What a provider is asked to do. Its id is the idempotency key: asked twice, it is done once. */
export interface ProviderOperation {
  id: string;
  storeId: string;
  paymentId: string;
  orderId: string;
  kind: OperationKind;
  /** Minor units. */
  amount: number;
  currency: string;
  /** The provider's id of the payment; null before the first authorisation. */
  ref: string | null;
  /** The provider's id of the refund that it has begun. */
  refundRef: string | null;
  /** The provider's token of a card. */
  source: string | null;
  /** 1 at the first try. */
  attempts: number;
  createdAt: Date;
}

/** What the customer has to do before his bank lets the card be charged. */
export interface NextAction {
  /** CONFIRM_WITH_STRIPE: hand clientSecret to Stripe.js. TEST_BANK: POST {"approved": true} to url. */
  type: 'CONFIRM_WITH_STRIPE' | 'TEST_BANK';
  clientSecret: string | null;
  url: string | null;
}

/**
 * What became of it:
 * - SUCCEEDED, FAILED: definite. ref: the provider's id of what it made; null takes back what was known, because it is gone
 * - ACTION_REQUIRED: the customer's bank wants to hear from him
 * - UNKNOWN: lost, late or still going on; it may have been done. Ask again
 * - RENEW: this request will never get another answer, and it was not done. Ask anew, under a new key
 */
export type Outcome =
  | { result: 'SUCCEEDED'; ref?: string | null }
  | { result: 'FAILED'; code: string; ref?: string | null }
  | { result: 'ACTION_REQUIRED'; ref: string; nextAction: NextAction }
  | { result: 'UNKNOWN'; code: string; ref?: string }
  | { result: 'RENEW'; code: string };

/** A payment as its provider sees it. Captured and voided are for ever; WAITING: for a card, or another one. */
export type ProviderState =
  | { state: 'WAITING'; failureCode: string | null }
  | { state: 'ACTION_REQUIRED'; nextAction: NextAction }
  | { state: 'PROCESSING' | 'AUTHORIZED' | 'CAPTURED' | 'VOIDED' };

/** News from a provider. They only say where to look: what counts is what retrieve() tells. */
export interface ProviderNews {
  eventId: string;
  type: string;
  /** The provider's id of the payment, and what Larder had given it along. */
  ref: string | null;
  storeId: string | null;
  paymentId: string | null;
}

export type WebhookHeaders = Record<string, string | string[] | undefined>;

/** Who moves the money of cards. Never called inside a transaction; never throws for what a network does. */
export interface PaymentProvider {
  readonly name: ProviderName;
  /** The token that stands for what the customer gave; null for what is none. A card's number must not come further. */
  tokenOf(source: string): string | null;
  perform(operation: ProviderOperation): Promise<Outcome>;
  /** @throws Error when it can't be told now */
  retrieve(ref: string): Promise<ProviderState>;
  /** @throws WEBHOOK_INVALID, WEBHOOK_TOO_OLD */
  readWebhook(body: string, headers: WebhookHeaders): ProviderNews;
}
