import { jest } from '@jest/globals';
import { startApp, type TestApp } from '../support/app.js';
import { Factory, freshKey, type TestStore, type TestUser } from '../support/factories.js';

jest.setTimeout(120_000);

let larder: TestApp;
let factory: Factory;
let store: TestStore;
let manager: TestUser;
let ada: TestUser;
let ben: TestUser;
let adas: string;
let bens: string;

beforeAll(async () => {
  larder = await startApp();
  factory = new Factory(larder.sql);
  store = await factory.store('demo');
  manager = await factory.user(store, 'MANAGER');
});

beforeEach(async () => {
  [ada, ben] = [await factory.user(store), await factory.user(store)];
  await factory.topUp(store, ada, 1000);
  [adas, bens] = [await walletOf(ada), await walletOf(ben)];
});

afterAll(() => larder.close());

const usd = (amount: number) => ({ amount, currency: 'USD' });

async function walletOf(user: TestUser): Promise<string> {
  const { rows } = await larder.sql.query(`SELECT wallet_of($1, 'CUSTOMER', $2, 'USD') AS id`, [store.id, user.id]);
  return rows[0].id;
}

async function balances(): Promise<number[]> {
  const { rows } = await larder.sql.query('SELECT id, balance::int FROM wallets WHERE id = ANY ($1)', [[adas, bens]]);
  return [adas, bens].map((id) => rows.find((row) => row.id === id).balance);
}

function post(path: string, user: TestUser, body: object, key?: string) {
  const request = larder.http.post(`/api/wallets${path}`).set('authorization', user.bearer);
  return (key === undefined ? request : request.set('idempotency-key', key)).send(body);
}

describe('a movement with an Idempotency-Key', () => {
  it('needs one of 16 to 255 visible characters', async () => {
    const body = { amount: usd(5) };
    for (const key of [undefined, 'short', 'x'.repeat(256), 'with a blank in it']) {
      for (const [path, sent] of [
        [`/${adas}/top-ups`, body],
        [`/${adas}/withdrawals`, body],
        ['/transfers', { from: adas, to: bens, ...body }],
      ] as const) {
        const { body: answer } = await post(path, manager, sent, key).expect(400);
        expect(answer.code).toBe('IDEMPOTENCY_KEY_REQUIRED');
      }
    }
    expect(await balances()).toEqual([1000, 0]);
  });

  it('moves once and answers the same again, also with the longest key', async () => {
    for (const key of [freshKey(), 'k'.repeat(255)]) {
      const before = await balances();
      const body = { from: adas, to: bens, amount: usd(100) };
      const first = await post('/transfers', ada, body, key).expect(201);
      expect(first.headers['idempotency-replayed']).toBeUndefined();
      const again = await post(
        '/transfers',
        ada,
        { amount: { currency: 'USD', amount: 100 }, to: bens, from: adas },
        key,
      );
      expect(again.status).toBe(201);
      expect(again.headers['idempotency-replayed']).toBe('true');
      expect(again.body).toEqual(first.body);
      expect(await balances()).toEqual([before[0]! - 100, before[1]! + 100]);
    }
  });

  it('is refused when the key comes with another body or wallet', async () => {
    const key = freshKey();
    await post(`/${adas}/top-ups`, manager, { amount: usd(100) }, key).expect(201);
    for (const [path, amount] of [
      [`/${adas}/top-ups`, 101],
      [`/${bens}/top-ups`, 100],
    ] as const) {
      const { body } = await post(path, manager, { amount: usd(amount) }, key).expect(422);
      expect(body.code).toBe('IDEMPOTENCY_KEY_REUSED');
    }
    expect(await balances()).toEqual([1100, 0]);
  });

  it('has its key for itself: other users and other routes may use the same', async () => {
    const key = freshKey();
    await factory.topUp(store, ben, 10);
    await post(`/${adas}/withdrawals`, ada, { amount: usd(1) }, key).expect(201);
    await post(`/${bens}/withdrawals`, ben, { amount: usd(1) }, key).expect(201);
    await post('/transfers', ada, { from: adas, to: bens, amount: usd(1) }, key).expect(201);
    expect(await balances()).toEqual([998, 10]);
  });

  it('stays refused once it was, though there is money now', async () => {
    const key = freshKey();
    const body = { amount: usd(5000) };
    const first = await post(`/${adas}/withdrawals`, ada, body, key).expect(409);
    await factory.topUp(store, ada, 9000);
    const again = await post(`/${adas}/withdrawals`, ada, body, key).expect(409);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(again.body.details).toEqual(first.body.details);
    const rule = freshKey();
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const { body: same } = await post('/transfers', ada, { from: adas, to: adas, amount: usd(1) }, rule).expect(400);
      expect(same.code).toBe('SAME_WALLET');
    }
    await post('/transfers', ada, { from: adas, to: bens, amount: usd(1) }, rule).expect(422);
    expect(await balances()).toEqual([10_000, 0]);
  });

  it('can be sent right after it was forbidden or wrong', async () => {
    const key = freshKey();
    await post(`/${adas}/withdrawals`, ben, { amount: usd(10) }, key).expect(404);
    await post(`/${adas}/withdrawals`, ada, { amount: usd(-10) }, key).expect(400);
    await post(`/${adas}/withdrawals`, ada, { amount: usd(10) }, key).expect(201);
    expect(await balances()).toEqual([990, 0]);
  });

  it('moves once when sent 30 times at once', async () => {
    const key = freshKey();
    const body = { from: adas, to: bens, amount: usd(10) };
    const answers = await Promise.all(Array.from({ length: 30 }, () => post('/transfers', ada, body, key)));
    const done = answers.filter(({ status }) => status === 201);
    expect(done.length).toBeGreaterThan(0);
    expect(new Set(done.map(({ body: answer }) => answer.id)).size).toBe(1);
    for (const { status, body: answer } of answers) {
      if (status !== 201) expect([status, answer.code]).toEqual([409, 'IDEMPOTENCY_IN_PROGRESS']);
    }
    expect(await balances()).toEqual([990, 10]);
  });

  it('is not made again when the key is forgotten, for the ledger remembers', async () => {
    const key = freshKey();
    const body = { from: adas, to: bens, amount: usd(10) };
    await post('/transfers', ada, body, key).expect(201);
    await larder.sql.query('DELETE FROM idempotency_keys WHERE key = $1', [key]);
    expect((await post('/transfers', ada, body, key).expect(422)).body.code).toBe('IDEMPOTENCY_KEY_REUSED');
    expect(await balances()).toEqual([990, 10]);
  });
});
