import { ADDRESS, freshKey, type TestUser } from '../support/factories.js';
import { Background, until } from '../support/background.js';
import { verify } from '../support/verify.js';

let background: Background;
let manager: TestUser;
let customer: TestUser;
let ann: TestUser;
let bob: TestUser;
let tea: string;

beforeAll(async () => {
  background = await Background.open(() => undefined);
  const { make, store } = background;
  manager = await make.user(store, 'MANAGER');
  customer = await make.user(store);
  ann = await make.agent(store);
  bob = await make.agent(store);
  tea = await make.variant(store);
});
afterEach(() => verify(background.larder.sql));
afterAll(() => background.close());

const post = async (path: string, user: TestUser, body?: object): Promise<{ id: string }> => {
  const request = background.larder.http
    .post(path)
    .set('authorization', user.bearer)
    .set('idempotency-key', freshKey());
  const answer = await request.send(body);
  expect([path, answer.status < 300]).toEqual([path, true]);
  return answer.body as { id: string };
};
const offeredToAnn = async () => {
  const lines = [{ variantId: tea, quantity: 1 }];
  const order = await post('/api/orders', customer, { lines, paymentMethod: 'COD', deliveryAddress: ADDRESS });
  return { order, offer: await post('/api/shipping/assignments', manager, { orderId: order.id, agentId: ann.id }) };
};
const isOfferedToBob = (order: { id: string }) => async () =>
  (await background.count(`shipping_assignments WHERE order_id = $1 AND agent_id = $2 AND status = 'OFFERED'`, [
    order.id,
    bob.id,
  ])) === 1;

describe('with a worker', () => {
  it('an offer that ran out is offered to the next agent', async () => {
    const { order, offer } = await offeredToAnn();
    await background.larder.sql.query('UPDATE shipping_assignments SET offer_expires_at = now() WHERE id = $1', [
      offer.id,
    ]);
    await until(isOfferedToBob(order));
  });

  it('an offer that is turned down is offered to the next agent', async () => {
    const { order, offer } = await offeredToAnn();
    await post(`/api/shipping/assignments/${offer.id}/reject`, ann);
    await until(isOfferedToBob(order));
  });
});
