import { Controller, Get, Post } from '@nestjs/common';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Response } from 'supertest';
import { Public } from '../../src/http/access.js';
import { failure } from '../../src/common/exceptions/failure.js';
import { startApp, type TestApp } from '../support/app.js';
import { Factory } from '../support/factories.js';

const DEADLINE_MS = 300;

/** Goes on when it is told to. */
@Controller('api/slow')
class SlowController {
  finished = 0;
  gate = Promise.withResolvers<void>();

  @Public()
  @Get()
  async dawdle(): Promise<string> {
    await this.gate.promise;
    this.finished += 1;
    return 'too late';
  }

  @Public()
  @Post()
  async dawdleAndFail(): Promise<never> {
    await this.gate.promise;
    this.finished += 1;
    throw failure('ORDER_STATUS_CONFLICT');
  }
}

function expectError(response: Response, status: number, code: string): void {
  expect({ status: response.status, body: response.body as unknown }).toEqual({
    status,
    body: expect.objectContaining({
      statusCode: status,
      code,
      message: expect.stringMatching(/^\P{Cc}{10,200}$/u) as string,
      error: expect.any(String) as string,
      timestamp: expect.any(String) as string,
      path: expect.stringMatching(/^\//) as string,
      requestId: response.headers['x-request-id'],
    }) as object,
  });
}

describe('requests that are wrong before any route looks at them', () => {
  let larder: TestApp;

  beforeAll(async () => {
    larder = await startApp({ BODY_LIMIT_BYTES: '65536' });
    await new Factory(larder.sql).store();
    await larder.http.get('/api/products');
  });

  afterAll(() => larder.close());

  const login = (body: string, type = 'application/json') =>
    larder.http.post('/api/auth/login').set('content-type', type).send(body);

  const broken: [string, string][] = [
    ['text that is no JSON', 'email=a&password=b'],
    ['JSON that breaks off', '{"email":"a@b.c","password":"'],
    ['JSON with a byte order mark of UTF-16', '\ufffe{"email":"a@b.c"}'],
    ['nothing', ''],
    ['blanks', '   '],
    ['a key __proto__', '{"__proto__":{"email":"a@b.c"},"password":"x"}'],
    ['a key constructor.prototype', '{"constructor":{"prototype":{"email":"a@b.c"}}}'],
  ];
  it.each(broken)('answers 400 INVALID_JSON to %s', async (_what, body) => {
    expectError(await login(body), 400, 'INVALID_JSON');
  });

  const wrong: [string, string][] = [
    ['null', 'null'],
    ['a number', '42'],
    ['a string', '"email"'],
    ['an array', '[{"email":"a@b.c","password":"password"}]'],
    ['an object without fields', '{}'],
    ['nesting without end', '['.repeat(30_000) + ']'.repeat(30_000)],
    ['objects in objects without end', '{"a":'.repeat(10_000) + '1' + '}'.repeat(10_000)],
    ['an array of thousands', `{"email":[${'1,'.repeat(20_000)}1]}`],
    ['U+0000', '{"email":"a@b.c","password":"\\u0000"}'],
    ['half a surrogate pair', '{"email":"a@b.c","password":"\\ud800"}'],
    ['a name with U+0000', '{"email":"a@b.c","password":"password","\\u0000":1}'],
  ];
  it.each(wrong)('answers 400 VALIDATION_FAILED to a body that is %s', async (_what, body) => {
    const response = await login(body);
    expectError(response, 400, 'VALIDATION_FAILED');
    expect(response.text.length).toBeLessThan(2000);
  });

  it('says which field it does not know, and what is wrong with each of the others', async () => {
    const { body } = await login('{"email":"nobody","admin":true}');
    expect(body.details).toEqual(
      expect.arrayContaining([
        { field: 'email', message: 'email must be an email' },
        { field: 'admin', message: 'property admin should not exist' },
        { field: 'password', message: 'password is missing' },
      ]),
    );
  });

  it('says of what has another type which one it should have', async () => {
    const { body } = await login('{"email":["ada@larder.test"],"password":12345678}');
    expect(body.details).toEqual([
      { field: 'password', message: 'password must be a string' },
      { field: 'email', message: 'email must be an email' },
    ]);
  });

  it('says of what is null that it is, and of a field that nobody knows no more than that', async () => {
    const { body } = await login('{"email":"ada@larder.test","password":null,"admin":null}');
    expect(body.details).toEqual([
      { field: 'admin', message: 'property admin should not exist' },
      { field: 'password', message: 'password must not be null' },
    ]);
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
    'x',
  ])('answers 415 to %s', async (type) => {
    expectError(await login('{"email":"a@b.c","password":"password"}', type), 415, 'UNSUPPORTED_MEDIA_TYPE');
  });

  it('answers 413 to a body over the limit, told at once or sent piece by piece', async () => {
    expectError(await login(`{"email":"${'a'.repeat(70_000)}"}`), 413, 'PAYLOAD_TOO_LARGE');
    const pieces = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let i = 0; i < 100; i++) controller.enqueue(Buffer.from(`${' '.repeat(1000)}`));
        controller.close();
      },
    });
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: pieces, duplex: 'half' };
    const answer = await fetch(`${larder.url}/api/auth/login`, init as RequestInit);
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
  });

  it.each(['/', '/api', '/api/nothing', '/api/products/../../etc/passwd', '//api//products', '/api/orders/1/2/3'])(
    'answers 404 ROUTE_NOT_FOUND to %s',
    async (path) => {
      expectError(await larder.http.get(path), 404, 'ROUTE_NOT_FOUND');
    },
  );

  it('answers 404 to methods that a route does not have', async () => {
    for (const method of ['delete', 'put', 'options'] as const) {
      expectError(await larder.http[method]('/api/auth/login'), 404, 'ROUTE_NOT_FOUND');
    }
    expect((await larder.http.trace('/api/products')).status).toBe(404);
  });

  it('answers HEAD as GET, without the body', async () => {
    const [head, get] = [await larder.http.head('/api/products'), await larder.http.get('/api/products')];
    expect([head.status, head.headers['content-type'], head.text]).toEqual([
      200,
      get.headers['content-type'],
      undefined,
    ]);
    expect((await larder.http.head('/api/nothing')).status).toBe(404);
  });

  it.each(['/api/products/%', '/api/products/%E0%A4%A', '/api/products/%00', `/api/products/${'a'.repeat(300)}`])(
    'answers 4xx to the address %s',
    async (path) => {
      const response = await larder.http.get(path);
      const code = (response.body as { code: string }).code;
      expect(['MALFORMED_REQUEST', 'NOT_FOUND', 'ADDRESS_TOO_LONG']).toContain(code);
      expectError(response, response.status, code);
    },
  );

  it.each([
    'limit=%00',
    'cursor=%ED%A0%80',
    'search=%00',
    '__proto__[a]=1',
    'limit[]=1',
    'limit=1&limit=2',
    'toString=1',
  ])('answers 400 to the query ?%s', async (query) => {
    const response = await larder.http.get(`/api/products?${query}`);
    expect(['VALIDATION_FAILED', 'INVALID_CURSOR']).toContain((response.body as { code: string }).code);
  });

  const malformed: [string, string, number, string][] = [
    ['no HTTP at all', 'hello\r\n\r\n', 400, 'MALFORMED_REQUEST'],
    ['an unknown method', 'FETCH / HTTP/1.1\r\nhost: x\r\n\r\n', 400, 'MALFORMED_REQUEST'],
    ['headers without end', `GET / HTTP/1.1\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`, 431, 'HEADERS_TOO_LARGE'],
    ['a length that is none', 'POST / HTTP/1.1\r\ncontent-length: x\r\n\r\n', 400, 'MALFORMED_REQUEST'],
    [
      'two lengths (request smuggling)',
      'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
      'MALFORMED_REQUEST',
    ],
  ];
  it.each(malformed)('answers %s with the body of every error', async (_what, text, status, code) => {
    const answer = await sendRaw(text);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    const [, body = ''] = answer.split('\r\n\r\n');
    expect(JSON.parse(body)).toMatchObject({ statusCode: status, code, requestId: expect.any(String) as string });
  });

  async function sendRaw(text: string): Promise<string> {
    const socket = connect(Number(new URL(larder.url).port), '127.0.0.1');
    socket.end(text);
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    return answer;
  }

  it('adds the members of RFC 9457 for who asks for them', async () => {
    const response = await login('{').set('accept', 'application/problem+json');
    expectError(response, 400, 'INVALID_JSON');
    expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(response.body).toMatchObject({
      type: 'about:blank',
      title: 'Bad Request',
      status: 400,
      detail: (response.body as { message: string }).message,
      instance: '/api/auth/login',
    });
  });
});

describe('requests that take too long', () => {
  let larder: TestApp;

  beforeAll(async () => {
    const limits = {
      REQUEST_DEADLINE_MS: String(DEADLINE_MS),
      TRANSACTION_TIMEOUT_MS: '250',
      STATEMENT_TIMEOUT_MS: '200',
      LOCK_TIMEOUT_MS: '150',
      POOL_ACQUIRE_TIMEOUT_MS: '250',
      PAYMENT_TIMEOUT_MS: '250',
    };
    larder = await startApp(limits, [SlowController]);
    await new Factory(larder.sql).store();
    // The store is known from now on: what follows needs no database.
    while ((await larder.http.get('/api/products')).status !== 200) await sleep(50);
  });

  afterAll(() => larder.close());

  it.each(['get', 'post'] as const)(
    'answers 503 to a %s beyond the deadline, and what it does later is silent',
    async (verb) => {
      const slow = larder.app.get(SlowController);
      const before = slow.finished;
      slow.gate = Promise.withResolvers();
      const errors = () => larder.logLines().filter(({ level }) => level === 'error');
      const known = errors();
      const response = await larder.http[verb]('/api/slow');
      expectError(response, 503, 'REQUEST_TIMEOUT');
      expect(response.headers['retry-after']).toBe('2');
      slow.gate.resolve();
      while (slow.finished === before) await sleep(5);
      await sleep(50);
      const lines = larder.logLines().filter((line) => line.requestId === response.headers['x-request-id']);
      expect(lines.map(({ event }) => event).sort()).toEqual(['http_exception', 'http_request_completed']);
      expect(errors()).toEqual(known);
    },
  );
});
