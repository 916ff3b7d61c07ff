import { randomUUID } from 'node:crypto';
import type { ErrorBody, Session } from './answers.ts';

const TIMEOUT_MS = 15_000;

/** Nothing to tell a story about: the message says what to do. */
export class NoLarder extends Error {}

export interface Answer<Body> {
  status: number;
  body: Body;
  /** True when it is the stored answer to an Idempotency-Key. */
  replayed: boolean;
}

/** A running Larder, as anyone on the network meets it. */
export class Larder {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** @throws NoLarder with what to do, when none answers or it isn't ready. */
  async requireReady(): Promise<void> {
    let status: number;
    try {
      ({ status } = await fetch(`${this.url}/health/ready`, { signal: AbortSignal.timeout(TIMEOUT_MS) }));
    } catch {
      throw new NoLarder(
        `No Larder answers at ${this.url}. Start one with \`npm start\` in another terminal,\n` +
          'or say where it is: npm run demo -- --url http://host:port',
      );
    }
    if (status === 200) return;
    throw new NoLarder(`What answers at ${this.url} is no Larder that is ready: /health/ready says ${status}.`);
  }

  /** @throws NoLarder when the demo store's logins aren't there. */
  async login(email: string): Promise<Person> {
    const credentials = { email, password: 'larder-demo' };
    const answer = await this.call<Session>('POST', '/api/auth/login', { body: credentials });
    if (answer.status === 200) return new Person(this, answer.body);
    throw new NoLarder(
      `${email} can't log in (${answer.status}): this Larder has no demo store. One that runs with NODE_ENV=production has none.`,
    );
  }

  async call<Body>(
    method: string,
    path: string,
    { body, token, key, cartToken }: { body?: object; token?: string; key?: string; cartToken?: string } = {},
  ): Promise<Answer<Body>> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        'x-store': 'demo',
        ...(body && { 'content-type': 'application/json' }),
        ...(token && { authorization: `Bearer ${token}` }),
        ...(key && { 'idempotency-key': key }),
        ...(cartToken && { 'x-cart-token': cartToken }),
      },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await response.text();
    return {
      status: response.status,
      body: (text ? JSON.parse(text) : undefined) as Body,
      replayed: response.headers.get('idempotency-replayed') === 'true',
    };
  }
}

/** Somebody who is logged in. */
export class Person {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  private readonly larder: Larder;
  private readonly token: string;

  constructor(larder: Larder, { accessToken, user }: Session) {
    this.larder = larder;
    this.token = accessToken;
    this.id = user.id;
    this.name = user.name;
    this.role = user.roles.join(', ').toLowerCase();
  }

  get firstName(): string {
    return this.name.split(' ')[0] ?? this.name;
  }

  get<Body>(path: string): Promise<Answer<Body>> {
    return this.larder.call<Body>('GET', path, { token: this.token });
  }

  /** Every POST carries a key of its own, or the given one when it is a retry of the same wish. */
  post<Body = ErrorBody>(path: string, body?: object, key: string = randomUUID()): Promise<Answer<Body>> {
    return this.larder.call<Body>('POST', path, { body, token: this.token, key });
  }

  patch<Body = ErrorBody>(path: string, body: object): Promise<Answer<Body>> {
    return this.larder.call<Body>('PATCH', path, { body, token: this.token });
  }
}
