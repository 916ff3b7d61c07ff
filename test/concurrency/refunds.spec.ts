import { setTimeout as sleep } from 'node:timers/promises';
import { Refunds, USD } from '../e2e/refunds.scene.js';
import { freshKey, type TestUser } from '../support/factories.js';
import { raceRounds } from '../support/race-rounds.js';
import { PATIENT, type Reply, Shop, tally } from '../support/shop.js';
import { verify } from '../support/verify.js';

const AT_ONCE = 100;
const ROUNDS = raceRounds(20);
const PIECES = 60;
const PRICE = 250;
const CAPTURED = PIECES * PRICE;

let shop: Shop;
let refunds: Refunds;
let customer: TestUser;

beforeAll(async () => {
  shop = await Shop.open({}, { ...PATIENT, LOG_LEVEL: 'warn' });
  refunds = new Refunds(shop);
  customer = await shop.make.user(shop.store);
  await shop.make.topUp(shop.store, customer, 100_000_000);
  await shop.larder.sql.query('UPDATE stores SET refund_approval_threshold = 1000000 WHERE id = $1', [shop.store.id]);
});
afterEach(() => verify(shop.larder.sql));
afterAll(() => shop.close());

const delivered = async () => {
  const tea = await shop.make.variant(shop.store, { price: PRICE, onHand: PIECES });
  const order = await refunds.delivered(customer, [{ variantId: tea, quantity: PIECES }]);
  return { id: order.id, tea };
};
const ask = (id: string, body: object): Promise<Reply> =>
  shop.call('post', `/api/orders/${id}/refunds`, shop.manager, {
    key: freshKey(),
    body: { reason: 'Race', destination: 'WALLET', ...body },
  });
const atOnce = (count: number, send: (index: number) => Promise<Reply>) =>
  Promise.all(Array.from({ length: count }, (_, index) => send(index)));

describe(`of ${AT_ONCE} refunds of one payment at once`, () => {
  it(`those pass that fit, by amount, in ${ROUNDS} rounds`, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const { id } = await delivered();
      const destination = round % 2 ? 'WALLET' : 'ORIGINAL';
      if (destination === 'ORIGINAL') await refunds.paidByCard(id);
      // Every round other amounts, so that now and then something is left that is too little for anybody.
      const amount = 151 + round * 7;
      const fit = Math.floor(CAPTURED / amount);
      const replies = await atOnce(AT_ONCE, () => ask(id, { amount: USD(amount), destination }));
      expect(tally(replies)).toEqual({ 201: fit, '409 REFUND_EXCEEDS_CAPTURE': AT_ONCE - fit });
      const settled = destination === 'WALLET' ? fit * amount : 0;
      const under = { captured: CAPTURED, refunded: settled, refunding: fit * amount - settled };
      expect(await refunds.payment(id)).toMatchObject(under);
    }
  });

  it(`those pass that have pieces left, by line, in ${ROUNDS} rounds`, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const { id, tea } = await delivered();
      const lines = [{ variantId: tea, quantity: 1, goods: round % 2 ? 'SCRAP' : 'RESTOCK' }];
      const replies = await atOnce(AT_ONCE, () => ask(id, { lines }));
      expect(tally(replies)).toEqual({ 201: PIECES, '409 REFUND_EXCEEDS_LINES': AT_ONCE - PIECES });
      expect(await refunds.payment(id)).toMatchObject({ status: 'REFUNDED', refunded: CAPTURED, refunding: 0 });
      expect(await refunds.booked(id)).toEqual({});
      expect((await refunds.stock(id, tea)).onHand).toBe(round % 2 ? 0 : PIECES);
    }
  });

  it('those pass that the constraint lets, even if nothing else looked', async () => {
    const { id } = await delivered();
    const raise = () =>
      shop.larder.sql.query('UPDATE payments SET refunding_amount = refunding_amount + 151 WHERE order_id = $1', [id]);
    const results = await Promise.allSettled(Array.from({ length: AT_ONCE }, raise));
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused).toHaveLength(AT_ONCE - Math.floor(CAPTURED / 151));
    for (const { reason } of refused) expect(String(reason)).toContain('payments_rules_check');
    await shop.larder.sql.query('UPDATE payments SET refunding_amount = 0 WHERE order_id = $1', [id]);
  });
});

it('a refund and the order coming back give back everything, once, in 60 rounds', async () => {
  const outcomes: Record<string, number> = {};
  for (let round = 0; round < 60; round += 1) {
    const { id, tea } = await delivered();
    const refund = () => ask(id, { lines: [{ variantId: tea, quantity: 7, goods: 'RESTOCK' }] });
    const comeBack = () => shop.call('patch', `/api/orders/${id}`, shop.manager, { body: { status: 'RETURNED' } });
    // The way back has a statement to go before it locks: half of the time it gets a start. Once each has all the time it takes.
    const before = round === 0 ? await refund() : undefined;
    const returning = comeBack();
    if (round % 2) await (round === 1 ? returning : sleep(Math.random() * 10));
    const [asked, returned] = await Promise.all([before ?? refund(), returning]);
    expect(returned.status).toBe(200);
    if (asked.status !== 201) expect(tally([asked])).toEqual({ '409 REFUND_EXCEEDS_LINES': 1 });
    outcomes[asked.status] = (outcomes[asked.status] ?? 0) + 1;
    expect(await refunds.payment(id)).toMatchObject({ status: 'REFUNDED', refunded: CAPTURED, refunding: 0 });
    expect(await refunds.booked(id)).toEqual({});
    expect((await refunds.stock(id, tea)).onHand).toBe(PIECES);
  }
  expect(Object.keys(outcomes).sort()).toEqual(['201', '409']);
});

it('a provider that answers three times, both yes and no, is heard once, in 60 rounds', async () => {
  const outcomes: Record<string, number> = { SUCCEEDED: 0, FAILED: 0 };
  for (let round = 0; round < 60; round += 1) {
    const { id, tea } = await delivered();
    await refunds.paidByCard(id);
    const lines = [{ variantId: tea, quantity: 7, goods: 'RESTOCK' }];
    const { body } = await ask(id, { lines, destination: 'ORIGINAL' });
    const answers =
      round % 2 ? (['failed', 'succeeded', 'failed'] as const) : (['succeeded', 'failed', 'succeeded'] as const);
    await Promise.all(answers.map((how) => refunds.answered(how, body.id)));
    const { status } = await shop.row<{ status: string }>('SELECT status FROM refunds WHERE id = $1', [body.id]);
    outcomes[status] = (outcomes[status] ?? 0) + 1;
    const refunded = status === 'SUCCEEDED' ? 7 * PRICE : 0;
    expect(await refunds.payment(id)).toMatchObject({ refunded, refunding: 0 });
    expect((await refunds.stock(id, tea)).onHand).toBe(status === 'SUCCEEDED' ? 7 : 0);
  }
  expect(outcomes.SUCCEEDED! > 0 && outcomes.FAILED! > 0).toBe(true);
});
