import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { freshKey, type TestUser } from '../support/factories.js';
import { orderOf, Shop } from '../support/shop.js';

/** Every dashboard, and those of a range that ended yesterday. */
const LIVE = [
  'overview',
  'mobile',
  'activity',
  'order-trends',
  'sales-by-status',
  'sales-by-payment-method',
  'top-products',
  'fulfilment',
  'delivery-by-zip',
  'agent-leaderboard',
  'cash-outstanding',
  'wallet-liabilities',
  'refunds',
  'low-stock',
];
const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
const past = (name: string): string => `${name}?to=${yesterday}`;
const ALL = [...LIVE, ...['order-trends', 'sales-by-status', 'top-products', 'fulfilment', 'refunds'].map(past)];

let shop: Shop;
let customer: TestUser;
let agent: TestUser;
let admin: TestUser;
let variant: string;

beforeAll(async () => {
  shop = await Shop.open({ agentFee: 100 });
  customer = await shop.make.user(shop.store);
  agent = await shop.make.agent(shop.store);
  admin = await shop.make.user(shop.store, 'ADMIN');
  variant = await shop.make.variant(shop.store);
  await shop.make.topUp(shop.store, customer, 1_000_000);
});
afterAll(() => shop.close());

/** When the answer was made that a dashboard gives now. */
const read = async (name: string): Promise<string> => {
  const { body } = await shop.ask('get', `/api/dashboard/${name}`, shop.manager).expect(200);
  return (body as { generatedAt: string }).generatedAt;
};

/** Names of the dashboards that give another answer after something was done: read anew, by whoever asked first. */
async function gone(doing: () => PromiseLike<unknown>): Promise<string[]> {
  const before = new Map<string, string>();
  for (const name of ALL) before.set(name, await read(name));
  // Whatever still had to be read anew of what was done before is, and nothing comes after it in the same millisecond.
  for (const name of ALL) before.set(name, await read(name));
  await sleep(2);
  await doing();
  const found: string[] = [];
  for (const name of ALL) if ((await read(name)) !== before.get(name)) found.push(name);
  return found.sort();
}
const lines = () => [{ variantId: variant, quantity: 1 }];
const patch = (id: string, status: string) =>
  shop.ask('patch', `/api/orders/${id}`, shop.manager, { body: { status } }).expect(200);
const post = (path: string, user: TestUser, body: object = {}, status = 200) =>
  shop.ask('post', path, user, { key: freshKey(), body }).expect(status);
/** Delivered, and paid in cash. */
async function delivered() {
  const order = await shop.placed(customer, lines());
  const { path } = await shop.carried(agent, order.id);
  const { deliveryCode } = await shop.row<{ deliveryCode: string }>(
    'SELECT delivery_code AS "deliveryCode" FROM orders WHERE id = $1',
    [order.id],
  );
  await post(`${path}/deliver`, agent, { proof: { code: deliveryCode }, cashCollected: order.total });
  return order;
}

describe('Dashboards that are read again', () => {
  it('give the answer that is there', async () => {
    expect(await gone(() => Promise.resolve())).toEqual([]);
  });

  const ofOrders = [
    'overview',
    'mobile',
    'activity',
    'order-trends',
    'sales-by-status',
    'sales-by-payment-method',
    'top-products',
  ];
  const ofStock = ['low-stock'];
  const ofWallets = ['wallet-liabilities', 'cash-outstanding', 'agent-leaderboard'];
  const ofDeliveries = ['fulfilment', 'delivery-by-zip'];

  it('an order concerns what shows orders and stock, and no wallet, no delivery, nothing of the past', async () => {
    const found = await gone(() => shop.placed(customer, lines()));
    expect(found).toEqual([...ofOrders, ...ofStock, 'refunds'].sort());
  });

  it('an order paid from a wallet concerns the wallets too', async () => {
    const found = await gone(() => shop.placed(customer, lines(), 'WALLET'));
    expect(found).toEqual(expect.arrayContaining(['wallet-liabilities', 'order-trends']));
    expect(found).not.toEqual(expect.arrayContaining(ofDeliveries));
  });

  it('a step of an order of today leaves the past alone, one of yesterday does not', async () => {
    const order = await shop.placed(customer, lines());
    const today = await gone(() => patch(order.id, 'PREPARING'));
    expect(today).toEqual(expect.arrayContaining(['sales-by-status']));
    expect(today.filter((name) => name.includes('?'))).toEqual([]);
    expect(today).not.toContain('wallet-liabilities');

    const older = await shop.placed(customer, lines());
    await shop.larder.sql.query(`UPDATE orders SET placed_at = now() - interval '25 hours' WHERE id = $1`, [older.id]);
    const found = await gone(() => patch(older.id, 'CANCELLED'));
    expect(found).toEqual(
      expect.arrayContaining([past('order-trends'), past('sales-by-status'), past('top-products')]),
    );
    expect(found).not.toContain(past('fulfilment'));
  });

  it('a delivery concerns the deliveries of today, its agent, cash and wallets', async () => {
    const found = await gone(delivered);
    expect(found).toEqual(expect.arrayContaining([...ofDeliveries, ...ofWallets]));
    expect(found).not.toContain(past('fulfilment'));
  });

  it('a refund concerns refunds and revenue, of the past too, and what is in wallets', async () => {
    const order = await shop.placed(customer, lines(), 'WALLET');
    const found = await gone(() =>
      post(
        `/api/orders/${order.id}/refunds`,
        shop.manager,
        { reason: 'late', destination: 'WALLET', amount: { amount: 100, currency: 'USD' } },
        201,
      ),
    );
    expect(found).toEqual(
      expect.arrayContaining(['refunds', past('refunds'), 'order-trends', past('order-trends'), 'wallet-liabilities']),
    );
    for (const name of ['sales-by-status', 'top-products', 'low-stock', ...ofDeliveries])
      expect(found).not.toContain(name);
  });

  it('stock that comes in concerns what is low, and no sales', async () => {
    const found = await gone(() =>
      post(`/api/inventory/${variant}/adjustments`, shop.manager, { delta: 5, reason: 'RECEIPT' }, 201),
    );
    expect(found).toEqual(['low-stock', 'mobile', 'overview']);
  });

  it('a top-up concerns the wallets, and neither orders nor stock', async () => {
    const wallet = await shop.row<{ id: string }>(`SELECT id FROM wallets WHERE owner_id = $1 AND kind = 'CUSTOMER'`, [
      customer.id,
    ]);
    const found = await gone(() =>
      post(`/api/wallets/${wallet.id}/top-ups`, shop.manager, { amount: { amount: 100, currency: 'USD' } }, 201),
    );
    expect(found).toEqual([...ofWallets, 'activity', 'mobile', 'overview'].sort());
  });

  it('cash that an agent hands in concerns the cash, and no sales', async () => {
    await delivered();
    const found = await gone(() =>
      post(
        `/api/shipping/agents/${agent.id}/remittances`,
        shop.manager,
        { amount: { amount: 100, currency: 'USD' } },
        201,
      ),
    );
    expect(found).toEqual(expect.arrayContaining(['cash-outstanding', 'agent-leaderboard', 'overview']));
    for (const name of ['order-trends', 'sales-by-status', 'low-stock', 'refunds']) expect(found).not.toContain(name);
  });

  it('an agent who comes online concerns the overview, and no sales', async () => {
    const found = await gone(() =>
      shop.ask('patch', '/api/shipping/agents/me', agent, { body: { status: 'OFFLINE' } }).expect(200),
    );
    expect(found).toEqual(expect.arrayContaining(['overview', 'mobile']));
    expect(found).not.toContain('order-trends');
    await shop.ask('patch', '/api/shipping/agents/me', agent, { body: { status: 'ONLINE' } }).expect(200);
  });

  it('an approval concerns what shows approvals', async () => {
    await shop.larder.sql.query('UPDATE stores SET refund_approval_threshold = 0 WHERE id = $1', [shop.store.id]);
    const order = await shop.placed(customer, lines(), 'WALLET');
    await post(
      `/api/orders/${order.id}/refunds`,
      shop.manager,
      { reason: 'late', destination: 'WALLET', amount: { amount: 50, currency: 'USD' } },
      201,
    );
    const { id } = await shop.row<{ id: string }>(
      `SELECT id FROM approvals WHERE store_id = $1 AND status = 'PENDING'`,
      [shop.store.id],
    );
    const found = await gone(() => post(`/api/approvals/${id}/reject`, admin, { comment: 'no' }));
    expect(found).toEqual(expect.arrayContaining(['overview', 'mobile', 'activity', 'refunds']));
    for (const name of ['low-stock', 'sales-by-status', 'fulfilment']) expect(found).not.toContain(name);
  });

  it('what is refused concerns nothing', async () => {
    const order = await shop.placed(customer, lines());
    const found = await gone(() =>
      shop.ask('patch', `/api/orders/${order.id}`, shop.manager, { body: { status: 'RETURNED' } }).expect(400),
    );
    expect(found).toEqual([]);
  });

  it('what another store does concerns nothing', async () => {
    const other = await shop.make.store('other');
    const theirs = await shop.make.user(other);
    const thing = await shop.make.variant(other);
    const found = await gone(() =>
      shop
        .ask('post', '/api/orders', theirs, { key: freshKey(), body: orderOf([{ variantId: thing, quantity: 1 }]) })
        .expect(201),
    );
    expect(found).toEqual([]);
  });
});
