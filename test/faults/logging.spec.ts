import { PassThrough } from 'node:stream';
import { LarderLogger } from '../../src/platform/logging/larder-logger.js';
import { createPino } from '../../src/platform/logging/pino.js';
import { startApp, type TestApp } from '../support/app.js';
import { ADDRESS, Factory, freshKey, type TestStore } from '../support/factories.js';
import { PATIENT } from '../support/shop.js';

const PASSWORD = 'a password that nobody may read';

describe('the log', () => {
  let larder: TestApp;
  let make: Factory;
  let store: TestStore;

  beforeAll(async () => {
    larder = await startApp({ ...PATIENT, LOG_LEVEL: 'trace' });
    make = new Factory(larder.sql);
    store = await make.store();
  });

  afterAll(() => larder.close());

  it('names its request in every line, also of work that goes on side by side', async () => {
    const customers = await Promise.all(Array.from({ length: 10 }, () => make.user(store)));
    const variant = await make.variant(store, { onHand: 5 });
    const body = { lines: [{ variantId: variant, quantity: 1 }], paymentMethod: 'COD', deliveryAddress: ADDRESS };
    const responses = await Promise.all(
      customers.map(({ bearer }) =>
        larder.http.post('/api/orders').set({ authorization: bearer, 'idempotency-key': freshKey() }).send(body),
      ),
    );
    expect(responses.map(({ status }) => status).sort()).toEqual([...Array(5).fill(201), ...Array(5).fill(409)]);
    for (const [i, { status, headers }] of responses.entries()) {
      const lines = larder.logLines().filter(({ requestId }) => requestId === headers['x-request-id']);
      const events = lines.map(({ event }) => event).filter((event) => event !== 'slow_query_detected');
      const expected = status === 201 ? 'order_request_placed' : 'http_exception';
      expect(events).toEqual([expected, 'http_request_completed']);
      for (const line of lines) expect(line.userId).toBe(customers[i]!.id);
    }
  });

  it('takes the request id of a client or proxy, if it is one', async () => {
    for (const [sent, taken] of [
      ['client-0123456789', true],
      ['a'.repeat(128), true],
      ['short', false],
      ['a'.repeat(129), false],
      ['with blanks in it', false],
      ['{"event":"forged"}', false],
    ] as const) {
      const response = await larder.http.get('/api/nothing').set('x-request-id', sent);
      expect([sent, response.headers['x-request-id'] === sent]).toEqual([sent, taken]);
      expect((response.body as { requestId: string }).requestId).toBe(response.headers['x-request-id']);
    }
  });

  it('tells of a request by its route, never by its address or what it asked', async () => {
    const user = await make.user(store);
    const secret = 'what-somebody-looks-for';
    await larder.http.get(`/api/products?search=${secret}`).set('authorization', user.bearer).expect(200);
    await larder.http.get(`/api/orders/${secret}`).set('authorization', user.bearer).expect(404);
    const lines = larder.logLines().filter(({ userId }) => userId === user.id);
    expect(lines).toContainEqual(
      expect.objectContaining({
        level: 'info',
        event: 'http_request_completed',
        method: 'GET',
        route: '/api/orders/:id',
        statusCode: 404,
        duration: expect.any(Number) as number,
      }),
    );
    expect(JSON.stringify(larder.logLines())).not.toContain(secret);
  });

  it('holds no secret and nothing personal of a day in the shop, down to its finest level', async () => {
    const email = 'ada.lovelace@larder.test';
    const registered = await larder.http
      .post('/api/auth/register')
      .send({ email, password: PASSWORD, name: 'Ada Byron King' });
    const { accessToken, refreshToken, user } = registered.body as Record<string, string> & { user: { id: string } };
    const authorization = `Bearer ${accessToken}`;
    await larder.http
      .post('/api/auth/login')
      .send({ email, password: `${PASSWORD}!` })
      .expect(401);
    await larder.http
      .post('/api/auth/register')
      .send({ email, password: PASSWORD, name: 'Ada Byron King' })
      .expect(409);
    await larder.http.post('/api/auth/login').send({ email, password: 7 }).expect(400);
    const variant = await make.variant(store);
    const key = freshKey();
    const order = await larder.http
      .post('/api/orders')
      .set({ authorization, 'idempotency-key': key })
      .send({
        lines: [{ variantId: variant, quantity: 2 }],
        paymentMethod: 'COD',
        deliveryAddress: ADDRESS,
        note: 'the key is under the mat',
      })
      .expect(201);
    const { id, deliveryCode } = order.body as { id: string; deliveryCode: string };
    const manager = await make.user(store, 'MANAGER');
    const agent = await make.agent(store);
    const offer = await larder.http
      .post('/api/shipping/assignments')
      .set('authorization', manager.bearer)
      .send({ orderId: id });
    const step = (name: string, body?: object) =>
      larder.http
        .post(`/api/shipping/assignments/${(offer.body as { id: string }).id}/${name}`)
        .set({ authorization: agent.bearer, 'idempotency-key': freshKey() })
        .send(body);
    await step('accept').expect(200);
    await step('pickup').expect(200);
    await step('deliver', { proof: { code: deliveryCode === '000000' ? '000001' : '000000' } }).expect(400);
    await step('deliver', { proof: { code: deliveryCode }, cashCollected: { amount: 1000, currency: 'USD' } }).expect(
      200,
    );
    await larder.http.post('/api/auth/refresh').send({ refreshToken }).expect(200);

    const log = larder.logLines().map((line) => JSON.stringify(line));
    expect(log.some((line) => line.includes(user.id))).toBe(true);
    const secrets = [
      PASSWORD,
      accessToken,
      refreshToken,
      email,
      'Ada',
      'Byron',
      ...Object.values(ADDRESS),
      'under the mat',
      key,
    ];
    const leaked = secrets.filter((secret) => log.some((line) => line.includes(`${secret}`)));
    // A zip code and a delivery code are also just digits, as in an id or a duration.
    expect(leaked.filter((secret) => secret !== ADDRESS.zip)).toEqual([]);
    expect(log.filter((line) => line.includes(`"${deliveryCode}"`))).toEqual([]);
  });

  it('is of lines that have a level, a time and an event of the form domain_action_status', () => {
    const lines = larder.logLines().filter(({ event }) => event !== undefined);
    expect(lines.length).toBeGreaterThan(20);
    for (const line of lines) {
      expect(line).toMatchObject({
        level: expect.stringMatching(/^(trace|debug|info|warn|error|fatal)$/) as string,
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
        event: expect.stringMatching(/^[a-z]+(_[a-z]+)+$/) as string,
      });
    }
  });
});

describe('a line with more in it than it should have', () => {
  const written: string[] = [];
  const destination = new PassThrough().on('data', (chunk: Buffer) => written.push(chunk.toString()));
  const logger = new LarderLogger(createPino({ LOG_LEVEL: 'info', NODE_ENV: 'production' }, destination));

  const secrets = {
    password: 'secret-1',
    passwordHash: 'secret-2',
    token: 'secret-3',
    accessToken: 'secret-4',
    refreshToken: 'secret-5',
    authorization: 'secret-6',
    email: 'secret-7',
    phone: 'secret-8',
    address: { line1: 'secret-9' },
    deliveryAddress: { line1: 'secret-10' },
    deliveryCode: 'secret-11',
    cookie: 'secret-12',
  };

  it.each([
    ['at its top', secrets],
    ['in what it holds', { user: secrets }],
    ['in the headers of a request', { request: { headers: secrets } }],
    ['in a list', { users: [secrets] }],
  ])('is redacted %s', (_where, fields) => {
    written.length = 0;
    logger.info({ event: 'auth_login_completed', userId: 'kept', ...fields });
    expect(written.join('')).toContain('"userId":"kept"');
    expect(written.join('')).not.toContain('secret-');
  });
});
