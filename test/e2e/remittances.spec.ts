import type { OrderResponse } from '../../src/modules/orders/dto/order.dto.js';
import { freshKey, type TestUser } from '../support/factories.js';
import { type CallOptions, Shop } from '../support/shop.js';
import { verify } from '../support/verify.js';

const USD = (amount: number) => ({ amount, currency: 'USD' });
const PRICE = 1700;
const DELIVERY_FEE = 300;
const TOTAL = PRICE + DELIVERY_FEE;
const AGENT_FEE = 250;
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

describe('cash in hand', () => {
  const collect = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) {
      const order = await placed();
      const { id } = await shop.carried(agent, order.id);
      await act(id, 'deliver', { body: rightly(order) }).expect(200);
    }
  };
  const remit = (amount: object, key = freshKey(), user = shop.manager) =>
    shop.ask('post', `/api/shipping/agents/${agent.id}/remittances`, user, { body: { amount }, key });

  it('stops new offers at the float limit, until it is handed in', async () => {
    await collect(3);
    const order = await placed();
    await offer(order.id, agent.id).expect(403, /"FLOAT_LIMIT_REACHED"/);
    const { id } = (await offer(order.id).expect(201)).body;
    await act(id, 'accept').expect(403, /"FLOAT_LIMIT_REACHED"/);
    const before = await booksOf(agent);
    const { body } = await remit(USD(1)).expect(201);
    expect(body).toMatchObject({ agentId: agent.id, amount: USD(1), cashInHand: USD(3 * TOTAL - 1) });
    expect(difference(await booksOf(agent), before)).toEqual({ cash: 1, earnings: 0, vault: -1, sales: 0, fees: 0 });
    await act(id, 'accept').expect(200);
    const me = await shop.ask('get', '/api/shipping/agents/me', agent).expect(200);
    expect(me.body.cashInHand).toEqual(USD(3 * TOTAL - 1));
  });

  it('is never handed in beyond what there is, in another currency, or by the agent himself', async () => {
    await collect(1);
    const { body } = await remit(USD(TOTAL + 1)).expect(409);
    expect(body).toMatchObject({ code: 'REMITTANCE_EXCEEDS_CASH', details: [{ cashInHand: USD(TOTAL) }] });
    await remit({ amount: TOTAL, currency: 'EUR' }).expect(400, /"CURRENCY_MISMATCH"/);
    for (const amount of [0, -1, 1.5]) await remit(USD(amount)).expect(400, /"VALIDATION_FAILED"/);
    for (const user of [agent, customer]) await remit(USD(1), freshKey(), user).expect(403);
    await remit(USD(TOTAL)).expect(201);
    await remit(USD(1)).expect(409, /"REMITTANCE_EXCEEDS_CASH"/);
    expect(await walletOf('AGENT_CASH', agent.id)).toBe(0);
  });

  it('is handed in once for a key', async () => {
    await collect(1);
    const key = freshKey();
    const first = await remit(USD(500), key).expect(201);
    const again = await remit(USD(500), key).expect(201).expect('idempotency-replayed', 'true');
    expect(again.text).toBe(first.text);
    await remit(USD(600), key).expect(422, /"IDEMPOTENCY_KEY_REUSED"/);
    expect(await walletOf('AGENT_CASH', agent.id)).toBe(500 - TOTAL);
  });

  it('goes from the door to the vault, and the books add up to zero', async () => {
    await collect(2);
    await remit(USD(2 * TOTAL)).expect(201);
    const totals = await shop.row('SELECT sum(amount)::int AS sum FROM ledger_entries');
    expect(totals).toEqual({ sum: 0 });
  });
});
