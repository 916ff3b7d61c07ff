import supertest from 'supertest';
import { startApp, type TestApp } from '../support/app.js';
import { Factory } from '../support/factories.js';

const ROUNDS = 20;

interface Session {
  accessToken: string;
  refreshToken: string;
}

describe('refresh tokens', () => {
  let larder: TestApp;
  let account = 0;

  beforeAll(async () => {
    larder = await startApp();
    await new Factory(larder.sql).store();
  });

  afterAll(() => larder.close());

  const post = (route: string, body: object): supertest.Test => larder.http.post(`/api/auth/${route}`).send(body);
  const refresh = (refreshToken: string): supertest.Test => post('refresh', { refreshToken });

  async function loggedIn(): Promise<Session> {
    const credentials = { email: `customer-${++account}@larder.test`, password: 'correct horse' };
    return (await post('register', { ...credentials, name: 'A customer' }).expect(201)).body as Session;
  }

  it('are traded once each, for the next of the login', async () => {
    const first = await loggedIn();
    const { body: second } = await refresh(first.refreshToken).expect(200);
    expect(second.refreshToken).not.toBe(first.refreshToken);
    await larder.http.get('/api/auth/me').set('authorization', `Bearer ${second.accessToken}`).expect(200);
    await refresh(second.refreshToken).expect(200);
  });

  it('end the login when one is used twice, its latest token with it', async () => {
    const first = await loggedIn();
    const { body: second } = await refresh(first.refreshToken).expect(200);
    await refresh(first.refreshToken).expect(401, /"code":"REFRESH_TOKEN_REUSED"/);
    await refresh(second.refreshToken).expect(401, /"code":"REFRESH_TOKEN_INVALID"/);
  });

  it(`end the login when owner and thief come at once, ${ROUNDS} rounds`, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const { refreshToken } = await loggedIn();
      const answers = await Promise.all([1, 2, 3].map(() => refresh(refreshToken)));
      const won = answers.filter(({ status }) => status === 200);
      expect(won).toHaveLength(1);
      await refresh((won[0]!.body as Session).refreshToken).expect(401);
    }
  });

  it(`do not outlive a logout that comes with a refresh, ${ROUNDS} rounds`, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const { refreshToken } = await loggedIn();
      const [refreshed] = await Promise.all([refresh(refreshToken), post('logout', { refreshToken }).expect(204)]);
      if (refreshed.status === 200) await refresh((refreshed.body as Session).refreshToken).expect(401);
    }
  });

  it('are of no use in another store, and end with the account', async () => {
    await new Factory(larder.sql).store('other');
    const { refreshToken } = await loggedIn();
    await refresh(refreshToken)
      .set('x-store', 'other')
      .expect(401, /"code":"REFRESH_TOKEN_INVALID"/);
    await larder.sql.query('UPDATE users SET disabled_at = now()');
    await refresh(refreshToken).expect(401, /"code":"REFRESH_TOKEN_INVALID"/);
  });
});
