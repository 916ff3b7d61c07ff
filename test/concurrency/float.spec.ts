import type { TestUser } from '../support/factories.js';
import { PATIENT, Shop, tally } from '../support/shop.js';
import { verify } from '../support/verify.js';

const PRICE = 1000;
const FLOAT_LIMIT = 3 * PRICE;
const ROUNDS = 30;
const OFFERS = 10;

let shop: Shop;
let customer: TestUser;
let tea: string;

beforeAll(async () => {
  shop = await Shop.open({ floatLimit: FLOAT_LIMIT }, PATIENT);
  customer = await shop.make.user(shop.store);
  tea = await shop.make.variant(shop.store, { price: PRICE, onHand: 100_000 });
});
afterEach(async () => {
  await verify(shop.larder.sql);
  await shop.larder.sql.query(`UPDATE delivery_agents SET status = 'OFFLINE'`);
});
afterAll(() => shop.close());

const offers = (agent: TestUser, count: number) =>
  Promise.all(
    Array.from({ length: count }, async () => {
      const order = await shop.placed(customer, [{ variantId: tea, quantity: 1 }]);
      return { order, ...(await shop.carried(agent, order.id, 'OFFERED')) };
    }),
  );
const accept = (path: string, agent: TestUser) => shop.call('post', `${path}/accept`, agent);
const exposure = async (agent: TestUser): Promise<number> => {
  const row = await shop.row<{ exposure: number }>(`SELECT agent_exposure($1, $2, 'USD')::int AS exposure`, [
    shop.store.id,
    agent.id,
  ]);
  return row.exposure;
};

describe(`an agent who taps on ${OFFERS} offers at once, with room for three`, () => {
  it(`gets exactly three in each of ${ROUNDS} rounds: no acceptance slips past another`, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const agent = await shop.make.agent(shop.store);
      const open = await offers(agent, OFFERS);
      const replies = await Promise.all(open.map(({ path }) => accept(path, agent)));
      expect(tally(replies)).toEqual({ 200: 3, '403 FLOAT_LIMIT_REACHED': OFFERS - 3 });
      expect(await exposure(agent)).toBe(FLOAT_LIMIT);
    }
  });

  it('gets no more while he delivers and hands in: cash that changes sides is never counted on neither', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const agent = await shop.make.agent(shop.store);
      const order = await shop.placed(customer, [{ variantId: tea, quantity: 1 }]);
      const carried = await shop.carried(agent, order.id);
      const open = await offers(agent, 4);
      const body = { proof: { code: order.deliveryCode }, cashCollected: { amount: PRICE, currency: 'USD' } };
      const [delivered, ...replies] = await Promise.all([
        shop.call('post', `${carried.path}/deliver`, agent, { body }),
        ...open.map(({ path }) => accept(path, agent)),
      ]);
      expect(delivered.status).toBe(200);
      expect(tally(replies)).toEqual({ 200: 2, '403 FLOAT_LIMIT_REACHED': 2 });
      expect(await exposure(agent)).toBe(FLOAT_LIMIT);
    }
  });
});
