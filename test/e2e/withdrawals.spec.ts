import { databaseUrl, withClient } from '../support/database.js';
import { freshKey, type TestUser } from '../support/factories.js';
import { Shop } from '../support/shop.js';
import { verify } from '../support/verify.js';

const USD = (amount: number) => ({ amount, currency: 'USD' });
const LIMIT = 5000;

let shop: Shop;
let customer: TestUser;
let other: TestUser;
let wallet: string;

beforeAll(async () => {
  shop = await Shop.open();
  other = await shop.make.user(shop.store, 'MANAGER');
  await shop.larder.sql.query('UPDATE stores SET withdrawal_approval_threshold = $2 WHERE id = $1', [
    shop.store.id,
    LIMIT,
  ]);
});
beforeEach(async () => {
  customer = await shop.make.user(shop.store);
  await shop.make.topUp(shop.store, customer, 20_000);
  wallet = await walletOf('CUSTOMER', customer.id);
});
afterEach(() => verify(shop.larder.sql));
afterAll(() => shop.close());

const walletOf = async (kind: string, ownerId = shop.store.id): Promise<string> => {
  const { id } = await shop.row(`SELECT wallet_of($1, $2, $3, 'USD') AS id`, [shop.store.id, kind, ownerId]);
  return id as string;
};
const balanceOf = async (walletId: string): Promise<number> => {
  const { balance } = await shop.row('SELECT b.balance FROM wallets w, wallet_balance(w) b WHERE w.id = $1', [
    walletId,
  ]);
  return Number(balance);
};
/** What was withdrawn until now was so a day ago. Only a superuser may say so: entries don't change. */
const aDayPasses = async (): Promise<void> => {
  const { pathname } = new URL(shop.larder.config.DATABASE_URL ?? '');
  await withClient(databaseUrl(process.env.TEST_DATABASE_URL ?? '', pathname.slice(1)), async (client) => {
    await client.query('SET session_replication_role = replica');
    await client.query(`UPDATE ledger_entries SET created_at = created_at - interval '24 hours' WHERE wallet_id = $1`, [
      wallet,
    ]);
  });
};
const withdraw = (amount: number, key = freshKey(), user = customer) =>
  shop.ask('post', `/api/wallets/${wallet}/withdrawals`, user, { key, body: { amount: USD(amount) } });
const list = (user: TestUser) => shop.ask('get', `/api/wallets/${wallet}/withdrawals`, user);
const decide = (id: string, how: 'approve' | 'reject', user = shop.manager) =>
  shop.ask('post', `/api/approvals/${id}/${how}`, user, { body: {} });
const adjust = (body: object, user = shop.manager, key = freshKey()) =>
  shop.ask('post', '/api/wallets/adjustments', user, { key, body });

describe('a withdrawal', () => {
  it('up to the limit is paid out at once', async () => {
    const { body } = await withdraw(LIMIT).expect(201);
    expect(body).toEqual({
      id: expect.any(String),
      type: 'WITHDRAWAL',
      amount: USD(LIMIT),
      from: wallet,
      to: null,
      createdAt: expect.any(String),
    });
    expect((await list(customer).expect(200)).body.items).toEqual([]);
  });

  it('above it leaves the wallet at once, and waits', async () => {
    const pending = await walletOf('PAYOUTS_PENDING');
    const before = await balanceOf(pending);
    const { body } = await withdraw(LIMIT + 1).expect(201);
    const { id, approvalId } = body.withdrawal;
    expect(body).toMatchObject({ type: 'WITHDRAWAL', amount: USD(LIMIT + 1), withdrawal: { status: 'REQUESTED' } });
    expect([await balanceOf(wallet), await balanceOf(pending)]).toEqual([14_999, before + LIMIT + 1]);
    expect((await list(customer).expect(200)).body.items).toEqual([
      { id, status: 'REQUESTED', amount: USD(5001), approvalId, createdAt: expect.any(String), finishedAt: null },
    ]);
    await withdraw(15_000).expect(409, /"code":"INSUFFICIENT_FUNDS"/);

    const psp = await walletOf('PSP_CLEARING');
    const paid = await balanceOf(psp);
    await decide(approvalId, 'approve').expect(200, /"status":"APPROVED"/);
    expect([await balanceOf(pending), await balanceOf(psp)]).toEqual([before, paid + LIMIT + 1]);
    expect((await list(shop.manager).expect(200)).body.items).toMatchObject([{ id, status: 'PAID' }]);
  });

  it('in pieces needs approval from the one on that takes them above the limit', async () => {
    for (const piece of [2000, 1999, 1001]) expect((await withdraw(piece).expect(201)).body.withdrawal).toBeUndefined();
    const { body } = await withdraw(1).expect(201);
    expect(body.withdrawal).toMatchObject({ status: 'REQUESTED' });
    await decide(body.withdrawal.approvalId, 'approve').expect(200);
    expect((await withdraw(1).expect(201)).body.withdrawal).toBeDefined();
    expect(await balanceOf(wallet)).toBe(20_000 - LIMIT - 2);
  });

  it('does not count with those that were approved, nor with those of the day before', async () => {
    const { body } = await withdraw(LIMIT + 1).expect(201);
    await decide(body.withdrawal.approvalId, 'approve').expect(200);
    expect((await withdraw(LIMIT).expect(201)).body.withdrawal).toBeUndefined();
    await aDayPasses();
    expect((await withdraw(LIMIT).expect(201)).body.withdrawal).toBeUndefined();
    expect((await withdraw(1).expect(201)).body.withdrawal).toBeDefined();
  });

  it('many times at once is paid up to the limit, and waits beyond it', async () => {
    const holder = await shop.larder.sql.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT FROM wallets WHERE id = $1 FOR UPDATE', [wallet]);
    const asked = Promise.all(Array.from({ length: 20 }, () => withdraw(1000).expect(201)));
    // More than may be paid have come as far as they can.
    await shop.waitFor(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' HAVING count(*) > $1`,
      [LIMIT / 1000],
    );
    await holder.query('COMMIT');
    holder.release();
    const pieces = await asked;
    expect(pieces.filter(({ body }) => !body.withdrawal)).toHaveLength(LIMIT / 1000);
    expect(await balanceOf(wallet)).toBe(0);
  });

  it('that is refused comes back to the wallet', async () => {
    const { body } = await withdraw(12_000).expect(201);
    await decide(body.withdrawal.approvalId, 'reject').expect(200);
    expect(await balanceOf(wallet)).toBe(20_000);
    expect((await list(customer)).body.items).toMatchObject([{ status: 'REJECTED', finishedAt: expect.any(String) }]);
    const { body: entries } = await shop.ask('get', `/api/wallets/${wallet}/entries`, customer).expect(200);
    expect(entries.items.map(({ type }: { type: string }) => type)).toEqual([
      'WITHDRAWAL_RETURNED',
      'WITHDRAWAL',
      'TOP_UP',
    ]);
  });

  it('asked for twice with one key waits once', async () => {
    const key = freshKey();
    const first = await withdraw(8000, key).expect(201);
    const again = await withdraw(8000, key).expect(201);
    expect([again.headers['idempotency-replayed'], again.body]).toEqual(['true', first.body]);
    expect(await balanceOf(wallet)).toBe(12_000);
    expect((await list(customer)).body.items).toHaveLength(1);
  });

  it('by a manager for a customer needs another manager', async () => {
    const { body } = await withdraw(9000, freshKey(), shop.manager).expect(201);
    await decide(body.withdrawal.approvalId, 'approve').expect(403, /"code":"APPROVAL_OWN_REQUEST"/);
    await decide(body.withdrawal.approvalId, 'approve', other).expect(200);
    await list(await shop.make.user(shop.store)).expect(404);
  });
});

describe('an adjustment of the books', () => {
  it('moves nothing before somebody else has agreed', async () => {
    const [from, to] = [await walletOf('CASH_SHORT_OVER'), wallet];
    const wish = { from, to, amount: USD(700), reason: 'Change that was never given' };
    const { body } = await adjust(wish).expect(201);
    expect(body).toEqual({ id: expect.any(String), status: 'REQUESTED', approvalId: expect.any(String), ...wish });
    expect(await balanceOf(wallet)).toBe(20_000);
    await decide(body.approvalId, 'approve').expect(403, /"code":"APPROVAL_OWN_REQUEST"/);
    const { body: approval } = await decide(body.approvalId, 'approve', other).expect(200);
    expect(approval.subject).toEqual({ from, fromKind: 'CASH_SHORT_OVER', to, toKind: 'CUSTOMER' });
    expect(await balanceOf(wallet)).toBe(20_700);
    const { body: entries } = await shop.ask('get', `/api/wallets/${wallet}/entries`, customer).expect(200);
    expect(entries.items[0]).toMatchObject({
      type: 'ADJUSTMENT',
      reference: body.id,
      amount: USD(700),
      memo: 'Change that was never given',
    });
  });

  it('moves nothing at all when it is refused', async () => {
    const { body } = await adjust({ from: wallet, to: await walletOf('SALES'), amount: USD(1), reason: 'x' }).expect(
      201,
    );
    await decide(body.approvalId, 'reject', other).expect(200);
    expect(await balanceOf(wallet)).toBe(20_000);
  });

  it('that the wallet has no money for any more waits until it has', async () => {
    const { body } = await adjust({
      from: wallet,
      to: await walletOf('SALES'),
      amount: USD(18_000),
      reason: 'x',
    }).expect(201);
    await withdraw(LIMIT).expect(201);
    const { body: refused } = await decide(body.approvalId, 'approve', other).expect(409);
    expect(refused.code).toBe('INSUFFICIENT_FUNDS');
    const { body: approval } = await shop.ask('get', `/api/approvals/${body.approvalId}`, other).expect(200);
    expect(approval).toMatchObject({ status: 'PENDING', approved: 0, decisions: [] });
    await shop.make.topUp(shop.store, customer, 3000);
    await decide(body.approvalId, 'approve', other).expect(200);
    expect(await balanceOf(wallet)).toBe(0);
  });

  it('never makes an agent hold less cash than none', async () => {
    const agent = await shop.make.agent(shop.store);
    const cash = await walletOf('AGENT_CASH', agent.id);
    const { body } = await adjust({ from: await walletOf('CASH_VAULT'), to: cash, amount: USD(1), reason: 'x' }).expect(
      201,
    );
    await decide(body.approvalId, 'approve', other).expect(409, /"code":"REMITTANCE_EXCEEDS_CASH"/);
  });

  it('is between two wallets of the store, in its currency, and asked for by managers', async () => {
    const to = await walletOf('SALES');
    const wish = { from: wallet, to, amount: USD(1), reason: 'x' };
    await adjust({ ...wish, to: wallet }).expect(400, /"code":"SAME_WALLET"/);
    await adjust({ ...wish, amount: { amount: 1, currency: 'EUR' } }).expect(400, /"code":"CURRENCY_MISMATCH"/);
    await adjust({ ...wish, reason: '' }).expect(400, /"code":"VALIDATION_FAILED"/);
    const elsewhere = await shop.make.store(`shop-${freshKey().slice(-8)}`);
    const { id: foreign } = await shop.row(`SELECT wallet_of($1, 'SALES', $1, 'USD') AS id`, [elsewhere.id]);
    await adjust({ ...wish, to: foreign }).expect(404);
    await adjust(wish, customer).expect(403);
    await adjust(wish, await shop.make.user(shop.store, 'SUPPORT')).expect(403);
  });
});
