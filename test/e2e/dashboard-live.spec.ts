import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '../../src/common/ids.js';
import type { ActivityResponse } from '../../src/modules/dashboard/dto/overview.dto.js';
import { freshKey, type TestUser } from '../support/factories.js';
import { Shop } from '../support/shop.js';
import { DashboardScene, type DrawnOrder } from './dashboard.scene.js';

const MINUTE_MS = 60_000;
const DAY_MS = 1440 * MINUTE_MS;
const usd = (amount: number) => ({ amount, currency: 'USD' });

let shop: Shop;

beforeAll(async () => {
  shop = await Shop.open();
});
afterAll(() => shop.close());

/** Orders so many milliseconds ago. */
const orderOf = (around: number, ago: number, changes: Partial<DrawnOrder> = {}): DrawnOrder => ({
  placed: { quarter: 0, ms: Date.now() - ago - around },
  status: 'CONFIRMED',
  method: 'COD',
  deliveryFee: 0,
  lines: [{ variant: 0, quantity: 1, price: 1000, discount: 0 }],
  refundedShare: 0,
  refunds: [],
  attempts: [],
  ...changes,
});

/** In a zone where it is about noon now, so that an hour is of the same day. */
function noonZone(): string {
  const east = 12 - new Date().getUTCHours();
  return `Etc/GMT${east > 0 ? '-' : '+'}${Math.abs(east)}`;
}

const openScene = async (): Promise<{
  scene: DashboardScene;
  order: (ago: number, more?: Partial<DrawnOrder>) => DrawnOrder;
}> => {
  const around = Date.now();
  const scene = await DashboardScene.open(shop, noonZone(), new Date(around).toISOString());
  return { scene, order: (ago, more) => orderOf(around, ago, more) };
};

describe('the overview', () => {
  it('compares today with yesterday and last week up to the same time', async () => {
    const { scene, order } = await openScene();
    const [hour, soon] = [60 * MINUTE_MS, -60 * MINUTE_MS];
    await scene.write([
      order(hour),
      order(hour, { status: 'DELIVERED', refundedShare: 0.3 }),
      order(hour, { status: 'CANCELLED' }),
      order(DAY_MS + hour, { lines: [{ variant: 1, quantity: 2, price: 700, discount: 0 }] }),
      // Not yet, at this time of yesterday and of last week.
      order(DAY_MS + soon),
      order(7 * DAY_MS + soon),
      order(7 * DAY_MS + hour),
      // Another day altogether.
      order(2 * DAY_MS),
      order(14 * DAY_MS + hour),
    ]);
    const figures = await scene.read('overview');
    expect(figures).toMatchObject({
      today: { placed: 3, orders: 2, revenue: usd(1700), averageOrder: usd(850) },
      yesterday: { placed: 1, orders: 1, revenue: usd(1400), averageOrder: usd(1400) },
      lastWeek: { placed: 1, orders: 1, revenue: usd(1000), averageOrder: usd(1000) },
      openOrders: { PENDING: 0, CONFIRMED: 7, PREPARING: 0, SHIPPING: 0 },
    });
    expect(await scene.read('mobile')).toMatchObject({ today: { placed: 3 }, yesterday: { placed: 1 }, open: 7 });
  });

  it('counts what is open now', async () => {
    const { scene, order } = await openScene();
    await scene.write([
      order(0, { status: 'PENDING' }),
      order(0, { status: 'SHIPPING' }),
      order(0, { status: 'PREPARING' }),
    ]);
    const { sql } = shop.larder;
    const own = [scene.store.id];
    await sql.query(
      `UPDATE orders SET promised_at = now() + interval '1 hour' WHERE store_id = $1 AND status = 'SHIPPING'`,
      own,
    );
    await sql.query('UPDATE stock_levels SET on_hand = 8, reserved = 3 WHERE variant_id = $1', [scene.variants[0]]);
    await sql.query('UPDATE stock_levels SET on_hand = 8, reserved = 2 WHERE variant_id = $1', [scene.variants[1]]);
    await sql.query(`UPDATE delivery_agents SET status = 'OFFLINE' WHERE id = $1`, [scene.agents[0]!.id]);
    expect(await scene.read('overview')).toMatchObject({
      openOrders: { PENDING: 1, CONFIRMED: 0, PREPARING: 1, SHIPPING: 1 },
      // The one that waits for its payment is nobody's fault.
      late: 1,
      lowStock: 1,
      agentsOnline: 2,
      underWay: 0,
      pendingApprovals: 0,
      cashOutstanding: usd(0),
    });
    expect(await scene.read('mobile')).toMatchObject({ open: 3, late: 1, lowStock: 1, agentsOnline: 2 });
  });

  it('is all zeros, and not nothing, of a store in which nothing happened', async () => {
    const { scene } = await openScene();
    const nothing = { placed: 0, orders: 0, revenue: usd(0), averageOrder: null };
    expect(await scene.read('overview')).toMatchObject({
      today: nothing,
      yesterday: nothing,
      lastWeek: nothing,
      late: 0,
    });
    expect(await scene.read('activity')).toEqual({ items: [] });
  });
});

describe('what is low', () => {
  it('is told with what was sold in seven days and how long it lasts, the shortest first', async () => {
    const { scene, order } = await openScene();
    const sold = (variant: number, quantity: number) => ({ lines: [{ variant, quantity, price: 100, discount: 0 }] });
    await scene.write([
      order(0, sold(0, 4)),
      order(6 * DAY_MS, sold(0, 3)),
      order(7 * DAY_MS, sold(0, 5)),
      order(DAY_MS, sold(1, 1)),
      order(DAY_MS, { ...sold(2, 9), status: 'CANCELLED' }),
    ]);
    const { sql } = shop.larder;
    for (const [variant, onHand] of [
      [0, 4],
      [1, 3],
      [2, 2],
      [3, 6],
    ] as const) {
      await sql.query('UPDATE stock_levels SET on_hand = $2 WHERE variant_id = $1', [scene.variants[variant], onHand]);
    }
    const expected = [
      { variantId: scene.variants[0], available: 4, unitsSold: 7, daysOfCover: 4 },
      { variantId: scene.variants[1], available: 3, unitsSold: 1, daysOfCover: 21 },
      { variantId: scene.variants[2], available: 2, unitsSold: 0, daysOfCover: null },
    ];
    expect(await scene.read('low-stock')).toMatchObject({ threshold: 5, count: 3, items: expected });
    // The same from the rollups.
    await scene.fold();
    expect(await scene.read('low-stock')).toMatchObject({ items: expected });
    expect(await scene.read('low-stock', '?threshold=3&limit=1')).toMatchObject({ count: 2, items: [expected[1]] });
  });
});

describe('money that is owed', () => {
  /** Moves money between two wallets of a kind, out of the second. */
  const move = (scene: DashboardScene, owner: TestUser, kind: string, amount: number, other: string) =>
    shop.larder.sql.query(
      `SELECT ledger_post($1, 'TEST', $2, NULL, NULL, 'USD',
         ARRAY[wallet_of($1, $3, $4, 'USD'), wallet_of($1, $6, $1, 'USD')], ARRAY[$5::bigint, -$5::bigint])`,
      [scene.store.id, newId(), kind, owner.id, amount, other],
    );

  it('by agents: what they hold, since when, and what they are about to collect', async () => {
    const { scene, order } = await openScene();
    const [ann, bob] = scene.agents as [TestUser, TestUser, TestUser];
    for (const amount of [300, 500, 200]) await move(scene, ann, 'AGENT_CASH', -amount, 'SALES');
    // Hands in the first and a part of the second.
    await move(scene, ann, 'AGENT_CASH', 400, 'CASH_VAULT');
    await scene.write([order(0, { status: 'SHIPPING' })]);
    await shop.larder.sql.query(
      `INSERT INTO shipping_assignments (store_id, id, order_id, agent_id, status, zip, cash_due, currency, accepted_at, promised_at)
       SELECT store_id, uuid_v7(), id, $2, 'ACCEPTED', '10001', 1000, 'USD', now(), now() FROM orders WHERE store_id = $1`,
      [scene.store.id, bob.id],
    );
    const { at } = await shop.row<{ at: Date }>(
      `SELECT e.created_at AS at FROM ledger_entries e JOIN wallets w ON w.id = e.wallet_id WHERE w.owner_id = $1 AND e.amount = -500`,
      [ann.id],
    );
    expect(await scene.read('cash-outstanding')).toEqual({
      inHand: usd(600),
      dueUnderWay: usd(1000),
      receivables: usd(0),
      agents: [
        {
          agentId: ann.id,
          name: 'An agent',
          inHand: usd(600),
          parcels: 0,
          dueUnderWay: usd(0),
          oldestAt: at.toISOString(),
        },
        { agentId: bob.id, name: 'An agent', inHand: usd(0), parcels: 1, dueUnderWay: usd(1000), oldestAt: null },
      ],
    });
  });

  it('to customers and agents: how many wallets, their sum and the fullest', async () => {
    const { scene } = await openScene();
    const [rich, poor] = [await shop.make.user(scene.store), await shop.make.user(scene.store)];
    await shop.make.user(scene.store);
    await shop.make.topUp(scene.store, rich, 900);
    await shop.make.topUp(scene.store, poor, 50);
    await move(scene, scene.agents[0]!, 'AGENT_EARNINGS', 250, 'DELIVERY_FEES');
    expect(await scene.read('wallet-liabilities')).toEqual({
      amount: usd(1200),
      customers: { wallets: 2, amount: usd(950), largest: { ownerId: rich.id, name: rich.email, amount: usd(900) } },
      agentEarnings: {
        wallets: 1,
        amount: usd(250),
        largest: { ownerId: scene.agents[0]!.id, name: expect.any(String) as unknown, amount: usd(250) },
      },
    });
  });
});

describe('the activity', () => {
  it('is the last fifty things, newest first, each with who did it', async () => {
    const customer = await shop.make.user(shop.store);
    const agent = await shop.make.agent(shop.store);
    const variant = await shop.make.variant(shop.store);
    const order = await shop.placed(customer, [{ variantId: variant, quantity: 1 }]);
    await shop.carried(agent, order.id);
    const { body } = await shop.ask('get', '/api/dashboard/activity', shop.manager).expect(200);
    const { items } = body as ActivityResponse;
    const told = items.map(({ type, orderNumber, by }) => ({ type, orderNumber, id: by?.id, role: by?.role }));
    expect(told).toEqual(
      expect.arrayContaining([
        { type: 'order.placed', orderNumber: order.number, id: customer.id, role: 'CUSTOMER' },
        { type: 'assignment.accepted', orderNumber: order.number, id: agent.id, role: 'AGENT' },
        { type: 'order.shipping', orderNumber: order.number, id: agent.id, role: 'AGENT' },
      ]),
    );
    expect(items.map(({ id }) => Number(id))).toEqual(items.map(({ id }) => Number(id)).sort((a, b) => b - a));
    expect(items.find(({ type }) => type === 'order.placed')?.amount).toEqual(usd(500));
    for (let i = 0; i < 51; i++) await shop.placed(customer, [{ variantId: variant, quantity: 1 }]);
    await shop.waitUntil(async () => {
      const more = await shop.ask('get', '/api/dashboard/activity', shop.manager).expect(200);
      return (more.body as ActivityResponse).items.length === 50;
    });
  });

  it('says who offered and who decided by nobody else than them', async () => {
    const customer = await shop.make.user(shop.store);
    const other = await shop.make.user(shop.store, 'ADMIN');
    const agent = await shop.make.agent(shop.store);
    const variant = await shop.make.variant(shop.store);
    const { rows } = await shop.larder.sql.query<{ kind: string; id: string }>(
      `SELECT kind, id FROM wallets WHERE owner_id = $1 AND kind IN ('SALES', 'CASH_VAULT')`,
      [shop.store.id],
    );
    const idOf = (kind: string) => rows.find((row) => row.kind === kind)!.id;
    const adjustment = { from: idOf('SALES'), to: idOf('CASH_VAULT'), amount: usd(1), reason: 'x' };
    const asked = await shop
      .ask('post', '/api/wallets/adjustments', shop.manager, { body: adjustment, key: freshKey() })
      .expect(201);
    const { approvalId } = asked.body as { approvalId: string };
    await shop.ask('post', `/api/approvals/${approvalId}/reject`, other, { body: {} }).expect(200);
    const order = await shop.placed(customer, [{ variantId: variant, quantity: 1 }]);
    await shop.carried(agent, order.id, 'ACCEPTED');
    const { body } = await shop.ask('get', '/api/dashboard/activity', shop.manager).expect(200);
    const by = (type: string, subject?: string) =>
      (body as ActivityResponse).items.find((item) => item.type === type && (!subject || item.subjectId === subject))
        ?.by;
    expect(by('approval.requested', approvalId)).toMatchObject({ id: shop.manager.id });
    expect(by('approval.rejected', approvalId)).toMatchObject({ id: other.id });
    expect(by('assignment.offered')).toBeNull();
    expect(by('assignment.accepted')).toMatchObject({ id: agent.id, role: 'AGENT' });
  });

  it('says who took cash and who counted it, not whose it was', async () => {
    const customer = await shop.make.user(shop.store);
    const agent = await shop.make.agent(shop.store);
    const variant = await shop.make.variant(shop.store);
    const order = await shop.placed(customer, [{ variantId: variant, quantity: 1 }]);
    const { path } = await shop.carried(agent, order.id);
    const short = { amount: order.total.amount - 100, currency: 'USD' };
    const post = (route: string, user: TestUser, body: object) =>
      shop
        .ask('post', route, user, { body, key: freshKey() })
        .expect((reply) => expect(reply.status).toBeLessThan(300));
    await post(`${path}/deliver`, agent, {
      proof: { code: order.deliveryCode },
      cashCollected: short,
      shortReason: 'No more on him',
    });
    await post(`/api/payments/${order.payment.id}/settlements`, shop.manager, { amount: usd(100) });
    await post(`/api/shipping/agents/${agent.id}/remittances`, shop.manager, { amount: usd(1) });
    // One cent too little, and then as much as there should be.
    const close = `/api/shipping/agents/${agent.id}/shifts/close`;
    await post(close, shop.manager, { counted: usd(short.amount - 2) });
    const admin = await shop.make.user(shop.store, 'ADMIN');
    const { id } = await shop.row<{ id: string }>(`SELECT id FROM approvals WHERE kind = 'CASH_VARIANCE'`);
    await post(`/api/approvals/${id}/approve`, admin, {});
    const another = await shop.placed(customer, [{ variantId: variant, quantity: 1 }]);
    const next = await shop.carried(agent, another.id);
    const proof = { code: another.deliveryCode };
    await post(`${next.path}/deliver`, agent, { proof, cashCollected: another.total });
    await post(close, shop.manager, { counted: another.total });
    const { body } = await shop.ask('get', '/api/dashboard/activity', shop.manager).expect(200);
    const told = (body as ActivityResponse).items.map(({ type, by }) => [type, by?.id, by?.role]);
    const by = (type: string) =>
      told.filter(([name]) => name === type).map(([, who, role]) => (role ? [who, role] : who));
    expect(by('payment.settled')).toEqual([shop.manager.id]);
    expect(by('agent.cash_remitted')).toEqual(Array.from({ length: 3 }, () => shop.manager.id));
    expect(by('agent.shift_counted')).toEqual([shop.manager.id]);
    expect(by('agent.shift_closed')).toEqual([shop.manager.id, admin.id]);
    expect(by('agent.shift_opened')).toEqual(Array.from({ length: 2 }, () => [agent.id, 'AGENT']));
  });
});
