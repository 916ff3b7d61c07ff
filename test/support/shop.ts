import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'supertest';
import type { OrderResponse } from '../../src/modules/orders/dto/order.dto.js';
import { startApp, type TestApp } from './app.js';
import { ADDRESS, Factory, freshKey, type TestStore, type TestUser } from './factories.js';

/** Long enough for a machine that does much else: it costs time only where what is waited for never comes. */
const WAIT_MS = 20_000;

/** What tests look at in an answer: of an order, an assignment or an error. */
export interface ReplyBody {
  id: string;
  status: string;
  version: number;
  code: string;
  message: string;
  details: object[];
}

/** An answer with the bytes that came and the time it took, for clients that open many sockets at once. */
export interface Reply {
  status: number;
  text: string;
  body: ReplyBody;
  headers: http.IncomingHttpHeaders;
  ms: number;
}

export interface CallOptions {
  body?: object;
  /** Idempotency-Key */
  key?: string;
  headers?: Record<string, string>;
}

export interface Line {
  variantId: string;
  quantity: number;
}

/**
 * Whoever waits on a busy machine is served in the end: for tests of what becomes of many who want the same, not of how fast.
 * Longer than deadlock_timeout, so that a deadlock is found and counted.
 */
export const PATIENT = {
  REQUEST_DEADLINE_MS: '40000',
  TRANSACTION_TIMEOUT_MS: '30000',
  POOL_ACQUIRE_TIMEOUT_MS: '20000',
  STATEMENT_TIMEOUT_MS: '20000',
  LOCK_TIMEOUT_MS: '15000',
};

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** A user, or somebody without a login: nobody, or a guest with the token of his cart. */
export type Caller = Pick<TestUser, 'bearer'> | { cartToken?: string };

/** A store with staff over a Larder of its own, and two ways to ask it: supertest, and bare sockets by the hundred. */
export class Shop {
  private readonly agent = new http.Agent({ keepAlive: true });

  private constructor(
    readonly larder: TestApp,
    readonly make: Factory,
    readonly store: TestStore,
    readonly manager: TestUser,
  ) {}

  static async open(
    columns: Parameters<Factory['store']>[1] = {},
    settings: Record<string, string> = {},
  ): Promise<Shop> {
    const larder = await startApp(settings);
    const make = new Factory(larder.sql);
    const store = await make.store('demo', columns);
    return new Shop(larder, make, store, await make.user(store, 'MANAGER'));
  }

  async close(): Promise<void> {
    this.agent.destroy();
    await this.larder.close();
  }

  /** One row of the test's own SQL. */
  async row<T extends object = Record<string, unknown>>(text: string, values: unknown[] = []): Promise<T> {
    const { rows } = await this.larder.sql.query<T>(text, values);
    if (rows.length !== 1) throw new Error(`Expected one row, got ${rows.length}`);
    return rows[0]!;
  }

  /** Until this SQL finds something: for what another request has to reach first. */
  waitFor(text: string, values: unknown[] = []): Promise<void> {
    return this.waitUntil(async () => (await this.larder.sql.query(text, values)).rows.length > 0);
  }

  async waitUntil(reached: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = performance.now() + WAIT_MS;
    while (!(await reached())) {
      if (performance.now() > deadline) throw new Error(`Not reached within ${WAIT_MS} ms: ${reached.toString()}`);
      await sleep(5);
    }
  }

  /** A request through supertest. */
  ask(method: Method, path: string, user: Caller, { body, key, headers = {} }: CallOptions = {}): Test {
    const request = this.larder.http[method](path).set(credentialsOf(user)).set(headers);
    if (key) void request.set('idempotency-key', key);
    return body ? request.send(body) : request;
  }

  /** Places an order that is expected to succeed. */
  async placed(customer: TestUser, lines: Line[], paymentMethod = 'COD'): Promise<OrderResponse> {
    const body = orderOf(lines, { paymentMethod });
    const { text } = await this.done('/api/orders', customer, 201, { key: freshKey(), body });
    return JSON.parse(text) as OrderResponse;
  }

  /** An order on the way to its agent: offered and accepted, and picked up unless told otherwise. */
  async carried(agent: TestUser, orderId: string, upTo: 'OFFERED' | 'ACCEPTED' | 'PICKED_UP' = 'PICKED_UP') {
    const offer = await this.done('/api/shipping/assignments', this.manager, 201, { body: { orderId } });
    const path = `/api/shipping/assignments/${offer.body.id}`;
    if (upTo !== 'OFFERED') await this.done(`${path}/accept`, agent, 200);
    if (upTo === 'PICKED_UP') await this.done(`${path}/pickup`, agent, 200);
    return { id: offer.body.id, path };
  }

  private async done(path: string, user: TestUser, status: number, options: CallOptions = {}): Promise<Reply> {
    const reply = await this.call('post', path, user, options);
    if (reply.status !== status) throw new Error(`POST ${path} answered ${reply.status}: ${reply.text}`);
    return reply;
  }

  /** One request over a socket of this shop's own; never refused by the client, whatever comes back. */
  call(method: Method, path: string, user: Caller, { body, key, headers }: CallOptions = {}): Promise<Reply> {
    return callOver(this.agent, this.larder.url + path, method, { user, body, key, headers });
  }
}

function credentialsOf(user: Caller): Record<string, string> {
  if ('bearer' in user) return { authorization: user.bearer };
  return user.cartToken ? { 'x-cart-token': user.cartToken } : {};
}

export function callOver(
  agent: http.Agent,
  url: string,
  method: Method,
  { user, body, key, headers = {} }: CallOptions & { user: Caller },
): Promise<Reply> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const request = http.request(url, {
      agent,
      method: method.toUpperCase(),
      headers: {
        ...credentialsOf(user),
        ...(body ? { 'content-type': 'application/json' } : {}),
        ...(key ? { 'idempotency-key': key } : {}),
        ...headers,
      },
    });
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('error', reject);
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const parsed = text ? (JSON.parse(text) as ReplyBody) : ({} as ReplyBody);
        const status = response.statusCode ?? 0;
        resolve({ status, text, body: parsed, headers: response.headers, ms: performance.now() - started });
      });
    });
    request.end(body ? JSON.stringify(body) : undefined);
  });
}

export function orderOf(lines: Line[], changes: object = {}): object {
  return { lines, paymentMethod: 'COD', deliveryAddress: ADDRESS, ...changes };
}

/** How many answers there are of each kind: {'200': 1, '409 ASSIGNMENT_TAKEN': 199}. */
export function tally(replies: Reply[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, body } of replies) {
    const kind = status < 400 ? String(status) : `${status} ${body.code}`;
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

export function quantile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}
