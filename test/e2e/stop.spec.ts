import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { newId } from '../../src/common/ids.js';
import { until } from '../support/background.js';
import { type Build, buildLarder, type LarderRun } from '../support/built-larder.js';
import { createTestDatabase, type TestDatabase, withClient } from '../support/database.js';
import { ADDRESS, freshKey } from '../support/factories.js';

const CLIENTS = 12;
const SECRET = 's'.repeat(32);

interface Answer {
  id: string;
  /** 0 when no complete answer came. */
  status: number;
  body: string;
  /** The system's code, when the connection failed. */
  failure?: string;
}

let build: Build;
let database: TestDatabase;
let settings: Record<string, string>;
beforeAll(async () => {
  build = await buildLarder();
  database = await createTestDatabase();
  settings = { DATABASE_URL: database.url, NODE_ENV: 'test', JWT_SECRET: SECRET };
});
afterAll(async () => {
  await build.clear();
  await database.drop();
});

it('a stop under load breaks off nothing that was accepted, and every acknowledged order is there', async () => {
  const run = build.start(settings);
  const url = await run.url();
  const load = new Load(() => url, await orderFor(url));
  const driven = load.drive();
  await load.hasAnswers(100);
  const code = run.stop('SIGTERM');
  await load.stopped;
  expect(await code).toBe(0);
  const answers = await driven;

  const complete = answers.filter(({ status }) => status !== 0);
  expect(complete.length).toBeGreaterThan(100);
  expect(complete.filter(({ status }) => ![200, 201, 503].includes(status))).toEqual([]);
  complete.forEach(({ body }) => JSON.parse(body) as unknown);
  // Whoever got no answer came too late: Larder never saw the request.
  const seen = new Set(run.logLines().map(({ requestId }) => requestId));
  const broken = answers.filter(({ status, id }) => status === 0 && seen.has(id));
  expect(broken).toEqual([]);
  await expectOrders(complete);
});

it('a rolling restart behind a balancer that asks /health/ready loses no request at all', async () => {
  const rolling = { ...settings, SHUTDOWN_DELAY_MS: '1000' };
  const pair = [build.start(rolling), build.start(rolling)];
  const balancer = new Balancer(await Promise.all(pair.map((run) => run.url())));
  const watching = balancer.watch();
  const load = new Load(() => balancer.pick(), await orderFor(balancer.pick()));
  const driven = load.drive();
  try {
    for (const old of pair) {
      await balancer.add(await build.start(rolling).url());
      await sleep(500);
      expect(await old.stop('SIGTERM')).toBe(0);
      balancer.remove(await old.url());
    }
  } finally {
    load.stop();
    balancer.stop();
  }
  const answers = await driven;
  await watching;

  expect(answers.length).toBeGreaterThan(300);
  expect(answers.filter(({ status }) => status !== 200 && status !== 201).slice(0, 5)).toEqual([]);
  await expectOrders(answers);
});

it('waits for the slowest request no longer than it may, and a second Ctrl-C ends the wait', async () => {
  const run = build.start({
    ...settings,
    STATEMENT_TIMEOUT_MS: '4000',
    LOCK_TIMEOUT_MS: '3900',
    SHUTDOWN_DRAIN_MS: '500',
  });
  const url = await run.url();
  const order = await orderFor(url);
  await withClient(database.url, async (client) => {
    await client.query('BEGIN');
    await client.query('LOCK TABLE stock_levels IN ACCESS EXCLUSIVE MODE');
    const stuck = send(url, order());
    // Over a connection of its own: a transaction sees the activity of its first look.
    const waiting = `SELECT FROM pg_stat_activity
                      WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%place_order%'`;
    await withClient(database.url, (watching) => until(async () => (await watching.query(waiting)).rowCount === 1));
    const code = run.stop('SIGTERM');
    expect((await stuck).failure).toBe('ECONNRESET');
    await client.query('ROLLBACK');
    expect(await code).toBe(0);
    // By its own clock: long before the database would have given the lock up.
    expect(timeOf(run, 'larder_drain_cancelled') - timeOf(run, 'larder_stop_started')).toBeLessThan(2000);
  });

  const patient = build.start({ ...settings, SHUTDOWN_DELAY_MS: '60000' });
  await patient.url();
  const code = patient.stop('SIGINT');
  // npm hands Ctrl-C down a second time at once; that is no second Ctrl-C.
  patient.child.kill('SIGINT');
  await until(() => patient.logLines().some(({ event }) => event === 'larder_stop_started'));
  await sleep(1300);
  expect(patient.child.exitCode).toBeNull();
  patient.child.kill('SIGINT');
  expect(await code).toBe(1);
});

it('tells its clients to let go of their connections while it drains, and is not ready', async () => {
  const run = build.start({ ...settings, SHUTDOWN_DELAY_MS: '3000' });
  const url = await run.url();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const kept = await send(url, { path: '/health/ready' }, agent);
  expect(kept).toMatchObject({ status: 200, connection: 'keep-alive' });
  const code = run.stop('SIGTERM');
  await until(() => run.logLines().some(({ event }) => event === 'larder_stop_started'));
  expect(await send(url, { path: '/health/ready' }, agent)).toMatchObject({ status: 503, connection: 'close' });
  expect(await send(url, { path: '/api/products' }, agent)).toMatchObject({ status: 200, connection: 'close' });
  expect(await code).toBe(0);
});

/** When it wrote this down, in ms since 1970. */
function timeOf(run: LarderRun, event: string): number {
  const line = run.logLines().find((logged) => logged.event === event);
  return Date.parse(String(line?.timestamp));
}

interface Call {
  path: string;
  headers?: Record<string, string>;
  body?: string;
}

function send(url: string, call: Call, agent?: Agent): Promise<Answer & { connection?: string }> {
  const id = newId();
  return new Promise((done) => {
    const failed = (error: NodeJS.ErrnoException): void => done({ id, status: 0, body: '', failure: error.code });
    const outgoing = request(url + call.path, {
      agent,
      method: call.body === undefined ? 'GET' : 'POST',
      headers: { 'x-request-id': id, 'content-type': 'application/json', ...call.headers },
    });
    outgoing.on('error', failed);
    outgoing.on('response', (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('error', failed);
      response.on('end', () =>
        done({ id, status: response.statusCode ?? 0, body, connection: response.headers.connection }),
      );
    });
    outgoing.end(call.body);
  });
}

/** Clients that read products and place orders, each over its kept-alive connection, one request after the other. */
class Load {
  private running = true;
  private answered = 0;
  private leave: () => void = () => undefined;
  readonly stopped = new Promise<void>((done) => (this.leave = done));

  constructor(
    private readonly url: () => string,
    private readonly order: () => Call,
  ) {}

  async drive(): Promise<Answer[]> {
    const all = await Promise.all(Array.from({ length: CLIENTS }, (_, index) => this.client(index)));
    return all.flat();
  }

  /** Resolves when it is well under way. */
  async hasAnswers(count: number): Promise<void> {
    while (this.answered <= count) await sleep(20);
  }

  stop(): void {
    this.running = false;
    this.leave();
  }

  private async client(index: number): Promise<Answer[]> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const answers: Answer[] = [];
    while (this.running) {
      const call = index % 3 === 0 ? this.order() : { path: '/api/products?limit=5' };
      const answer = await send(this.url(), call, agent);
      answers.push(answer);
      this.answered += 1;
      if (answer.failure === 'ECONNREFUSED') this.stop();
    }
    agent.destroy();
    return answers;
  }
}

/** Sends to whom it found ready, in turn; asks ten times a second. */
class Balancer {
  private ready: string[];
  private readonly asked = new Set<string>();
  private turn = 0;
  private running = true;

  constructor(private instances: string[]) {
    this.ready = [...instances];
  }

  /** Resolves when it sends requests there. */
  async add(url: string): Promise<void> {
    this.instances = [...this.instances, url];
    while (this.running && !this.ready.includes(url)) await sleep(50);
  }

  remove(url: string): void {
    this.instances = this.instances.filter((instance) => instance !== url);
  }

  pick(): string {
    this.turn += 1;
    return this.ready[this.turn % this.ready.length] ?? '';
  }

  stop(): void {
    this.running = false;
  }

  async watch(): Promise<void> {
    while (this.running) {
      for (const url of this.instances) {
        if (this.asked.has(url)) continue;
        this.asked.add(url);
        void this.ask(url).finally(() => this.asked.delete(url));
      }
      await sleep(100);
    }
  }

  /** Each by itself: one that has just been started is slow to answer, which is no reason to hear of the others later. */
  private async ask(url: string): Promise<void> {
    const { status } = await send(url, { path: '/health/ready' });
    const others = this.ready.filter((instance) => instance !== url);
    this.ready = status === 200 && this.instances.includes(url) ? [...others, url] : others;
  }
}

/** An order of one piece by a demo customer, paid at the door; each call a new one. */
async function orderFor(url: string): Promise<() => Call> {
  const credentials = JSON.stringify({ email: 'customer1@larder.test', password: 'larder-demo' });
  const session = JSON.parse((await send(url, { path: '/api/auth/login', body: credentials })).body);
  const products = JSON.parse((await send(url, { path: '/api/products?limit=1&search=cola' })).body);
  const variantId = products.items[0].variants[0].id as string;
  await receive(variantId);
  const body = JSON.stringify({
    lines: [{ variantId, quantity: 1 }],
    paymentMethod: 'COD',
    deliveryAddress: ADDRESS,
  });
  const authorization = `Bearer ${session.accessToken}`;
  return () => ({ path: '/api/orders', body, headers: { authorization, 'idempotency-key': freshKey() } });
}

/** More than any of these tests can sell. */
function receive(variantId: string): Promise<unknown> {
  return withClient(database.url, (client) =>
    client.query(
      `WITH received AS (
         UPDATE stock_levels SET on_hand = on_hand + 100000 WHERE variant_id = $1 RETURNING store_id, variant_id
       )
       INSERT INTO stock_movements (store_id, variant_id, delta, reason)
       SELECT store_id, variant_id, 100000, 'RECEIPT' FROM received`,
      [variantId],
    ),
  );
}

async function expectOrders(answers: Answer[]): Promise<void> {
  const acknowledged = answers.filter(({ status }) => status === 201).map(({ body }) => JSON.parse(body).id as string);
  expect(acknowledged.length).toBeGreaterThan(0);
  const { rows } = await withClient(database.url, (client) =>
    client.query('SELECT count(*)::int AS found FROM orders WHERE id = ANY ($1)', [acknowledged]),
  );
  expect(rows).toEqual([{ found: acknowledged.length }]);
}
