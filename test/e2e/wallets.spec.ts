import { jest } from '@jest/globals';
import { newId } from '../../src/common/ids.js';
import { encodeCursor } from '../../src/common/pagination.js';
import { startApp, type TestApp } from '../support/app.js';
import { Factory, freshKey, type TestStore, type TestUser } from '../support/factories.js';

jest.setTimeout(120_000);

let larder: TestApp;
let factory: Factory;
let store: TestStore;
let other: TestStore;
let manager: TestUser;
let support: TestUser;
let agent: TestUser;
let stranger: TestUser;

beforeAll(async () => {
  larder = await startApp();
  factory = new Factory(larder.sql);
  store = await factory.store('demo');
  other = await factory.store('other');
  manager = await factory.user(store, 'MANAGER');
  support = await factory.user(store, 'SUPPORT');
  agent = await factory.user(store, 'AGENT');
  stranger = await factory.user(other);
});

afterAll(() => larder.close());

const usd = (amount: number) => ({ amount, currency: 'USD' });

function get(path: string, user: TestUser) {
  return larder.http.get(`/api/wallets${path}`).set('authorization', user.bearer);
}

function post(path: string, user: TestUser, body: object, key: string = freshKey()) {
  return larder.http
    .post(`/api/wallets${path}`)
    .set('authorization', user.bearer)
    .set('idempotency-key', key)
    .send(body);
}

async function walletOf(user: TestUser, kind = 'CUSTOMER', of = store): Promise<string> {
  const { rows } = await larder.sql.query('SELECT wallet_of($1, $2, $3, $4) AS id', [of.id, kind, user.id, 'USD']);
  return rows[0].id;
}

const ownWallet = (kind: string): Promise<string> => walletOf({ ...manager, id: store.id }, kind);

async function balanceOf(walletId: string): Promise<number> {
  const { rows } = await larder.sql.query('SELECT b.balance FROM wallets w, wallet_balance(w) b WHERE w.id = $1', [
    walletId,
  ]);
  return Number(rows[0].balance);
}

/** A customer with so much in the wallet. */
async function customerWith(amount: number): Promise<{ user: TestUser; wallet: string }> {
  const user = await factory.user(store);
  if (amount > 0) await factory.topUp(store, user, amount);
  return { user, wallet: await walletOf(user) };
}

describe('reading wallets', () => {
  it('shows a customer his wallet and an agent his earnings', async () => {
    const { user, wallet } = await customerWith(1250);
    const mine = await get('/me', user).expect(200);
    expect(mine.body).toEqual({ id: wallet, kind: 'CUSTOMER', balance: usd(1250) });
    const earnings = await get('/me', agent).expect(200);
    expect(earnings.body).toEqual({
      id: await walletOf(agent, 'AGENT_EARNINGS'),
      kind: 'AGENT_EARNINGS',
      balance: usd(0),
    });
    await get('/me', manager).expect(404);
  });

  it('shows a wallet to its owner and the staff, to others it does not exist', async () => {
    const { user, wallet } = await customerWith(700);
    const { user: neighbour } = await customerWith(0);
    for (const reader of [user, support, manager]) {
      const { body } = await get(`/${wallet}`, reader).expect(200);
      expect(body.balance).toEqual(usd(700));
    }
    const missing = await get(`/${newId()}`, user).expect(404);
    for (const reader of [neighbour, agent, stranger]) {
      const hidden = await get(`/${wallet}`, reader).expect(404);
      expect(hidden.body.code).toBe(missing.body.code);
      expect(hidden.body.message).toBe(missing.body.message);
      await get(`/${wallet}/entries`, reader).expect(404);
    }
    await get('/no-id', user).expect(404);
    await get(`/${await ownWallet('SALES')}`, user).expect(404);
    await larder.http.get(`/api/wallets/${wallet}`).expect(401);
  });

  it('derives the balance of the store’s own wallets from their entries', async () => {
    await customerWith(5000);
    const { body } = await get(`/${await ownWallet('CASH_VAULT')}`, support).expect(200);
    const { rows } = await larder.sql.query(`SELECT sum(amount)::int AS sum FROM ledger_entries WHERE wallet_id = $1`, [
      await ownWallet('CASH_VAULT'),
    ]);
    expect(body.balance).toEqual(usd(rows[0].sum));
    expect(body.balance.amount).toBeLessThan(0);
  });

  it('lists entries newest first, page by page', async () => {
    const { user, wallet } = await customerWith(0);
    for (const amount of [1, 2, 3, 4, 5]) await factory.topUp(store, user, amount);
    const first = await get(`/${wallet}/entries?limit=3`, user).expect(200);
    expect(first.body.items.map((item: { amount: object }) => item.amount)).toEqual([usd(5), usd(4), usd(3)]);
    expect(first.body.items[0]).toEqual({
      id: expect.stringMatching(/^\d+$/),
      type: 'TOP_UP',
      reference: expect.any(String),
      amount: usd(5),
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/),
      memo: null,
    });
    const second = await get(`/${wallet}/entries?limit=3&cursor=${first.body.nextCursor}`, user).expect(200);
    expect(second.body.items.map((item: { amount: object }) => item.amount)).toEqual([usd(2), usd(1)]);
    expect(second.body.nextCursor).toBeNull();
  });

  it('refuses cursors of other lists and limits out of range', async () => {
    const { user, wallet } = await customerWith(0);
    const foreign = encodeCursor('orders', newId());
    for (const path of [`/${wallet}/entries?cursor=${foreign}`, `/${wallet}/entries?cursor=nonsense`]) {
      expect((await get(path, user).expect(400)).body.code).toBe('INVALID_CURSOR');
    }
    for (const limit of ['0', '101', '1.5', 'x', '-1'])
      await get(`/${wallet}/entries?limit=${limit}`, user).expect(400);
    await get(`?cursor=${foreign}`, manager).expect(400);
    await get('?kind=PIGGY_BANK', manager).expect(400);
  });

  it('lists the wallets of the store for managers only, by kind where asked', async () => {
    const vault = await get('?kind=CASH_VAULT', manager).expect(200);
    expect(vault.body).toEqual({
      items: [
        {
          id: await ownWallet('CASH_VAULT'),
          kind: 'CASH_VAULT',
          ownerId: store.id,
          balance: usd(await balanceOf(await ownWallet('CASH_VAULT'))),
        },
      ],
      nextCursor: null,
    });
    const seen = new Set<string>();
    for (let cursor = ''; ;) {
      const { body } = await get(`?limit=4${cursor && `&cursor=${cursor}`}`, manager).expect(200);
      for (const { id } of body.items) seen.add(id);
      if (!body.nextCursor) break;
      cursor = body.nextCursor;
    }
    const { rows } = await larder.sql.query('SELECT id FROM wallets WHERE store_id = $1', [store.id]);
    expect([...seen].sort()).toEqual(rows.map(({ id }) => id).sort());
    for (const reader of [support, agent, stranger]) await get('', reader).expect(403);
  });

  it('adds up to zero over all kinds', async () => {
    await customerWith(3100);
    const { body } = await get('/totals', manager).expect(200);
    expect(body.total).toEqual([usd(0)]);
    const customers = body.items.find(({ kind }: { kind: string }) => kind === 'CUSTOMER');
    const vault = body.items.find(({ kind }: { kind: string }) => kind === 'CASH_VAULT');
    expect(customers.balance.amount).toBe(-vault.balance.amount);
    for (const reader of [support, agent]) await get('/totals', reader).expect(403);
  });
});

describe('moving money', () => {
  it('tops up a customer’s wallet out of the vault', async () => {
    const { wallet } = await customerWith(0);
    const vault = await ownWallet('CASH_VAULT');
    const before = await balanceOf(vault);
    const { body } = await post(`/${wallet}/top-ups`, manager, { amount: usd(900) }).expect(201);
    expect(body).toEqual({
      id: expect.any(String),
      type: 'TOP_UP',
      amount: usd(900),
      from: null,
      to: wallet,
      createdAt: expect.stringMatching(/Z$/),
    });
    expect(await balanceOf(wallet)).toBe(900);
    expect(await balanceOf(vault)).toBe(before - 900);
    const { rows } = await larder.sql.query('SELECT actor_id FROM ledger_transactions WHERE id = $1', [body.id]);
    expect(rows).toEqual([{ actor_id: manager.id }]);
  });

  it('pays out to the owner, never more than there is', async () => {
    const { user, wallet } = await customerWith(1000);
    const { body } = await post(`/${wallet}/withdrawals`, user, { amount: usd(400) }).expect(201);
    expect(body).toMatchObject({ type: 'WITHDRAWAL', amount: usd(400), from: wallet, to: null });
    await post(`/${wallet}/withdrawals`, manager, { amount: usd(100) }).expect(201);
    const refused = await post(`/${wallet}/withdrawals`, user, { amount: usd(501) }).expect(409);
    expect(refused.body).toMatchObject({
      code: 'INSUFFICIENT_FUNDS',
      details: [{ code: 'INSUFFICIENT_FUNDS', required: usd(501), available: usd(500) }],
    });
    expect(await balanceOf(wallet)).toBe(500);
  });

  it('transfers between customers', async () => {
    const [ada, ben] = [await customerWith(1000), await customerWith(0)];
    const body = { from: ada.wallet.toUpperCase(), to: ben.wallet, amount: usd(1000) };
    const { body: moved } = await post('/transfers', ada.user, body).expect(201);
    expect(moved).toMatchObject({ type: 'TRANSFER', amount: usd(1000), from: ada.wallet, to: ben.wallet });
    expect([await balanceOf(ada.wallet), await balanceOf(ben.wallet)]).toEqual([0, 1000]);
    await post('/transfers', manager, { from: ben.wallet, to: ada.wallet, amount: usd(1) }).expect(201);
    const { body: entries } = await get(`/${ben.wallet}/entries`, ben.user).expect(200);
    expect(entries.items.map((item: { amount: object }) => item.amount)).toEqual([usd(-1), usd(1000)]);
    expect(entries.items[1].reference).not.toContain(ada.user.id);
  });

  it('lets only managers take money in, and only the owner or a manager spend', async () => {
    const [ada, ben] = [await customerWith(500), await customerWith(500)];
    const amount = usd(10);
    for (const user of [ada.user, agent, support]) await post(`/${ada.wallet}/top-ups`, user, { amount }).expect(403);
    for (const user of [ada.user, agent, stranger]) {
      await post(`/${ben.wallet}/withdrawals`, user, { amount }).expect(404);
      await post('/transfers', user, { from: ben.wallet, to: ada.wallet, amount }).expect(404);
    }
    await post(`/${ben.wallet}/withdrawals`, support, { amount }).expect(403);
    await post('/transfers', support, { from: ben.wallet, to: ada.wallet, amount }).expect(403);
    expect([await balanceOf(ada.wallet), await balanceOf(ben.wallet)]).toEqual([500, 500]);
  });

  it('moves nothing to or from wallets of other stores or kinds', async () => {
    const ada = await customerWith(500);
    const amount = usd(10);
    const abroad = await walletOf(stranger, 'CUSTOMER', other);
    const [vault, earnings, cash] = [
      await ownWallet('CASH_VAULT'),
      await walletOf(agent, 'AGENT_EARNINGS'),
      await walletOf(agent, 'AGENT_CASH'),
    ];
    for (const to of [abroad, vault, earnings, newId()]) {
      await post('/transfers', ada.user, { from: ada.wallet, to, amount }).expect(404);
    }
    await post(`/${abroad}/top-ups`, manager, { amount }).expect(404);
    await post(`/${abroad}/withdrawals`, manager, { amount }).expect(404);
    const refused = [
      post('/transfers', manager, { from: vault, to: ada.wallet, amount }),
      post('/transfers', manager, { from: ada.wallet, to: vault, amount }),
      post('/transfers', agent, { from: earnings, to: ada.wallet, amount }),
      post(`/${vault}/top-ups`, manager, { amount }),
      post(`/${earnings}/top-ups`, manager, { amount }),
      post(`/${cash}/withdrawals`, agent, { amount }),
      post(`/${vault}/withdrawals`, manager, { amount }),
    ];
    for (const { status, body } of await Promise.all(refused)) {
      expect([status, body.code]).toEqual([400, 'WALLET_KIND_NOT_ALLOWED']);
    }
    expect(await balanceOf(ada.wallet)).toBe(500);
  });

  it('pays an agent what he earned', async () => {
    const earnings = await walletOf(agent, 'AGENT_EARNINGS');
    await larder.sql.query(
      `SELECT ledger_post($1, 'AGENT_FEE', $2, NULL, NULL, 'USD', ARRAY[$3::uuid, $4::uuid], ARRAY[300, -300])`,
      [store.id, newId(), earnings, await ownWallet('DELIVERY_FEES')],
    );
    await post(`/${earnings}/withdrawals`, agent, { amount: usd(250) }).expect(201);
    expect((await get('/me', agent)).body.balance).toEqual(usd(50));
  });

  it('says which rule of the business it breaks', async () => {
    const { user, wallet } = await customerWith(500);
    const { wallet: to } = await customerWith(0);
    const same = await post('/transfers', user, { from: wallet, to: wallet, amount: usd(1) }).expect(400);
    expect(same.body).toMatchObject({ code: 'SAME_WALLET', error: 'Business Rule Violation' });
    const euro = { amount: 1, currency: 'EUR' };
    for (const [path, body] of [
      [`/${wallet}/withdrawals`, { amount: euro }],
      [`/${wallet}/top-ups`, { amount: euro }],
      ['/transfers', { from: wallet, to, amount: euro }],
    ] as const) {
      expect((await post(path, manager, body).expect(400)).body.code).toBe('CURRENCY_MISMATCH');
    }
  });

  it.each([
    ['no amount', {}],
    ['a bare number', { amount: 5 }],
    ['a list', { amount: [usd(5)] }],
    ['an empty list', { amount: [] }],
    ['null', { amount: null }],
    ['zero', { amount: usd(0) }],
    ['a negative amount', { amount: usd(-5) }],
    ['a fraction', { amount: usd(0.5) }],
    ['a text', { amount: { amount: '5', currency: 'USD' } }],
    ['a huge amount', { amount: usd(1e300) }],
    ['more than 2^53', { amount: usd(9007199254740993) }],
    ['an unknown field', { amount: usd(5), note: 'x' }],
    ['an unknown field within', { amount: { ...usd(5), cents: true } }],
    ['no currency', { amount: { amount: 5 } }],
    ['a malformed currency', { amount: { amount: 5, currency: 'usd' } }],
  ])('refuses %s', async (_what, body) => {
    const { wallet } = await customerWith(0);
    for (const path of [`/${wallet}/top-ups`, `/${wallet}/withdrawals`]) {
      const { body: answer } = await post(path, manager, body).expect(400);
      expect(answer.code).toBe('VALIDATION_FAILED');
    }
    await post('/transfers', manager, { from: wallet, to: wallet, ...body }).expect(400);
    expect(await balanceOf(wallet)).toBe(0);
  });

  it('refuses wallets that are no ids', async () => {
    const { user, wallet } = await customerWith(100);
    for (const to of [undefined, null, '', 'x', 5, {}, [wallet], `${wallet}'`]) {
      const { body } = await post('/transfers', user, { from: wallet, to, amount: usd(1) }).expect(400);
      expect(body.code).toBe('VALIDATION_FAILED');
    }
    await post('/nothing/withdrawals', user, { amount: usd(1) }).expect(404);
  });
});
