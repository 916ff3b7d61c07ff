import { setTimeout as sleep } from 'node:timers/promises';
import { ReplayFailure } from './replay-failure.ts';

export interface LarderRequest {
  method: 'GET' | 'POST' | 'PATCH';
  path: string;
  body?: object;
  token?: string;
  idempotencyKey?: string;
}

export interface LarderAnswer {
  status: number;
  /** As parsed; whoever asked knows its shape. */
  body: unknown;
  /** Larder had answered this key before this request was sent. */
  replayed: boolean;
}

/** Larder's own limit is 8 s: it has always answered before this, if it is there. */
const ANSWER_TIMEOUT_MS = 15_000;
/** An outage shorter than this is nobody's business. */
const SILENT_MS = 2000;
const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 2000;
const LONGEST_RETRY_AFTER_S = 30;
/** Conflicts with another request under way, not with the state of things. */
const PASSING_CONFLICTS = [
  'IDEMPOTENCY_IN_PROGRESS',
  'RESOURCE_LOCKED',
  'TRANSACTION_CONFLICT',
  'ORDER_STATUS_CONFLICT',
];

/**
 * Larder over HTTP. Repeats what failed for the moment (no answer, 5xx, 429, a passing conflict) until the patience is at
 * its end; the same Idempotency-Key goes out each time, so whatever the first attempt has done counts once.
 */
export class LarderClient {
  /** Attempts that had to be repeated. */
  retries = 0;
  private readonly url: string;
  private readonly store: string;
  private readonly patienceMs: number;
  private outageTold = false;

  constructor({ url, store, patienceMs }: { url: string; store: string; patienceMs: number }) {
    this.url = url;
    this.store = store;
    this.patienceMs = patienceMs;
  }

  /** @throws ReplayFailure when Larder doesn't answer for as long as the patience lasts */
  async send(request: LarderRequest): Promise<LarderAnswer> {
    let failingSince: number | undefined;
    for (let attempt = 0; ; attempt += 1) {
      const outcome = await this.attempt(request);
      if (outcome.answer) {
        this.outageTold = false;
        // Repeated here, a replay is the lost answer of an attempt of our own.
        return { ...outcome.answer, replayed: outcome.answer.replayed && attempt === 0 };
      }
      failingSince ??= performance.now();
      const wait = Math.max(outcome.retryAfterMs, backoffMs(attempt));
      const failingMs = performance.now() - failingSince;
      if (failingMs > SILENT_MS) this.tellOutage(outcome.trouble);
      if (failingMs + wait > this.patienceMs) {
        throw new ReplayFailure(
          `Larder at ${this.url} has not done ${request.method} ${request.path} for ${this.patienceMs / 1000} s ` +
            `(${outcome.trouble}). Start it and run the same command again: it goes on where it stopped.`,
        );
      }
      this.retries += 1;
      await sleep(wait);
    }
  }

  private async attempt(request: LarderRequest): Promise<Attempt> {
    try {
      const response = await fetch(this.url + request.path, {
        method: request.method,
        headers: this.headersOf(request),
        body: request.body && JSON.stringify(request.body),
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      });
      const body = parsed(await response.text());
      const { status } = response;
      if (status < 500 && status !== 429 && !(status === 409 && PASSING_CONFLICTS.includes(codeOf(body)))) {
        const replayed = response.headers.get('idempotency-replayed') === 'true';
        return { answer: { status, body, replayed }, trouble: '', retryAfterMs: 0 };
      }
      const retryAfterS = Number(response.headers.get('retry-after') ?? 0) || 0;
      const retryAfterMs = 1000 * Math.min(retryAfterS, LONGEST_RETRY_AFTER_S);
      return { trouble: `${status} ${codeOf(body)}`, retryAfterMs };
    } catch (error) {
      return { trouble: troubleOf(error), retryAfterMs: 0 };
    }
  }

  private tellOutage(trouble: string): void {
    if (this.outageTold) return;
    this.outageTold = true;
    console.error(`\nWaiting up to ${this.patienceMs / 1000} s for Larder at ${this.url} (${trouble})`);
  }

  private headersOf({ body, token, idempotencyKey }: LarderRequest): Record<string, string> {
    return {
      ...(body && { 'content-type': 'application/json' }),
      ...(token === undefined ? { 'x-store': this.store } : { authorization: `Bearer ${token}` }),
      ...(idempotencyKey && { 'idempotency-key': idempotencyKey }),
    };
  }
}

/** Either an answer or what was in the way. */
interface Attempt {
  answer?: LarderAnswer;
  trouble: string;
  retryAfterMs: number;
}

/** Larder's error code; empty when the body isn't Larder's. */
export function codeOf(body: unknown): string {
  return body !== null && typeof body === 'object' && 'code' in body && typeof body.code === 'string' ? body.code : '';
}

/** For a person: what Larder answered. */
export function refusalOf({ status, body }: LarderAnswer): string {
  const { message, details } = (body ?? {}) as { message?: string; details?: unknown };
  return [status, codeOf(body), message, details && JSON.stringify(details).slice(0, 500)].filter(Boolean).join(' ');
}

function backoffMs(attempt: number): number {
  return Math.min(FIRST_WAIT_MS * 2 ** attempt, LONGEST_WAIT_MS) * (0.5 + Math.random() / 2);
}

/** Not JSON when something else than Larder answers. */
function parsed(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** fetch says only "fetch failed": the reason is in its cause. */
function troubleOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof Error) return 'code' in cause ? String(cause.code) : cause.message;
  return error.message;
}
