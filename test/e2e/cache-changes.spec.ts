import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { runInContext } from '../../src/common/request-context.js';
import { StoreDays } from '../../src/modules/dashboard/store-days.js';
import { CacheService } from '../../src/platform/cache/cache.service.js';
import { CardShop, PRICE } from '../support/card-shop.js';
import { freshKey, type TestUser, ZIP } from '../support/factories.js';
import { orderOf, type Shop } from '../support/shop.js';

let cards: CardShop;
/** In which nothing happens by itself, so that each answer is read before the next thing is done. */
let still: CardShop;
let shop: Shop;
let customer: TestUser;

beforeAll(async () => {
  cards = await CardShop.open();
  still = await CardShop.open({ LARDER_ROLE: 'api' });
  shop = cards.shop;
  customer = await shop.make.user(shop.store);
});
afterAll(async () => {
  await still.close();
  await cards.close();
});

const lines = () => [{ variantId: cards.tea, quantity: 1 }];

it('An order that ends with its payment gives its place in a window back, and whoever chooses one sees it', async () => {
  await cards.captureByHand();
  const zone = await shop.ask('post', '/api/zones', shop.manager, { body: { name: 'Mitte', zipCodes: [ZIP] } });
  const windows = [{ start: '09:00', end: '11:00', capacity: 2, cutoffMinutes: 60 }];
  const made = { zoneId: (zone.body as { id: string }).id, from: '2031-12-01', to: '2031-12-01', windows };
  await shop.ask('post', '/api/slots', shop.manager, { body: made }).expect(201);
  const left = async () => {
    const { body } = await shop.larder.http.get(`/api/slots?zip=${ZIP}&date=2031-12-01`).expect(200);
    return (body as { items: { id: string; left: number }[] }).items[0]!;
  };
  const body = orderOf(lines(), { slotId: (await left()).id, paymentMethod: 'CARD' });
  const { id, payment } = (await shop.ask('post', '/api/orders', customer, { body, key: freshKey() }).expect(201))
    .body as { id: string; payment: { id: string } };
  const order = { id, paymentId: payment.id, customer };
  expect((await cards.confirm(order)).status).toBe(200);
  expect(await left()).toMatchObject({ left: 1 });
  expect((await cards.act(order, 'void')).status).toBe(200);
  await cards.settled(order);
  expect(await left()).toMatchObject({ left: 2 });
});

it('A step that moves no stock leaves the list of products as it was read', async () => {
  const { id } = await shop.placed(customer, lines());
  const list = () => shop.larder.http.get('/api/products').expect(200);
  const sources = () =>
    runInContext({ requestId: 'test-request', storeId: shop.store.id }, () =>
      shop.larder.app.get(CacheService).stats(),
    ).categories.find(({ category }) => category === 'catalog')!.reads;
  await list();
  const before = sources();
  await shop.ask('patch', `/api/orders/${id}`, shop.manager, { body: { status: 'PREPARING' } }).expect(200);
  await list();
  expect(sources()).toEqual({ ...before, memory: before.memory + 1 });
  await shop.ask('patch', `/api/orders/${id}`, shop.manager, { body: { status: 'CANCELLED' } }).expect(200);
  await list();
  expect(sources()).toEqual({ ...before, memory: before.memory + 1, loaded: before.loaded + 1 });
});

it('A store that moves to another time zone has other days at once', async () => {
  const move = (timezone: string) => shop.ask('patch', '/api/store', shop.manager, { body: { timezone } }).expect(200);
  await move('Etc/GMT-14');
  await shop.placed(customer, lines());
  const day = new Date(Date.now() + 14 * 3_600_000).toISOString().slice(0, 10);
  const placed = async () => {
    const { body } = await shop
      .ask('get', `/api/dashboard/order-trends?from=${day}&to=${day}`, shop.manager)
      .expect(200);
    return (body as { total: { placed: number } }).total.placed;
  };
  expect(await placed()).toBeGreaterThan(0);
  await move('Etc/GMT+12');
  expect(await placed()).toBe(0);
});

it.each([
  ['as it was sent', (etag: string) => etag],
  ['without its weakness, which proxies take off', (etag: string) => etag.replace('W/', '')],
  ['among others', (etag: string) => `"other", ${etag}`],
  ['or any', () => '*'],
])('Nothing is sent twice to who names the answer %s', async (_how, naming) => {
  const read = () => shop.ask('get', '/api/dashboard/wallet-liabilities', shop.manager);
  const { etag = '' } = (await read().expect(200)).headers as { etag?: string };
  await read().set('if-none-match', naming(etag)).expect(304);
  await read().set('if-none-match', '"other"').expect(200);
});

const act = (path: string, user: TestUser, body: object = {}, status = 201) =>
  shop.ask('post', path, user, { key: freshKey(), body }).expect(status);
const usd = (amount: number) => ({ amount, currency: 'USD' });

it('Goods that come back with a refund are on the list of products at once, whether or not somebody has to agree to it', async () => {
  const available = async () => {
    const { items } = (await shop.larder.http.get('/api/products').expect(200)).body as {
      items: { variants: { id: string; available: number }[] }[];
    };
    return items.flatMap(({ variants }) => variants).find(({ id }) => id === cards.tea)!.available;
  };
  await shop.make.topUp(shop.store, customer, 1_000_000);
  const order = await shop.placed(customer, [{ variantId: cards.tea, quantity: 3 }], 'WALLET');
  for (const status of ['SHIPPING', 'DELIVERED'])
    await shop.ask('patch', `/api/orders/${order.id}`, shop.manager, { body: { status } }).expect(200);
  const back = (goods: string) => ({
    reason: 'late',
    destination: 'WALLET',
    lines: [{ variantId: cards.tea, quantity: 1, goods }],
  });
  const before = await available();
  await act(`/api/orders/${order.id}/refunds`, shop.manager, back('KEEP'));
  expect(await available()).toBe(before);
  await act(`/api/orders/${order.id}/refunds`, shop.manager, back('RESTOCK'));
  expect(await available()).toBe(before + 1);
  await cards.sql.query('UPDATE stores SET refund_approval_threshold = 0');
  const { approvalId } = (await act(`/api/orders/${order.id}/refunds`, shop.manager, back('RESTOCK'))).body as {
    approvalId: string;
  };
  expect(await available()).toBe(before + 1);
  await act(`/api/approvals/${approvalId}/approve`, await shop.make.user(shop.store, 'ADMIN'), {}, 200);
  expect(await available()).toBe(before + 2);
});

it('Books that are corrected by hand change what the store owes when somebody has agreed to it', async () => {
  const walletOf = async (kind: string, owner: string) =>
    (await shop.row<{ id: string }>('SELECT id FROM wallets WHERE kind = $1 AND owner_id = $2', [kind, owner])).id;
  const owed = async () => {
    const { body } = await shop.ask('get', '/api/dashboard/wallet-liabilities', shop.manager).expect(200);
    return (body as { amount: { amount: number } }).amount.amount;
  };
  const [from, to] = [await walletOf('CASH_VAULT', shop.store.id), await walletOf('CUSTOMER', customer.id)];
  const wish = { from, to, amount: usd(77), reason: 'found behind the till' };
  const { approvalId } = (await act('/api/wallets/adjustments', shop.manager, wish)).body as { approvalId: string };
  const before = await owed();
  await act(`/api/approvals/${approvalId}/approve`, await shop.make.user(shop.store, 'ADMIN'), {}, 200);
  expect(await owed()).toBe(before + 77);
});

it('What happens to a card that nobody waits for is soon on the dashboards: taken, given back, not paid in time', async () => {
  const read = async <T>(name: string) =>
    (await still.shop.ask('get', `/api/dashboard/${name}`, still.shop.manager).expect(200)).body as T;
  const figures = async () => ({
    givenBack: (await read<{ givenBack: { amount: number } }>('refunds')).givenBack.amount,
    expired: (await read<{ items: { status: string }[] }>('sales-by-status')).items.some(
      ({ status }) => status === 'EXPIRED',
    ),
    events: (await read<{ items: { type: string }[] }>('activity')).items.map(({ type }) => type),
  });
  const order = await still.order();
  const sweep = async () => {
    await still.hurry(order);
    await still.sweep();
  };
  expect((await still.confirm(order, 'tok_answer_lost')).status).toBe(202);
  expect((await figures()).events).not.toContain('payment.authorized');
  await sweep();
  await still.shop.waitUntil(async () => (await figures()).events.includes('payment.authorized'));
  expect((await figures()).events).not.toContain('payment.captured');
  await sweep();
  await still.shop.waitUntil(async () => (await figures()).events.includes('payment.captured'));
  await still.cancel(order);
  expect((await figures()).givenBack).toBe(0);
  await sweep();
  await still.shop.waitUntil(async () => (await figures()).givenBack === PRICE);
  const forgotten = await still.order();
  await still.overdue(forgotten);
  expect((await figures()).expired).toBe(false);
  await still.expireOverdue();
  await still.shop.waitUntil(async () => (await figures()).expired);
});

it('What a customer brings later is soon owed no more', async () => {
  const agent = await shop.make.agent(shop.store);
  const order = await shop.placed(customer, lines());
  const { path } = await shop.carried(agent, order.id);
  const owed = async () => {
    const { body } = await shop.ask('get', '/api/dashboard/cash-outstanding', shop.manager).expect(200);
    return (body as { receivables: { amount: number } }).receivables.amount;
  };
  const before = await owed();
  const short = { cashCollected: usd(PRICE - 50), shortReason: 'no more on her' };
  await act(`${path}/deliver`, agent, { proof: { code: order.deliveryCode }, ...short }, 200);
  await shop.waitUntil(async () => (await owed()) === before + 50);
  await act(`/api/payments/${order.payment.id}/settlements`, shop.manager, { amount: usd(50) });
  await shop.waitUntil(async () => (await owed()) === before);
});

it.each(['overview', 'mobile'])(
  'When it strikes midnight, the %s tells nobody of yesterday as of today',
  async (name) => {
    const read = async () => {
      const { body } = await shop.ask('get', `/api/dashboard/${name}`, shop.manager).expect(200);
      return (body as { generatedAt: string }).generatedAt;
    };
    const today = jest.spyOn(shop.larder.app.get(StoreDays), 'today').mockResolvedValue('2031-12-01');
    const evening = await read();
    expect(await read()).toBe(evening);
    today.mockResolvedValue('2031-12-02');
    expect(await read()).not.toBe(evening);
    today.mockRestore();
  },
);
