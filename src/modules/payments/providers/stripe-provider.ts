import Stripe from 'stripe';
import { failure } from '../../../common/exceptions/failure.js';
import { isId } from '../../../common/ids.js';
import type {
  Outcome,
  PaymentProvider,
  ProviderNews,
  ProviderOperation,
  ProviderState,
  WebhookHeaders,
} from './payment-provider.js';
import { fromRefund, fromState, isLeftUndone, stateOf } from './stripe-outcomes.js';

export interface StripeSettings {
  secretKey: string;
  webhookSecret: string;
  /** Another than Stripe's own only in tests. */
  apiBase: string;
  timeoutMs: number;
}

/** News older than this are not believed, however well they are signed. */
const TOLERANCE_S = 300;
/** Stripe forgets a key after 24 h: asking again with it would do the thing a second time. */
const KEY_KNOWN_MS = 23 * 3_600_000;
/** Stripe's smallest unit is not the one of ISO 4217: the customer would be charged a hundredth, or a tenth. */
const COUNTED_OTHERWISE = new Set(['ISK', 'UGX', 'BHD', 'JOD', 'KWD', 'OMR', 'TND', 'IQD', 'LYD']);
/** A new payment intent is found by its metadata after about a minute. */
const SEARCHABLE_AFTER_MS = 120_000;

/**
 * Cards through Stripe's payment intents: one intent per payment, authorised with capture_method manual, whatever the store
 * captures when. No secret of a card passes through here: the source is the id of a payment method.
 */
export class StripeProvider implements PaymentProvider {
  readonly name = 'stripe';
  private readonly stripe: Stripe;

  constructor(private readonly settings: StripeSettings) {
    const { protocol, hostname, port } = new URL(settings.apiBase);
    this.stripe = new Stripe(settings.secretKey, {
      protocol: protocol === 'http:' ? 'http' : 'https',
      host: hostname,
      port: port || (protocol === 'http:' ? 80 : 443),
      timeout: settings.timeoutMs,
      // The sweeper asks again; two layers that retry would be one too many.
      maxNetworkRetries: 0,
      telemetry: false,
    });
  }

  tokenOf(source: string): string | null {
    return /^pm_\w{3,200}$/.test(source) ? source : null;
  }

  async perform(operation: ProviderOperation): Promise<Outcome> {
    const age = Date.now() - operation.createdAt.getTime();
    const forgotten = operation.attempts > 1 && age > KEY_KNOWN_MS;
    if (COUNTED_OTHERWISE.has(operation.currency)) return { result: 'FAILED', code: 'currency_not_supported' };
    try {
      return await (forgotten ? this.lookUp(operation) : this.ask(operation));
    } catch (error) {
      return this.explain(operation, error).catch((again: unknown) => unknown(again));
    }
  }

  async retrieve(ref: string): Promise<ProviderState> {
    return stateOf(await this.stripe.paymentIntents.retrieve(ref));
  }

  readWebhook(body: string, headers: WebhookHeaders): ProviderNews {
    const event = this.verified(body, String(headers['stripe-signature'] ?? ''));
    const about = event.data.object as {
      id?: string;
      object?: string;
      payment_intent?: string | { id: string } | null;
      metadata?: Record<string, string> | null;
    };
    const intent = about.object === 'payment_intent' ? about.id : about.payment_intent;
    const ref = typeof intent === 'object' ? intent?.id : intent;
    const { store, payment } = about.metadata ?? {};
    return {
      eventId: event.id,
      type: event.type,
      ref: ref ?? null,
      storeId: store && isId(store) ? store : null,
      paymentId: payment && isId(payment) ? payment : null,
    };
  }

  private verified(body: string, signature: string): Stripe.Event {
    try {
      return this.stripe.webhooks.constructEvent(body, signature, this.settings.webhookSecret, TOLERANCE_S);
    } catch (error) {
      const isLate = error instanceof Error && error.message.startsWith('Timestamp outside the tolerance zone');
      throw failure(isLate ? 'WEBHOOK_TOO_OLD' : 'WEBHOOK_INVALID');
    }
  }

  private async ask(operation: ProviderOperation): Promise<Outcome> {
    const { kind, id, ref, refundRef, amount } = operation;
    const once = { idempotencyKey: id };
    if (kind === 'AUTHORIZE') {
      const intent = ref
        ? await this.stripe.paymentIntents.confirm(ref, { payment_method: operation.source ?? undefined }, once)
        : await this.stripe.paymentIntents.create(newIntent(operation), once);
      return fromState(kind, intent.id, stateOf(intent));
    }
    if (!ref) return { result: 'FAILED', code: 'NOT_AUTHORIZED' };
    if (kind === 'REFUND') {
      const refund = refundRef
        ? await this.stripe.refunds.retrieve(refundRef)
        : await this.stripe.refunds.create({ payment_intent: ref, amount, metadata: metadataOf(operation) }, once);
      return fromRefund(refund);
    }
    const intent =
      kind === 'CAPTURE'
        ? await this.stripe.paymentIntents.capture(ref, {}, once)
        : await this.stripe.paymentIntents.cancel(ref, {}, once);
    return fromState(kind, ref, stateOf(intent));
  }

  /** What an error means for an operation. @throws Error when nobody can tell now */
  private async explain(operation: ProviderOperation, error: unknown): Promise<Outcome> {
    if (!(error instanceof Stripe.errors.StripeError)) throw error;
    const { payment_intent: intent, statusCode = 0, code, decline_code: declineCode } = error;
    if (error instanceof Stripe.errors.StripeCardError) {
      return { result: 'FAILED', code: declineCode ?? code ?? 'card_declined', ref: intent?.id };
    }
    if (code === 'payment_intent_unexpected_state' && intent) {
      return fromState(operation.kind, intent.id, stateOf(intent));
    }
    // Its key stands for a request that we would write otherwise by now, or for an answer of 500 that is kept with it.
    const isStuck = error instanceof Stripe.errors.StripeIdempotencyError && statusCode === 400;
    if (isStuck || (statusCode >= 500 && operation.attempts > 1)) return this.lookUp(operation);
    if (error instanceof Stripe.errors.StripeInvalidRequestError && statusCode !== 409 && statusCode !== 429) {
      return { result: 'FAILED', code: code ?? 'invalid_request' };
    }
    throw error;
  }

  /** What became of an operation whose own request tells no more. @throws Error when nobody can tell now */
  private async lookUp(operation: ProviderOperation): Promise<Outcome> {
    const { kind, id, ref, refundRef } = operation;
    if (kind === 'REFUND' && ref) {
      if (refundRef) return fromRefund(await this.stripe.refunds.retrieve(refundRef));
      const { data } = await this.stripe.refunds.list({ payment_intent: ref, limit: 100 });
      const made = data.find(({ metadata }) => metadata?.operation === id);
      return made ? fromRefund(made) : { result: 'RENEW', code: 'PROVIDER_ERROR' };
    }
    if (ref) {
      const state = stateOf(await this.stripe.paymentIntents.retrieve(ref));
      return isLeftUndone(kind, state) ? { result: 'RENEW', code: 'PROVIDER_ERROR' } : fromState(kind, ref, state);
    }
    if (Date.now() - operation.createdAt.getTime() < SEARCHABLE_AFTER_MS)
      return { result: 'UNKNOWN', code: 'PROVIDER_ERROR' };
    const { data } = await this.stripe.paymentIntents.search({ query: `metadata['operation']:'${id}'` });
    const [made] = data;
    return made ? fromState(kind, made.id, stateOf(made)) : { result: 'FAILED', code: 'PROVIDER_ERROR' };
  }
}

/** Nobody's answer: the way to Stripe is broken, or it has no time. Anything else is a mistake of ours. */
function unknown(error: unknown): Outcome {
  if (!(error instanceof Stripe.errors.StripeError)) throw error;
  return { result: 'UNKNOWN', code: error.code ?? error.type };
}

function newIntent(operation: ProviderOperation): Stripe.PaymentIntentCreateParams {
  return {
    amount: operation.amount,
    currency: operation.currency.toLowerCase(),
    payment_method: operation.source ?? undefined,
    allowed_payment_method_types: ['card'],
    capture_method: 'manual',
    confirm: true,
    metadata: metadataOf(operation),
  };
}

function metadataOf({ id, storeId, orderId, paymentId }: ProviderOperation): Record<string, string> {
  return { store: storeId, order: orderId, payment: paymentId, operation: id };
}
