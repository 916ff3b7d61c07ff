import { SignJWT } from 'jose';
import { newId } from '../../src/common/ids.js';
import type { SessionResponse } from '../../src/modules/auth/dto/auth.dto.js';
import { startApp, type TestApp } from '../support/app.js';
import { later } from '../support/clock.js';
import { Factory, type TestStore, type TestUser } from '../support/factories.js';

const PASSWORD = 'correct horse battery staple';

let larder: TestApp;
let make: Factory;
let store: TestStore;
let accounts = 0;

beforeAll(async () => {
  larder = await startApp();
  make = new Factory(larder.sql);
  store = await make.store();
});

afterAll(() => larder.close());

const post = (path: string, body: object) => larder.http.post(`/api/auth/${path}`).send(body);
const me = (authorization: string) => larder.http.get('/api/auth/me').set('authorization', authorization);
const newEmail = () => `person-${(accounts += 1)}@larder.test`;

async function newSession(email = newEmail()): Promise<SessionResponse> {
  const response = await post('register', { email, password: PASSWORD, name: 'A person' }).expect(201);
  return response.body as SessionResponse;
}

function expectRefused(response: { status: number; body: object }, status: number, code: string): void {
  expect({ status: response.status, body: response.body }).toMatchObject({
    status,
    body: { statusCode: status, code },
  });
}

describe('an account', () => {
  it('is opened with a wallet, logged in, and told nothing of its password', async () => {
    const email = newEmail();
    const { body, text } = await post('register', {
      email: ` ${email.toUpperCase()} `,
      password: PASSWORD,
      name: 'Ada',
    });
    expect(body).toEqual({
      accessToken: expect.stringMatching(/^ey[\w-]+\.[\w-]+\.[\w-]+$/) as string,
      refreshToken: expect.stringMatching(/^[\w-]{43}$/) as string,
      expiresIn: 900,
      user: { id: expect.any(String) as string, email, name: 'Ada', roles: ['CUSTOMER'] },
    });
    expect(text).not.toContain(PASSWORD);
    const { user, accessToken } = body as SessionResponse;
    expect((await me(`Bearer ${accessToken}`)).body).toMatchObject(user);
    expect((await me(`bearer ${accessToken}`)).status).toBe(200);
    const { rows } = await larder.sql.query<{ password_hash: string; kinds: string }>(
      `SELECT password_hash, (SELECT string_agg(kind, ',') FROM wallets WHERE owner_id = users.id) AS kinds
         FROM users WHERE id = $1`,
      [user.id],
    );
    expect(rows).toEqual([
      { password_hash: expect.stringMatching(/^\$argon2id\$v=19\$m=19456,p=1,t=2\$/), kinds: 'CUSTOMER' },
    ]);
  });

  it('is opened once, however many ask at once, and once in each store', async () => {
    const email = newEmail();
    const other = await make.store('another');
    const register = () => post('register', { email, password: PASSWORD, name: 'A person' });
    const responses = await Promise.all(Array.from({ length: 8 }, register));
    expect(responses.map(({ status }) => status).sort()).toEqual([201, ...Array(7).fill(409)]);
    expectRefused(await register(), 409, 'EMAIL_TAKEN');
    await register().set('x-store', other.slug).expect(201);
  });

  it.each([
    [{ email: 'nobody' }],
    [{ password: 'short' }],
    [{ password: 'x'.repeat(201) }],
    [{ name: '' }],
    [{ roles: ['ADMIN'] }],
    [{ storeId: newId() }],
  ])('is not opened with %j', async (wrong) => {
    const body = { email: newEmail(), password: PASSWORD, name: 'A person', ...wrong };
    const { body: refusal, text } = await post('register', body);
    expect(refusal).toMatchObject({ code: 'VALIDATION_FAILED', details: [{ field: Object.keys(wrong)[0] }] });
    expect(text).not.toContain(body.password);
  });

  it('is logged in with its password alone; whether it exists is not told', async () => {
    const email = newEmail();
    const { user } = await newSession(email);
    const { body } = await post('login', { email: email.toUpperCase(), password: PASSWORD }).expect(200);
    expect((body as SessionResponse).user).toEqual(user);
    const refusals = await Promise.all([
      post('login', { email, password: `${PASSWORD} ` }),
      post('login', { email: 'never-seen@larder.test', password: PASSWORD }),
    ]);
    for (const response of refusals) expectRefused(response, 401, 'INVALID_CREDENTIALS');
    const [wrong, unknown] = refusals.map(({ body: told }) => ({ ...(told as object), timestamp: 0, requestId: 0 }));
    expect(unknown).toEqual(wrong);
  });

  it('takes as much work to refuse an unknown e-mail as a wrong password', async () => {
    const { user } = await newSession();
    // Of all threads of this process: what a clock on the wall says is also of what else the machine does.
    const refusalCpu = async (email: string) => {
      const before = process.cpuUsage();
      await post('login', { email, password: 'not the password' }).expect(401);
      return process.cpuUsage(before).user;
    };
    const [wrong, unknown]: number[][] = [[], []];
    for (let i = 0; i < 9; i++) {
      wrong!.push(await refusalCpu(user.email));
      unknown!.push(await refusalCpu(`unknown-${i}@larder.test`));
    }
    const median = (values: number[]) => values.sort((a, b) => a - b)[4]!;
    // Without the hashing it would be a tenth.
    expect(median(unknown!) / median(wrong!)).toBeGreaterThan(0.5);
    expect(median(unknown!) / median(wrong!)).toBeLessThan(2);
  });

  it('that is disabled can do nothing more, and is not told apart from one that never was', async () => {
    const { user, accessToken, refreshToken } = await newSession();
    await larder.sql.query('UPDATE users SET disabled_at = now() WHERE id = $1', [user.id]);
    expectRefused(await post('login', { email: user.email, password: PASSWORD }), 401, 'INVALID_CREDENTIALS');
    expectRefused(await post('refresh', { refreshToken }), 401, 'REFRESH_TOKEN_INVALID');
    expectRefused(await me(`Bearer ${accessToken}`), 401, 'UNAUTHENTICATED');
  });
});

/** How they are traded, one by one and at once: auth-refresh.spec.ts. */
describe('a refresh token', () => {
  const refresh = (refreshToken: string) => post('refresh', { refreshToken });
  const next = async (refreshToken: string) => (await refresh(refreshToken).expect(200)).body as SessionResponse;

  it('that comes a second time ends its login, and no other', async () => {
    const email = newEmail();
    const stolen = await newSession(email);
    const elsewhere = (await post('login', { email, password: PASSWORD })).body as SessionResponse;
    const second = await next(stolen.refreshToken);
    expectRefused(await refresh(stolen.refreshToken), 401, 'REFRESH_TOKEN_REUSED');
    expectRefused(await refresh(second.refreshToken), 401, 'REFRESH_TOKEN_INVALID');
    await next(elsewhere.refreshToken);
    expect(larder.logLines()).toContainEqual(
      expect.objectContaining({ event: 'auth_refresh_reused', userId: stolen.user.id }),
    );
  });

  it('is worth nothing after its time, after logging out, in another store, or made up', async () => {
    const late = await newSession();
    await larder.sql.query(`UPDATE refresh_tokens SET expires_at = now() - interval '1 s' WHERE user_id = $1`, [
      late.user.id,
    ]);
    expectRefused(await refresh(late.refreshToken), 401, 'REFRESH_TOKEN_INVALID');

    const { refreshToken } = await newSession();
    const neighbour = await make.store('neighbour');
    expectRefused(await refresh(refreshToken).set('x-store', neighbour.slug), 401, 'REFRESH_TOKEN_INVALID');
    await post('logout', { refreshToken }).expect(204);
    await post('logout', { refreshToken }).expect(204);
    expectRefused(await refresh(refreshToken), 401, 'REFRESH_TOKEN_INVALID');
    expectRefused(await refresh('x'.repeat(43)), 401, 'REFRESH_TOKEN_INVALID');
    await post('logout', { refreshToken: 'x'.repeat(43) }).expect(204);
  });

  it('is kept as a hash alone', async () => {
    const { refreshToken, user } = await newSession();
    const { rows } = await larder.sql.query<{ row: string }>(
      'SELECT to_json(t)::text AS row FROM refresh_tokens t WHERE user_id = $1',
      [user.id],
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]!.row).not.toContain(refreshToken);
    expect(rows[0]!.row).not.toContain(Buffer.from(refreshToken).toString('hex'));
  });
});

describe('an access token', () => {
  let user: TestUser;
  const key = (text: string) => new TextEncoder().encode(text);

  beforeAll(async () => {
    user = await make.user(store);
  });

  interface Forgery {
    claims?: Record<string, unknown>;
    audience?: string;
    issuer?: string;
    subject?: string;
    expires?: string;
    secret?: Uint8Array;
    algorithm?: string;
  }

  async function forged({
    claims,
    audience,
    issuer,
    subject,
    expires,
    secret,
    algorithm,
  }: Forgery = {}): Promise<string> {
    const token = new SignJWT({ store: store.id, roles: ['CUSTOMER'], ...claims })
      .setProtectedHeader({ alg: algorithm ?? 'HS256' })
      .setSubject(subject ?? user.id)
      .setIssuer(issuer ?? 'larder')
      .setAudience(audience ?? 'larder-api')
      .setIssuedAt();
    if (expires !== '') token.setExpirationTime(expires ?? '15m');
    return token.sign(secret ?? key(larder.config.JWT_SECRET));
  }

  const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

  /** alg none: what a library that trusts the header would take. */
  function unsigned(): string {
    const exp = Math.floor(Date.now() / 1000) + 900;
    const claims = { store: store.id, roles: ['ADMIN'], sub: user.id, iss: 'larder', aud: 'larder-api', exp };
    return `${base64({ alg: 'none', typ: 'JWT' })}.${base64(claims)}.`;
  }

  /** A real one, its claims exchanged under the old signature. */
  async function tampered(): Promise<string> {
    const [head, claims = '', signature] = (await forged()).split('.');
    const changed = JSON.parse(Buffer.from(claims, 'base64url').toString()) as object;
    return [head, base64({ ...changed, roles: ['ADMIN'] }), signature].join('.');
  }

  it('of ours lets its owner in', async () => {
    await me(`Bearer ${await forged()}`).expect(200);
  });

  const forgeries: [string, () => string | Promise<string>][] = [
    ['expired', () => forged({ expires: '-1s' })],
    ['without an end', () => forged({ expires: '' })],
    ['unsigned (alg none)', unsigned],
    ['signed with another key', () => forged({ secret: key('another secret of more than 32 bytes') })],
    ['signed by another algorithm', () => forged({ algorithm: 'HS512' })],
    ['for another audience', () => forged({ audience: 'another-api' })],
    ['of another issuer', () => forged({ issuer: 'somebody' })],
    ['with other claims under its signature', tampered],
    ['cut short', async () => (await forged()).slice(0, -1)],
    ['without a signature', async () => (await forged()).split('.').slice(0, 2).join('.')],
    ['with something after it', async () => `${await forged()} more`],
    ['for a store that is no id', () => forged({ claims: { store: 'demo' } })],
    ['without a store', () => forged({ claims: { store: undefined } })],
    ['for a user that is no id', () => forged({ subject: 'admin' })],
    ['with a role that nobody has', () => forged({ claims: { roles: ['ROOT'] } })],
    ['with a role that is no list', () => forged({ claims: { roles: 'ADMIN' } })],
    ['that is no token', () => 'larder'],
    ['that is empty', () => ''],
  ];

  it.each(forgeries)('%s is refused, also where none is needed', async (_what, make_) => {
    const authorization = `Bearer ${await make_()}`;
    expectRefused(await me(authorization), 401, 'UNAUTHENTICATED');
    const publicly = await larder.http.get('/api/products').set('authorization', authorization);
    expectRefused(publicly, 401, 'UNAUTHENTICATED');
  });

  it('in another scheme is refused', async () => {
    for (const scheme of ['Basic', 'Token', '']) {
      expectRefused(await me(`${scheme} ${await forged()}`.trim()), 401, 'UNAUTHENTICATED');
    }
    expectRefused(await larder.http.get('/api/auth/me'), 401, 'UNAUTHENTICATED');
  });

  it('is worth nothing once it has expired, though it was known', async () => {
    const token = await forged();
    await me(`Bearer ${token}`).expect(200);
    const late = await later(901_000, async () => me(`Bearer ${token}`));
    expectRefused(late, 401, 'UNAUTHENTICATED');
  });

  it('is for its store, whatever X-Store says', async () => {
    const other = await make.store('beyond');
    const stranger = await make.user(other);
    const response = await me(stranger.bearer).set('x-store', store.slug).expect(200);
    expect((response.body as { id: string }).id).toBe(stranger.id);
    // A token for a store that its user isn't of finds nobody.
    const mixed = await forged({ claims: { store: other.id } });
    expectRefused(await me(`Bearer ${mixed}`), 401, 'UNAUTHENTICATED');
  });
});

it.each(['nowhere', 'DEMO', '../demo', "demo' OR 1=1", 'x'.repeat(64), '%00'])('X-Store: %s is 404', async (slug) => {
  expectRefused(await larder.http.get('/api/products').set('x-store', slug), 404, 'STORE_NOT_FOUND');
});

it('tells the log no password and no token', async () => {
  const { accessToken, refreshToken, user } = await newSession();
  await post('login', { email: user.email, password: 'a wrong password' });
  await post('refresh', { refreshToken });
  const log = JSON.stringify(larder.logLines());
  for (const secret of [PASSWORD, 'a wrong password', accessToken, refreshToken, user.email]) {
    expect(log).not.toContain(secret);
  }
});
