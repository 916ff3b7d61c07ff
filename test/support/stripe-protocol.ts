import { randomBytes } from 'node:crypto';
import http from 'node:http';

export interface Intent {
  id: string;
  object: 'payment_intent';
  amount: number;
  amount_received: number;
  currency: string;
  status: string;
  client_secret: string;
  metadata: Record<string, string>;
  payment_method: string | null;
  last_payment_error: { code: string; decline_code?: string } | null;
  created: number;
}

export interface StripeRefund {
  id: string;
  object: 'refund';
  amount: number;
  payment_intent: string;
  status: string;
  failure_reason?: string;
  metadata: Record<string, string>;
}

export interface Answer {
  status: number;
  body: object;
}

/** An error as Stripe's clients get it. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly error: object,
  ) {
    super(JSON.stringify(error));
  }
}

/** As it is now: a kept answer does not change with what it is about. */
export function answered(status: number, body: object): Answer {
  return { status, body: structuredClone(body) };
}

export function refused(status: number, error: object): Answer {
  return answered(status, { error });
}

export function invalid(code: string): Refusal {
  return new Refusal(400, { type: 'invalid_request_error', code });
}

export function unexpected(intent: Intent): Refusal {
  const code = 'payment_intent_unexpected_state';
  return new Refusal(400, { type: 'invalid_request_error', code, payment_intent: intent });
}

/** metadata[store]=1 → {store: '1'} */
export function bracketed(form: Record<string, string>, name: string): Record<string, string> {
  const entries = Object.entries(form).filter(([field]) => field.startsWith(`${name}[`));
  return Object.fromEntries(entries.map(([field, value]) => [field.slice(name.length + 1, -1), value]));
}

export function send(response: http.ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'request-id': `req_${randomBytes(6).toString('hex')}`,
  });
  response.end(JSON.stringify(body));
}

export function post(url: string, body: string, signature: string): Promise<number> {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json', 'stripe-signature': signature };
    const request = http.request(url, { method: 'POST', headers });
    request.on('error', () => resolve(503));
    request.on('response', (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    request.end(body);
  });
}
