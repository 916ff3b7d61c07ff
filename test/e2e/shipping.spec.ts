import { newId } from '../../src/common/ids.js';
import type { OrderResponse } from '../../src/modules/orders/dto/order.dto.js';
import { ADDRESS, type TestUser, ZIP } from '../support/factories.js';
import { type CallOptions, Shop } from '../support/shop.js';
import { verify } from '../support/verify.js';

const USD = (amount: number) => ({ amount, currency: 'USD' });
const PRICE = 1700;
const DELIVERY_FEE = 300;
const TOTAL = PRICE + DELIVERY_FEE;
const AGENT_FEE = 250;
/** A store's overpayment limit, when it says nothing else. */
const MOST_ABOVE = 2000;
const FLOAT_LIMIT = 3 * TOTAL;
const ASSIGNMENTS = '/api/shipping/assignments';

let shop: Shop;
let tea: string;
let customer: TestUser;
let agent: TestUser;

beforeAll(async () => {
  shop = await Shop.open({ deliveryFee: DELIVERY_FEE, agentFee: AGENT_FEE, floatLimit: FLOAT_LIMIT });
  tea = await shop.make.variant(shop.store, { price: PRICE, onHand: 1000 });
});
beforeEach(async () => {
  customer = await shop.make.user(shop.store);
  agent = await shop.make.agent(shop.store);
});
afterEach(async () => {
  await verify(shop.larder.sql);
  // Open offers of one test would be in the lists of the next.
  await shop.larder.sql.query(`UPDATE delivery_agents SET status = 'OFFLINE'`);
});
afterAll(() => shop.close());

const placed = (paymentMethod = 'COD') => shop.placed(customer, [{ variantId: tea, quantity: 1 }], paymentMethod);
const offer = (orderId: string, agentId?: string) =>
  shop.ask('post', ASSIGNMENTS, shop.manager, { body: { orderId, agentId } });
const act = (id: string, step: string, options: CallOptions = {}, user = agent) =>
  shop.ask('post', `${ASSIGNMENTS}/${id}/${step}`, user, options);
const see = (id: string, user = agent) => shop.ask('get', `${ASSIGNMENTS}/${id}`, user);
const seen = async (user: TestUser, query = ''): Promise<string[]> => {
  const { body } = await shop.ask('get', `${ASSIGNMENTS}?limit=100${query}`, user).expect(200);
  return (body.items as { id: string }[]).map(({ id }) => id);
};
const walletOf = async (kind: string, ownerId: string): Promise<number> => {
  const { sum } = await shop.row(
    `SELECT coalesce(sum(e.amount), 0) AS sum FROM wallets w LEFT JOIN ledger_entries e ON e.wallet_id = w.id
      WHERE w.kind = $1 AND w.owner_id = $2`,
    [kind, ownerId],
  );
  return Number(sum);
};
/** What the store's wallets and this agent's hold; with the customers' they are zero at all times. */
const booksOf = async (user: TestUser) => ({
  cash: await walletOf('AGENT_CASH', user.id),
  earnings: await walletOf('AGENT_EARNINGS', user.id),
  vault: await walletOf('CASH_VAULT', shop.store.id),
  sales: await walletOf('SALES', shop.store.id),
  fees: await walletOf('DELIVERY_FEES', shop.store.id),
});
const difference = <T extends Record<string, number>>(after: T, before: T) =>
  Object.fromEntries(Object.entries(after).map(([key, value]) => [key, value - (before[key] ?? 0)]));
const rightly = (order: OrderResponse, cash = TOTAL) => ({
  proof: { code: order.deliveryCode },
  ...(cash > 0 ? { cashCollected: USD(cash) } : {}),
});
const expire = (id: string) =>
  shop.larder.sql.query(`UPDATE shipping_assignments SET offer_expires_at = now() WHERE id = $1`, [id]);

describe('offering', () => {
  it('shows an open offer to all who may take it, without the address', async () => {
    const order = await placed();
    const { body } = await offer(order.id).expect(201);
    expect(body).toMatchObject({
      orderId: order.id,
      orderNumber: order.number,
      agentId: null,
      status: 'OFFERED',
      zip: ZIP,
      cashDue: USD(TOTAL),
      cashCollected: null,
      promisedAt: order.promisedAt,
      acceptedAt: null,
      deliveryAddress: ADDRESS,
    });
    const second = await shop.make.agent(shop.store);
    for (const user of [agent, second]) {
      expect(await seen(user)).toContain(body.id);
      expect((await see(body.id, user).expect(200)).body).toEqual({ ...body, deliveryAddress: null });
    }
  });

  it('shows it neither to agents who are offline or elsewhere, nor to those who turned it down', async () => {
    const offline = await shop.make.agent(shop.store, 'OFFLINE');
    const elsewhere = await shop.make.agent(shop.store);
    const zips = { body: { serviceZipCodes: ['20002'] } };
    await shop.ask('patch', '/api/shipping/agents/me', elsewhere, zips).expect(200);
    const { id } = (await offer((await placed()).id).expect(201)).body;
    await act(id, 'reject').expect(204);
    await act(id, 'reject').expect(204);
    for (const user of [offline, elsewhere, agent]) {
      expect(await seen(user)).not.toContain(id);
      await see(id, user).expect(404);
    }
    for (const user of [offline, elsewhere]) await act(id, 'accept', {}, user).expect(403, /"AGENT_NOT_ELIGIBLE"/);
    await shop.ask('patch', '/api/shipping/agents/me', offline, { body: { status: 'ONLINE' } }).expect(200);
    await act(id, 'accept', {}, offline).expect(200);
  });

  it('keeps a direct offer between the store and its agent', async () => {
    const other = await shop.make.agent(shop.store);
    const { id } = (await offer((await placed()).id, agent.id).expect(201)).body;
    expect(await seen(other)).not.toContain(id);
    await see(id, other).expect(404);
    for (const step of ['accept', 'reject', 'pickup']) await act(id, step, {}, other).expect(404);
    expect((await see(id).expect(200)).body).toMatchObject({ agentId: agent.id, deliveryAddress: null });
    const { body } = await act(id, 'accept').expect(200);
    expect(body).toMatchObject({ status: 'ACCEPTED', agentId: agent.id, deliveryAddress: ADDRESS });
    expect(await seen(agent, '&status=ACCEPTED')).toEqual([id]);
  });

  it('tells its agent where the customer lives for as long as the parcel is his to carry', async () => {
    const order = await placed();
    const { id } = (await offer(order.id, agent.id).expect(201)).body;
    expect((await act(id, 'accept').expect(200)).body).toMatchObject({ deliveryAddress: ADDRESS });
    await shop.ask('patch', `/api/orders/${order.id}`, customer, { body: { status: 'CANCELLED' } }).expect(200);
    expect((await see(id).expect(200)).body).toMatchObject({ status: 'CANCELLED', deliveryAddress: null });
  });

  it('refuses an agent who could not take it: unknown, offline, elsewhere, with too much cash', async () => {
    const { id } = await placed();
    await offer(id, newId()).expect(400, /"INVALID_REFERENCE"/);
    await offer(id, (await shop.make.agent(shop.store, 'OFFLINE')).id).expect(403, /"AGENT_NOT_ELIGIBLE"/);
    await shop.ask('patch', '/api/shipping/agents/me', agent, { body: { serviceZipCodes: ['20002'] } }).expect(200);
    await offer(id, agent.id).expect(403, /"AGENT_NOT_ELIGIBLE"/);
  });

  it('refuses an order that is unknown, ended or offered already', async () => {
    await offer(newId()).expect(404, /"NOT_FOUND"/);
    const order = await placed();
    await offer(order.id).expect(201);
    await offer(order.id).expect(409, /"ASSIGNMENT_ACTIVE"/);
    const cancelled = await placed();
    await shop.ask('patch', `/api/orders/${cancelled.id}`, customer, { body: { status: 'CANCELLED' } }).expect(200);
    await offer(cancelled.id).expect(400, /"ORDER_NOT_SHIPPABLE"/);
  });

  it('is for staff, and taking an offer for agents', async () => {
    const order = await placed();
    const body = { orderId: order.id };
    for (const user of [customer, agent]) await shop.ask('post', ASSIGNMENTS, user, { body }).expect(403);
    const { id } = (await offer(order.id).expect(201)).body;
    for (const step of ['accept', 'reject', 'pickup', 'deliver', 'fail']) {
      for (const user of [customer, shop.manager]) await act(id, step, { body: {} }, user).expect(403, /"FORBIDDEN"/);
    }
  });

  it('ends with its time, and can then be made again', async () => {
    const order = await placed();
    const first = (await offer(order.id).expect(201)).body;
    await expire(first.id);
    expect(await seen(agent)).not.toContain(first.id);
    await act(first.id, 'accept').expect(409, /"ASSIGNMENT_EXPIRED"/);
    const second = (await offer(order.id, agent.id).expect(201)).body;
    const { status } = await shop.row('SELECT status FROM shipping_assignments WHERE id = $1', [first.id]);
    expect(status).toBe('EXPIRED');
    await act(first.id, 'accept').expect(409, /"ASSIGNMENT_TAKEN"/);
    await act(second.id, 'accept').expect(200);
  });

  it('is free again when the agent of a direct offer turns it down', async () => {
    const order = await placed();
    const { id } = (await offer(order.id, agent.id).expect(201)).body;
    await act(id, 'reject').expect(204);
    await act(id, 'reject').expect(400, /"ASSIGNMENT_INVALID_TRANSITION"/);
    await act(id, 'accept').expect(409, /"ASSIGNMENT_TAKEN"/);
    await offer(order.id).expect(201);
  });
});

describe('carrying', () => {
  it('takes cash at the door, pays the agent his fee and sets each time once', async () => {
    const before = await booksOf(agent);
    const order = await placed();
    const { id } = await shop.carried(agent, order.id);
    const picked = await shop.ask('get', `/api/orders/${order.id}`, customer);
    expect(picked.body).toMatchObject({ status: 'SHIPPING', payment: { status: 'PENDING' } });
    const { body } = await act(id, 'deliver', { body: rightly(order) }).expect(200);
    const time = expect.stringMatching(/^\d{4}-.*Z$/);
    expect(body).toMatchObject({
      status: 'DELIVERED',
      cashDue: USD(TOTAL),
      cashCollected: USD(TOTAL),
      offeredAt: time,
      acceptedAt: time,
      pickedUpAt: time,
      deliveredAt: time,
      failReason: null,
    });
    expect((await see(id)).body).toEqual(body);
    expect(difference(await booksOf(agent), before)).toEqual({
      cash: -TOTAL,
      earnings: AGENT_FEE,
      vault: 0,
      sales: PRICE,
      fees: DELIVERY_FEE - AGENT_FEE,
    });
    const delivered = await shop.ask('get', `/api/orders/${order.id}`, customer);
    expect(delivered.body).toMatchObject({ status: 'DELIVERED', version: 3, payment: { status: 'CAPTURED' } });
    const history = await shop.ask('get', `/api/orders/${order.id}/history`, customer);
    expect(history.body.items[2]).toMatchObject({ to: 'DELIVERED', actorId: agent.id, actorRole: 'AGENT' });
    const { proof } = await shop.row('SELECT proof FROM shipping_assignments WHERE id = $1', [id]);
    expect(proof).toEqual({ kind: 'CODE' });
    await act(id, 'deliver', { body: rightly(order) }).expect(400, /"ASSIGNMENT_INVALID_TRANSITION"/);
    await act(id, 'fail', { body: { reason: 'Too late' } }).expect(400, /"ASSIGNMENT_INVALID_TRANSITION"/);
  });

  it('takes no cash for an order that is paid', async () => {
    await shop.make.topUp(shop.store, customer, TOTAL);
    const before = await booksOf(agent);
    const order = await placed('WALLET');
    const { id } = await shop.carried(agent, order.id);
    const refused = await act(id, 'deliver', { body: rightly(order) }).expect(400);
    expect(refused.body).toMatchObject({ code: 'CASH_MISMATCH', details: [{ due: USD(0) }] });
    await act(id, 'deliver', { body: rightly(order, 0) }).expect(200);
    const books = difference(await booksOf(agent), before);
    expect(books).toEqual({ cash: 0, earnings: AGENT_FEE, vault: 0, sales: PRICE, fees: DELIVERY_FEE - AGENT_FEE });
  });

  it('changes nothing without the right code and the right cash', async () => {
    const order = await placed();
    const { id } = await shop.carried(agent, order.id);
    const before = await booksOf(agent);
    const wrong = order.deliveryCode === '000000' ? '111111' : '000000';
    const refusals: [object, string, object[] | undefined][] = [
      [{ ...rightly(order), proof: {} }, 'PROOF_REQUIRED', [{ proof: 'code' }]],
      [{ ...rightly(order), proof: { name: 'A neighbour' } }, 'PROOF_REQUIRED', [{ proof: 'code' }]],
      [{ ...rightly(order), proof: { code: wrong } }, 'PROOF_INVALID', undefined],
      [{ ...rightly(order), proof: { code: '12345' } }, 'VALIDATION_FAILED', expect.anything() as object[]],
      [{ ...rightly(order), proof: [{ code: '123456' }] }, 'VALIDATION_FAILED', expect.anything() as object[]],
      [{ proof: { code: order.deliveryCode } }, 'CASH_MISMATCH', [{ due: USD(TOTAL) }]],
      [{ ...rightly(order), cashCollected: USD(TOTAL - 1) }, 'CASH_MISMATCH', [{ due: USD(TOTAL) }]],
      [
        { ...rightly(order), cashCollected: USD(TOTAL + MOST_ABOVE + 1) },
        'CASH_MISMATCH',
        [{ due: USD(TOTAL), most: USD(TOTAL + MOST_ABOVE) }],
      ],
      [{ ...rightly(order), cashCollected: { amount: TOTAL, currency: 'EUR' } }, 'CURRENCY_MISMATCH', undefined],
    ];
    for (const [body, code, details] of refusals) {
      const answer = await act(id, 'deliver', { body }).expect(400);
      expect([code, answer.body]).toEqual([code, expect.objectContaining({ code, ...(details && { details }) })]);
    }
    expect(await booksOf(agent)).toEqual(before);
    expect((await see(id)).body).toMatchObject({ status: 'PICKED_UP', cashCollected: null, deliveredAt: null });
    await act(id, 'deliver', { body: rightly(order) }).expect(200);
  });

  it('lets nobody guess the code: ten tries, however many come at once', async () => {
    const order = await placed();
    const { id } = await shop.carried(agent, order.id);
    const wrong = order.deliveryCode === '000000' ? '111111' : '000000';
    const tries = await Promise.all(
      Array.from({ length: 40 }, () => act(id, 'deliver', { body: { ...rightly(order), proof: { code: wrong } } })),
    );
    const codes = tries.map(({ body }) => body.code as string);
    expect(codes.filter((code) => code === 'PROOF_INVALID').length).toBeLessThanOrEqual(10);
    expect(codes.filter((code) => code === 'PROOF_LOCKED').length).toBeGreaterThanOrEqual(30);
    await act(id, 'deliver', { body: rightly(order) }).expect(403, /"PROOF_LOCKED"/);
  });

  it('is taken back by staff from an agent who does not answer, and goes on with another', async () => {
    const order = await placed();
    const { id } = await shop.carried(agent, order.id);
    const cancel = (user: TestUser) => act(id, 'cancel', { body: { reason: 'No answer' } }, user);
    await cancel(agent).expect(403);
    expect((await cancel(shop.manager).expect(200)).body).toMatchObject({
      status: 'CANCELLED',
      failReason: 'No answer',
    });
    await cancel(shop.manager).expect(400, /"ASSIGNMENT_INVALID_TRANSITION"/);
    await act(id, 'deliver', { body: rightly(order) }).expect(400, /"ASSIGNMENT_INVALID_TRANSITION"/);
    const other = await shop.make.agent(shop.store);
    const second = await shop.carried(other, order.id);
    await act(second.id, 'deliver', { body: rightly(order) }, other).expect(200);
  });

  it('goes step by step, each by the agent who has it', async () => {
    const order = await placed();
    const { id } = await shop.carried(agent, order.id, 'OFFERED');
    await act(id, 'pickup').expect(404);
    await act(id, 'deliver', { body: rightly(order) }).expect(404);
    await act(id, 'accept').expect(200);
    const other = await shop.make.agent(shop.store);
    await see(id, other).expect(404);
    await act(id, 'pickup', {}, other).expect(404);
    await act(id, 'deliver', { body: rightly(order) }).expect(400, /"ASSIGNMENT_INVALID_TRANSITION"/);
    await act(id, 'pickup').expect(200);
    await act(id, 'pickup').expect(400, /"ASSIGNMENT_INVALID_TRANSITION"/);
    await act(id, 'reject').expect(400, /"ASSIGNMENT_INVALID_TRANSITION"/);
    await act(id, 'deliver', { body: rightly(order) }, other).expect(404);
    await act(id, 'deliver', { body: rightly(order) }).expect(200);
  });

  it('may fail, and goes on with another agent', async () => {
    const order = await placed();
    const { id } = await shop.carried(agent, order.id);
    const failed = await act(id, 'fail', { body: { reason: 'Nobody at home' } }).expect(200);
    expect(failed.body).toMatchObject({ status: 'FAILED', failReason: 'Nobody at home', deliveredAt: null });
    await act(id, 'deliver', { body: rightly(order) }).expect(400, /"ASSIGNMENT_INVALID_TRANSITION"/);
    const other = await shop.make.agent(shop.store);
    const second = await shop.carried(other, order.id);
    await act(second.id, 'deliver', { body: rightly(order) }, other).expect(200);
    expect(await walletOf('AGENT_CASH', agent.id)).toBe(0);
    expect(await walletOf('AGENT_CASH', other.id)).toBe(-TOTAL);
    const { steps } = await shop.row('SELECT count(*)::int AS steps FROM order_history WHERE order_id = $1', [
      order.id,
    ]);
    expect(steps).toBe(3);
  });
});
