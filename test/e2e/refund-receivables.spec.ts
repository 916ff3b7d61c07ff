import { freshKey, type TestUser } from '../support/factories.js';
import { Shop } from '../support/shop.js';
import { verify } from '../support/verify.js';
import { Refunds, USD } from './refunds.scene.js';

const PRICE = 1000;
const TOTAL = 2 * PRICE + 300;
const COLLECTED = 1500;

let shop: Shop;
let refunds: Refunds;
let customer: TestUser;
let tea: string;

beforeAll(async () => {
  shop = await Shop.open({ deliveryFee: 300 });
  refunds = new Refunds(shop);
});
beforeEach(async () => {
  customer = await shop.make.user(shop.store);
  tea = await shop.make.variant(shop.store, { price: PRICE, onHand: 10 });
});
afterEach(() => verify(shop.larder.sql));
afterAll(() => shop.close());

/** Two teas at the door, paid in part. */
async function paidInPart() {
  const agent = await shop.make.agent(shop.store);
  const order = await shop.placed(customer, [{ variantId: tea, quantity: 2 }]);
  const { path } = await shop.carried(agent, order.id);
  const body = { proof: { code: order.deliveryCode }, cashCollected: USD(COLLECTED), shortReason: 'No more on him' };
  await shop.ask('post', `${path}/deliver`, agent, { body }).expect(200);
  await shop.larder.sql.query(`UPDATE delivery_agents SET status = 'OFFLINE' WHERE id = $1`, [agent.id]);
  return order;
}
const settle = (paymentId: string, amount: number) =>
  shop.ask('post', `/api/payments/${paymentId}/settlements`, shop.manager, {
    key: freshKey(),
    body: { amount: USD(amount) },
  });

it('of a parcel that is not paid in full no more goes back than was paid', async () => {
  const order = await paidInPart();
  await refunds.ask(order.id, { amount: USD(COLLECTED + 1) }).expect(409, /"code":"REFUND_EXCEEDS_CAPTURE"/);
  await refunds.ask(order.id, {}).expect(201, /"amount":1500/);
  expect(await refunds.payment(order.id)).toMatchObject({ status: 'REFUNDED', refunded: COLLECTED });
  await settle(order.payment.id, TOTAL - COLLECTED).expect(201);
  expect(await refunds.payment(order.id)).toMatchObject({ status: 'PARTIALLY_REFUNDED', captured: TOTAL });
  await refunds.ask(order.id, {}).expect(201, /"amount":800/);
  const { SALES, DELIVERY_FEES } = await refunds.booked(order.id);
  expect({ SALES, DELIVERY_FEES }).toEqual({});
});

it('what is owed for an order that comes back is owed no more', async () => {
  const order = await paidInPart();
  await refunds.ask(order.id, { amount: USD(200) }).expect(201);
  await refunds.step(order.id, 'RETURNED');
  expect(await refunds.payment(order.id)).toMatchObject({
    status: 'REFUNDED',
    captured: COLLECTED,
    refunded: COLLECTED,
  });
  // The agent has the cash, the customer has it in his wallet, nothing was sold and nobody owes anything for it.
  expect(await refunds.booked(order.id)).toEqual({ AGENT_CASH: -COLLECTED, CUSTOMER: COLLECTED });
  const cancelled = await shop.row(
    `SELECT e.amount::int AS amount
       FROM ledger_transactions t
       JOIN ledger_entries e ON e.transaction_id = t.id
       JOIN wallets w ON w.id = e.wallet_id AND w.kind = 'RECEIVABLES'
      WHERE t.type = 'RECEIVABLE_CANCELLED' AND t.reference = $1`,
    [order.id],
  );
  expect(cancelled).toEqual({ amount: TOTAL - COLLECTED });
  await settle(order.payment.id, 1).expect(409);
});
