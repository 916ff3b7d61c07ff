import { startApp, type TestApp } from '../support/app.js';
import { createTestDatabase, databaseUrl, type TestDatabase, withClient } from '../support/database.js';
import { openScene, type Scene } from '../support/scene.js';

/** Two hours from UTC in summer, one in winter: what takes a local time for UTC is off by thousands of seconds. */
const ZONE = 'Europe/Berlin';

describe(`on a database whose own time zone is ${ZONE}`, () => {
  let database: TestDatabase;
  let larder: TestApp;
  let scene: Scene;

  beforeAll(async () => {
    database = await createTestDatabase();
    const name = new URL(database.url).pathname.slice(1);
    await withClient(databaseUrl(process.env.TEST_DATABASE_URL ?? '', name), (client) =>
      client.query(`ALTER DATABASE ${name} SET timezone = '${ZONE}'`),
    );
    larder = await startApp({ DATABASE_URL: database.url });
    scene = await openScene(larder, 'demo', 'DELIVERED');
  });

  afterAll(async () => {
    await larder.close();
    await database.drop();
  });

  it('every time in every answer is of these minutes, in UTC', async () => {
    const { rows } = await larder.sql.query<{ zone: string }>(`SELECT current_setting('timezone') AS zone`);
    expect(rows).toEqual([{ zone: ZONE }]);
    const { ids } = scene;
    const paths = [
      `/api/orders/${ids.order}`,
      `/api/orders/${ids.order}/history`,
      `/api/payments/${ids.payment}`,
      `/api/shipping/assignments/${ids.assignment}`,
      `/api/inventory/${ids.variant}/movements`,
      `/api/wallets/${ids.wallet}/entries`,
    ];
    for (const path of paths) {
      const { text } = await larder.http.get(path).set('authorization', scene.everyone.bearer).expect(200);
      const times = [...text.matchAll(/"(\w+)" ?: ?"(\d{4}-\d\d-\d\dT[^"]+)"/g)];
      expect([path, times.length]).not.toEqual([path, 0]);
      for (const [, field, time] of times) {
        expect(time).toMatch(/\.\d{3}Z$/);
        // What is promised or ends is later, by the store's own settings.
        if (/promised|expires/i.test(field!)) continue;
        expect(Math.abs(Date.now() - Date.parse(time!))).toBeLessThan(60_000);
      }
    }
  });

  it('a time that is compared is not off either: an offer that is made is open', async () => {
    const { rows } = await larder.sql.query<{ minutes: number }>(
      `SELECT extract(epoch FROM offer_expires_at - offered_at)::int / 60 AS minutes FROM shipping_assignments`,
    );
    expect(rows).toEqual([{ minutes: 15 }]);
    const user = { email: 'zone@larder.test', password: 'correct horse', name: 'x' };
    const { body } = await larder.http.post('/api/auth/register').send(user).expect(201);
    await larder.http
      .post('/api/auth/refresh')
      .send({ refreshToken: (body as { refreshToken: string }).refreshToken })
      .expect(200);
    const tokens = await larder.sql.query<{ days: number }>(
      `SELECT round(extract(epoch FROM expires_at - now()) / 86400)::int AS days FROM refresh_tokens`,
    );
    expect(tokens.rows).toEqual([{ days: 30 }, { days: 30 }]);
  });
});
