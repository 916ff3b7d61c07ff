import { hash, randomBytes } from 'node:crypto';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import Stripe from 'stripe';
import {
  type Answer,
  answered,
  bracketed,
  type Intent,
  invalid,
  post,
  Refusal,
  refused,
  send,
  type StripeRefund,
  unexpected,
} from './stripe-protocol.js';

export const SECRET_KEY = 'sk_test_larder0000';
export const WEBHOOK_SECRET = 'whsec_larder0000';

/** What goes wrong with a request, before or after it has done what it asks for. Errors are kept with the key, as Stripe does. */
export type Fault =
  'LOST_BEFORE' | 'LOST_AFTER' | 'HANGS_BEFORE' | 'HANGS_AFTER' | '500_BEFORE' | '500_AFTER' | '429' | 'NO_JSON';

export interface Asked {
  method: string;
  path: string;
  form: Record<string, string>;
  key: string | undefined;
}

const DECLINES: Record<string, string> = { pm_card_declined: 'generic_decline', pm_card_poor: 'insufficient_funds' };

/**
 * Stripe's HTTP interface, as far as a shop uses it for cards: payment intents and refunds, form encoding, idempotency keys,
 * error bodies and signed events. Cards: pm_card_visa, pm_card_declined, pm_card_poor, pm_card_challenge, pm_card_expires (can't
 * be captured), pm_card_slow_refund (its refunds stay pending until finishRefunds()).
 */
export class StripeServer {
  readonly intents = new Map<string, Intent>();
  readonly refunds = new Map<string, StripeRefund>();
  /** Events in the order in which they happened, as raw bodies. */
  readonly events: string[] = [];
  /** All that was asked, lost requests too. */
  readonly asked: Asked[] = [];
  /** How often money was really taken, by intent. */
  readonly captures = new Map<string, number>();
  /** What is to go wrong with a request; asked for each. */
  fault: (asked: Asked) => Fault | undefined = () => undefined;
  delayMs = 0;
  private readonly kept = new Map<string, { params: string; answer?: Answer }>();
  private readonly server = http.createServer((request, response) => void this.serve(request, response));

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as { port: number }).port}`;
  }

  /** Settings of a Larder that takes this for Stripe. */
  get settings(): Record<string, string> {
    return {
      PAYMENT_PROVIDER: 'stripe',
      STRIPE_SECRET_KEY: SECRET_KEY,
      STRIPE_WEBHOOK_SECRET: WEBHOOK_SECRET,
      STRIPE_API_BASE: this.url,
    };
  }

  /** As after a day. */
  forgetKeys(): void {
    this.kept.clear();
  }

  /** Somebody at the shop does it in Stripe's own pages. */
  inDashboard(intentId: string, what: 'capture' | 'cancel'): void {
    this[what](this.intent(intentId));
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** The customer answers his bank. */
  answerChallenge(intentId: string, approved: boolean): void {
    const intent = this.intent(intentId);
    if (intent.status !== 'requires_action') throw new Error(`Nobody asked: ${intent.status}`);
    intent.status = approved ? 'requires_capture' : 'requires_payment_method';
    if (!approved) intent.last_payment_error = { code: 'payment_intent_authentication_failure' };
    this.tell(approved ? 'payment_intent.amount_capturable_updated' : 'payment_intent.payment_failed', intent);
  }

  finishRefunds(status: 'succeeded' | 'failed'): void {
    for (const refund of this.refunds.values()) {
      if (refund.status !== 'pending') continue;
      refund.status = status;
      if (status === 'failed') refund.failure_reason = 'expired_or_canceled_card';
      this.tell('refund.updated', refund);
    }
  }

  /** A header as Stripe signs. */
  sign(body: string, timestamp = Math.floor(Date.now() / 1000)): string {
    return Stripe.webhooks.generateTestHeaderString({ payload: body, secret: WEBHOOK_SECRET, timestamp });
  }

  /** Sends events to a Larder's webhook, again until they are taken. */
  async deliver(larderUrl: string, events: readonly string[]): Promise<number[]> {
    return Promise.all(
      events.map(async (body) => {
        for (let attempt = 1; ; attempt++) {
          const status = await post(`${larderUrl}/api/webhooks/payments/stripe`, body, this.sign(body));
          if (status < 300 || attempt === 20) return status;
          await sleep(50);
        }
      }),
    );
  }

  private async serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '/', this.url);
    const form = Object.fromEntries([...url.searchParams, ...new URLSearchParams(Buffer.concat(chunks).toString())]);
    const key = request.headers['idempotency-key'] as string | undefined;
    const asked: Asked = { method: request.method ?? '', path: url.pathname, form, key };
    this.asked.push(asked);
    const fault = this.fault(asked);
    if (fault === 'LOST_BEFORE') return void request.socket.destroy();
    if (fault === 'HANGS_BEFORE') return;
    if (fault === '429')
      return send(response, { status: 429, body: { error: { type: 'rate_limit_error', code: 'rate_limit' } } });
    if (request.headers.authorization !== `Bearer ${SECRET_KEY}`) {
      return send(response, { status: 401, body: { error: { type: 'invalid_request_error' } } });
    }
    const answer = await this.once(asked, fault);
    if (fault === 'LOST_AFTER') return void request.socket.destroy();
    if (fault === 'HANGS_AFTER') return;
    if (fault === 'NO_JSON') return void response.writeHead(200).end('<html>upstream');
    send(response, answer);
  }

  /** What a key has answered, it answers for ever. */
  private async once(asked: Asked, fault: Fault | undefined): Promise<Answer> {
    const { method, path, form, key } = asked;
    if (method !== 'POST' || key === undefined) return this.answer(asked);
    const params = hash('sha256', `${path} ${JSON.stringify(form)}`);
    const kept = this.kept.get(key);
    if (kept && kept.params !== params) return refused(400, { type: 'idempotency_error', message: 'Other parameters' });
    if (kept) return kept.answer ?? refused(409, { type: 'idempotency_error', code: 'idempotency_key_in_use' });
    const entry: { params: string; answer?: Answer } = { params };
    this.kept.set(key, entry);
    if (this.delayMs > 0) await sleep(this.delayMs * Math.random());
    if (fault !== '500_BEFORE') entry.answer = this.answer(asked);
    if (fault === '500_BEFORE' || fault === '500_AFTER') entry.answer = refused(500, { type: 'api_error' });
    return entry.answer!;
  }

  private answer({ method, path, form }: Asked): Answer {
    const [, , resource, id, action] = path.split('/');
    try {
      if (resource === 'payment_intents') return answered(200, this.onIntents(method, id, action, form));
      if (resource === 'refunds') return answered(200, this.onRefunds(method, id, form));
      throw new Refusal(404, { type: 'invalid_request_error', message: `Unrecognized request URL ${path}` });
    } catch (error) {
      if (error instanceof Refusal) return refused(error.status, error.error);
      throw error;
    }
  }

  private onIntents(
    method: string,
    id: string | undefined,
    action: string | undefined,
    form: Record<string, string>,
  ): object {
    if (method === 'GET' && id === 'search') {
      const operation = /'([^']+)'$/.exec(form.query ?? '')?.[1];
      const found = [...this.intents.values()].filter(({ metadata }) => metadata.operation === operation);
      return { object: 'search_result', data: found, has_more: false };
    }
    if (method === 'GET') return this.intent(id);
    if (!id) return this.create(form);
    const intent = this.intent(id);
    if (action === 'confirm') return this.confirm(intent, form.payment_method ?? '');
    if (action === 'capture') return this.capture(intent);
    return this.cancel(intent);
  }

  private create(form: Record<string, string>): Intent {
    const amount = Number(form.amount);
    if (!Number.isInteger(amount) || amount < 50) throw invalid('amount_too_small');
    if (form.capture_method !== 'manual' || form.confirm !== 'true') throw invalid('parameter_missing');
    const id = `pi_${randomBytes(12).toString('hex')}`;
    const intent: Intent = {
      id,
      object: 'payment_intent',
      amount,
      amount_received: 0,
      currency: form.currency ?? '',
      status: 'requires_confirmation',
      client_secret: `${id}_secret_${randomBytes(6).toString('hex')}`,
      metadata: bracketed(form, 'metadata'),
      payment_method: null,
      last_payment_error: null,
      created: Math.floor(Date.now() / 1000),
    };
    this.intents.set(id, intent);
    this.tell('payment_intent.created', intent);
    return this.confirm(intent, form.payment_method ?? '');
  }

  private confirm(intent: Intent, card: string): Intent {
    if (!['requires_confirmation', 'requires_payment_method', 'requires_action'].includes(intent.status))
      throw unexpected(intent);
    const decline = DECLINES[card];
    intent.payment_method = card;
    if (decline) {
      intent.status = 'requires_payment_method';
      intent.last_payment_error = { code: 'card_declined', decline_code: decline };
      this.tell('payment_intent.payment_failed', intent);
      throw new Refusal(402, {
        type: 'card_error',
        code: 'card_declined',
        decline_code: decline,
        payment_intent: intent,
      });
    }
    intent.status = card === 'pm_card_challenge' ? 'requires_action' : 'requires_capture';
    this.tell(
      `payment_intent.${card === 'pm_card_challenge' ? 'requires_action' : 'amount_capturable_updated'}`,
      intent,
    );
    return intent;
  }

  private capture(intent: Intent): Intent {
    if (intent.status === 'requires_capture' && intent.payment_method === 'pm_card_expires') intent.status = 'canceled';
    if (intent.status !== 'requires_capture') throw unexpected(intent);
    intent.status = 'succeeded';
    intent.amount_received = intent.amount;
    this.captures.set(intent.id, (this.captures.get(intent.id) ?? 0) + 1);
    this.tell('payment_intent.succeeded', intent);
    return intent;
  }

  private cancel(intent: Intent): Intent {
    if (intent.status === 'succeeded' || intent.status === 'canceled') throw unexpected(intent);
    intent.status = 'canceled';
    this.tell('payment_intent.canceled', intent);
    return intent;
  }

  private onRefunds(method: string, id: string | undefined, form: Record<string, string>): object {
    const all = [...this.refunds.values()];
    if (method === 'GET' && !id)
      return { object: 'list', data: all.filter((r) => r.payment_intent === form.payment_intent) };
    if (method === 'GET') return this.refunds.get(id ?? '') ?? {};
    const intent = this.intent(form.payment_intent);
    const amount = Number(form.amount);
    const before = all.filter((r) => r.payment_intent === intent.id && r.status !== 'failed');
    if (before.reduce((sum, r) => sum + r.amount, amount) > intent.amount_received)
      throw invalid('charge_already_refunded');
    const refund: StripeRefund = {
      id: `re_${randomBytes(12).toString('hex')}`,
      object: 'refund',
      amount,
      payment_intent: intent.id,
      status: intent.payment_method === 'pm_card_slow_refund' ? 'pending' : 'succeeded',
      metadata: bracketed(form, 'metadata'),
    };
    this.refunds.set(refund.id, refund);
    this.tell('refund.created', refund);
    return refund;
  }

  private intent(id = ''): Intent {
    const intent = this.intents.get(id);
    if (!intent) throw new Refusal(404, { type: 'invalid_request_error', code: 'resource_missing' });
    return intent;
  }

  private tell(type: string, object: object): void {
    const id = `evt_${randomBytes(12).toString('hex')}`;
    const created = Math.floor(Date.now() / 1000);
    this.events.push(
      JSON.stringify({ id, object: 'event', api_version: '2026-10-28.endive', created, type, data: { object } }),
    );
  }
}
