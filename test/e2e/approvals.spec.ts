import { sumOfMetric } from '../support/metrics.js';
import type { TestUser } from '../support/factories.js';
import { Shop } from '../support/shop.js';
import { verify } from '../support/verify.js';
import { Refunds, USD } from './refunds.scene.js';

const LIMIT = 2000;

let shop: Shop;
let refunds: Refunds;
let customer: TestUser;
let support: TestUser;
let other: TestUser;
let tea: string;

beforeAll(async () => {
  shop = await Shop.open();
  refunds = new Refunds(shop);
  support = await shop.make.user(shop.store, 'SUPPORT');
  other = await shop.make.user(shop.store, 'ADMIN');
  await shop.larder.sql.query('UPDATE stores SET refund_approval_threshold = $2 WHERE id = $1', [shop.store.id, LIMIT]);
});
beforeEach(async () => {
  customer = await shop.make.user(shop.store);
  await shop.make.topUp(shop.store, customer, 1_000_000);
  tea = await shop.make.variant(shop.store, { price: 1000, onHand: 100 });
  await required(1);
});
afterEach(() => verify(shop.larder.sql));
afterAll(() => shop.close());

const required = (approvers: number) =>
  shop.larder.sql.query('UPDATE stores SET approvals_required = $2 WHERE id = $1', [shop.store.id, approvers]);
const decide = (id: string, how: 'approve' | 'reject', user = shop.manager, body: object = {}) =>
  shop.ask('post', `/api/approvals/${id}/${how}`, user, { body });
const read = (id: string, user = shop.manager) => shop.ask('get', `/api/approvals/${id}`, user);

/** A refund of 3000 by the support, which waits. */
async function waiting(body: object = { lines: [{ variantId: tea, quantity: 3, goods: 'RESTOCK' }] }) {
  const order = await refunds.delivered(customer, [{ variantId: tea, quantity: 5 }]);
  const { body: refund } = await refunds.ask(order.id, body, support).expect(201);
  return { order, refund, id: refund.approvalId as string };
}

describe('a refund above the limit', () => {
  it('reserves its money and its pieces, and waits', async () => {
    const { order, refund, id } = await waiting();
    expect(refund).toMatchObject({ status: 'REQUESTED', finishedAt: null, approvalId: expect.any(String) });
    expect(await refunds.payment(order.id)).toMatchObject({ status: 'CAPTURED', refunded: 0, refunding: 3000 });
    expect((await refunds.stock(order.id, tea)).onHand).toBe(95);
    await refunds.ask(order.id, { amount: USD(2001) }).expect(409, /"code":"REFUND_EXCEEDS_CAPTURE"/);
    const { body } = await read(id).expect(200);
    expect(body).toMatchObject({
      id,
      kind: 'REFUND',
      subjectId: refund.id,
      amount: USD(3000),
      reason: 'Not as ordered',
      subject: { orderId: order.id, orderNumber: order.number, destination: 'WALLET' },
      requestedBy: support.id,
      required: 1,
      approved: 0,
      status: 'PENDING',
      decidedAt: null,
      decisions: [],
    });
  });

  it('is paid, and its goods are back, when somebody else agrees', async () => {
    const { order, refund, id } = await waiting();
    const before = await refunds.walletOf(customer);
    const { body } = await decide(id, 'approve', shop.manager, { comment: 'Seen the photo' }).expect(200);
    expect(body).toMatchObject({
      status: 'APPROVED',
      approved: 1,
      decidedAt: expect.any(String),
      decisions: [{ approverId: shop.manager.id, decision: 'APPROVED', comment: 'Seen the photo' }],
    });
    expect(await refunds.walletOf(customer)).toBe(before + 3000);
    expect(await refunds.payment(order.id)).toMatchObject({
      status: 'PARTIALLY_REFUNDED',
      refunded: 3000,
      refunding: 0,
    });
    expect((await refunds.stock(order.id, tea)).onHand).toBe(98);
    expect((await shop.ask('get', `/api/refunds/${refund.id}`, customer)).body.status).toBe('SUCCEEDED');
  });

  it('is free again when somebody else refuses', async () => {
    const { order, refund, id } = await waiting();
    await decide(id, 'reject').expect(200, /"status":"REJECTED"/);
    expect(await refunds.payment(order.id)).toMatchObject({ status: 'CAPTURED', refunded: 0, refunding: 0 });
    expect((await shop.ask('get', `/api/refunds/${refund.id}`, support)).body.status).toBe('REJECTED');
    const { body } = await refunds.ask(order.id, { amount: USD(2000) }).expect(201);
    expect(body.status).toBe('SUCCEEDED');
  });

  it('of a card goes to its provider only then', async () => {
    const { order, refund, id } = await (async () => {
      const placed = await refunds.delivered(customer, [{ variantId: tea, quantity: 5 }]);
      await refunds.paidByCard(placed.id);
      const { body } = await refunds.ask(placed.id, { destination: 'ORIGINAL' }, support).expect(201);
      return { order: placed, refund: body, id: body.approvalId as string };
    })();
    const operations = () =>
      shop.row('SELECT count(*)::int AS n FROM payment_operations WHERE refund_id = $1', [refund.id]);
    expect(await operations()).toEqual({ n: 0 });
    await decide(id, 'approve').expect(200);
    expect(await operations()).toEqual({ n: 1 });
    expect((await shop.ask('get', `/api/refunds/${refund.id}`, support)).body.status).toBe('PROCESSING');
    await refunds.answered('succeeded', refund.id);
    expect(await refunds.payment(order.id)).toMatchObject({ status: 'REFUNDED', refunded: 5000 });
  });

  it('does not pass in small pieces either', async () => {
    const order = await refunds.delivered(customer, [{ variantId: tea, quantity: 5 }]);
    const ask = async (amount: number) => (await refunds.ask(order.id, { amount: USD(amount) }, support)).body;
    expect(await ask(1500)).toMatchObject({ status: 'SUCCEEDED' });
    expect(await ask(500)).toMatchObject({ status: 'SUCCEEDED' });
    const third = await ask(1);
    expect(third).toMatchObject({ status: 'REQUESTED' });
    await decide(third.approvalId, 'approve').expect(200);
    expect(await refunds.payment(order.id)).toMatchObject({ refunded: 2001, refunding: 0 });
  });

  it('can not be refused any more once the order itself has come back', async () => {
    const { order, id } = await waiting();
    await refunds.step(order.id, 'RETURNED');
    expect(await refunds.payment(order.id)).toMatchObject({
      status: 'PARTIALLY_REFUNDED',
      refunded: 2000,
      refunding: 3000,
    });
    expect((await refunds.stock(order.id, tea)).onHand).toBe(97);
    await decide(id, 'reject').expect(200);
    expect(await refunds.payment(order.id)).toMatchObject({ status: 'REFUNDED', refunded: 5000, refunding: 0 });
    expect(await refunds.booked(order.id)).toEqual({});
    expect((await refunds.stock(order.id, tea)).onHand).toBe(100);
  });

  it('is paid as agreed though the order has come back meanwhile', async () => {
    const { order, id } = await waiting({ lines: [{ variantId: tea, quantity: 3, goods: 'SCRAP' }] });
    await refunds.step(order.id, 'RETURNED');
    await decide(id, 'approve').expect(200);
    expect(await refunds.payment(order.id)).toMatchObject({ status: 'REFUNDED', refunded: 5000, refunding: 0 });
    expect((await refunds.stock(order.id, tea)).onHand).toBe(97);
  });
});

describe('who decides', () => {
  it('is never who asked', async () => {
    const order = await refunds.delivered(customer, [{ variantId: tea, quantity: 5 }]);
    const { body: refund } = await refunds.ask(order.id, {}).expect(201);
    for (const how of ['approve', 'reject'] as const) {
      await decide(refund.approvalId, how).expect(403, /"code":"APPROVAL_OWN_REQUEST"/);
    }
    expect((await read(refund.approvalId)).body).toMatchObject({ status: 'PENDING', decisions: [] });
    const own = shop.larder.sql.query(
      `INSERT INTO approval_decisions (store_id, approval_id, approver_id, decision) VALUES ($1, $2, $3, 'APPROVED')`,
      [shop.store.id, refund.approvalId, shop.manager.id],
    );
    await expect(own).rejects.toThrow(/nobody decides on his own request/);
  });

  it('is a manager of this store', async () => {
    const { id } = await waiting();
    for (const user of [support, customer]) {
      await decide(id, 'approve', user).expect(403, /"code":"FORBIDDEN"/);
      await read(id, user).expect(403);
    }
    const elsewhere = await shop.make.store('another-shop');
    const foreigner = await shop.make.user(elsewhere, 'ADMIN');
    await decide(id, 'approve', foreigner).expect(404);
    await read(id, foreigner).expect(404);
    const { body } = await shop.ask('get', '/api/approvals', foreigner).expect(200);
    expect(body.items).toEqual([]);
  });

  it('says it twice and is heard once', async () => {
    const { order, id } = await waiting();
    const duplicates = () => sumOfMetric(shop.larder, 'larder_approval_duplicates_total');
    const [before, waits] = [
      await duplicates(),
      await sumOfMetric(shop.larder, 'larder_approval_lock_wait_seconds_count'),
    ];
    const first = await decide(id, 'approve').expect(200);
    const second = await decide(id, 'approve', shop.manager, { comment: 'Did it work?' }).expect(200);
    expect(second.body).toEqual(first.body);
    expect(await refunds.payment(order.id)).toMatchObject({ refunded: 3000 });
    expect(await duplicates()).toBe(before + 1);
    expect(await sumOfMetric(shop.larder, 'larder_approval_lock_wait_seconds_count')).toBe(waits + 2);
  });

  it('does not change his mind, nor what others have decided', async () => {
    const { id } = await waiting();
    await decide(id, 'approve').expect(200);
    for (const [how, user] of [
      ['reject', shop.manager],
      ['approve', other],
      ['reject', other],
    ] as const) {
      const { body } = await decide(id, how, user).expect(409);
      expect(body).toMatchObject({ code: 'APPROVAL_DECIDED', details: [{ status: 'APPROVED' }] });
    }
    const undo = shop.larder.sql.query(`UPDATE approvals SET status = 'REJECTED' WHERE id = $1`, [id]);
    await expect(undo).rejects.toThrow(/has been decided/);
    const rewrite = shop.larder.sql.query(`UPDATE approval_decisions SET decision = 'REJECTED'`);
    await expect(rewrite).rejects.toThrow(/append-only/);
  });

  it('is as many as the store wanted when it was asked for, and one refusal is enough', async () => {
    await required(2);
    const [agreed, refused] = [await waiting(), await waiting()];
    await required(1);
    await decide(agreed.id, 'approve').expect(200, /"status":"PENDING"/);
    await decide(agreed.id, 'approve').expect(200, /"approved":1/);
    await decide(agreed.id, 'reject').expect(409, /"code":"APPROVAL_DECIDED"/);
    expect(await refunds.payment(agreed.order.id)).toMatchObject({ refunded: 0 });
    await decide(agreed.id, 'approve', other).expect(200, /"status":"APPROVED"/);
    expect(await refunds.payment(agreed.order.id)).toMatchObject({ refunded: 3000 });

    await decide(refused.id, 'approve').expect(200);
    const { body } = await decide(refused.id, 'reject', other, { comment: 'No photo' }).expect(200);
    expect(body).toMatchObject({
      status: 'REJECTED',
      approved: 1,
      decisions: [{ decision: 'APPROVED' }, { decision: 'REJECTED', comment: 'No photo' }],
    });
    expect(await refunds.payment(refused.order.id)).toMatchObject({ refunded: 0, refunding: 0 });
  });
});

describe('the list', () => {
  it('shows what waits and what was decided, newest first, by page', async () => {
    const first = await waiting();
    const second = await waiting();
    await decide(first.id, 'approve').expect(200);
    const list = (query: string) => shop.ask('get', `/api/approvals?${query}`, shop.manager);
    const { body: pending } = await list('status=PENDING&kind=REFUND&limit=1').expect(200);
    expect(pending.items.map(({ id }: { id: string }) => id)).toEqual([second.id]);
    const { body: all } = await list('limit=1').expect(200);
    const { body: next } = await list(`limit=1&cursor=${all.nextCursor}`).expect(200);
    expect([all.items[0].id, next.items[0].id]).toEqual([second.id, first.id]);
    expect((await list('kind=WITHDRAWAL').expect(200)).body.items).toEqual([]);
    await list('status=LOST').expect(400);
    await list('kind=').expect(400);
  });

  it.each([{ comment: 5 }, { comment: 'x'.repeat(501) }, { comment: null }, { decision: 'APPROVED' }])(
    'takes no decision with %j',
    async (body) => {
      const { id } = await waiting();
      await decide(id, 'approve', shop.manager, body).expect(400, /"code":"VALIDATION_FAILED"/);
      expect((await read(id)).body.status).toBe('PENDING');
    },
  );
});
