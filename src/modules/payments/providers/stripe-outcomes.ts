import type Stripe from 'stripe';
import type { OperationKind, Outcome, ProviderState } from './payment-provider.js';

/** A payment intent in the words of PaymentProvider. */
export function stateOf(intent: Stripe.PaymentIntent): ProviderState {
  switch (intent.status) {
    case 'requires_capture':
      return { state: 'AUTHORIZED' };
    case 'succeeded':
      return { state: 'CAPTURED' };
    case 'canceled':
      return { state: 'VOIDED' };
    case 'requires_action':
      return {
        state: 'ACTION_REQUIRED',
        nextAction: { type: 'CONFIRM_WITH_STRIPE', clientSecret: intent.client_secret, url: null },
      };
    case 'requires_payment_method':
    case 'requires_confirmation': {
      const { last_payment_error: error } = intent;
      return { state: 'WAITING', failureCode: error?.decline_code ?? error?.code ?? null };
    }
    default:
      return { state: 'PROCESSING' };
  }
}

/** Asked anew, it would be done: nothing of it has happened, and nothing forbids it. */
export function isLeftUndone(kind: OperationKind, { state }: ProviderState): boolean {
  if (kind === 'CAPTURE') return state === 'AUTHORIZED';
  return kind === 'VOID' && state !== 'VOIDED' && state !== 'CAPTURED' && state !== 'PROCESSING';
}

/** What the state of a payment says of an operation on it. */
export function fromState(kind: OperationKind, ref: string, state: ProviderState): Outcome {
  const gone: Outcome = { result: 'FAILED', code: 'VOIDED', ref: null };
  switch (state.state) {
    case 'PROCESSING':
      return { result: 'UNKNOWN', code: 'PROCESSING', ref };
    case 'VOIDED':
      return kind === 'VOID' ? { result: 'SUCCEEDED', ref } : gone;
    case 'CAPTURED':
      return kind === 'VOID' ? { result: 'FAILED', code: 'CAPTURED', ref } : { result: 'SUCCEEDED', ref };
    case 'AUTHORIZED':
      return kind === 'AUTHORIZE' ? { result: 'SUCCEEDED', ref } : { result: 'UNKNOWN', code: 'AUTHORIZED', ref };
    case 'ACTION_REQUIRED':
      return kind === 'AUTHORIZE'
        ? { result: 'ACTION_REQUIRED', ref, nextAction: state.nextAction }
        : { result: 'FAILED', code: 'NOT_AUTHORIZED', ref };
    case 'WAITING':
      return { result: 'FAILED', code: state.failureCode ?? 'NOT_AUTHORIZED', ref };
  }
}

export function fromRefund({ id, status, failure_reason: reason }: Stripe.Refund): Outcome {
  if (status === 'succeeded') return { result: 'SUCCEEDED', ref: id };
  if (status === 'failed' || status === 'canceled') return { result: 'FAILED', code: reason ?? status, ref: id };
  return { result: 'UNKNOWN', code: 'PROCESSING', ref: id };
}
