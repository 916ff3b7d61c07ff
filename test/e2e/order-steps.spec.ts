import { type TestUser, tokenFor } from '../support/factories.js';
import { Shop } from '../support/shop.js';
import { verify } from '../support/verify.js';

const USD = (amount: number) => ({ amount, currency: 'USD' });

let shop: Shop;
let customer: TestUser;

beforeAll(async () => {
  shop = await Shop.open({ deliveryFee: 300 });
});
beforeEach(async () => {
  customer = await shop.make.user(shop.store);
});
afterEach(() => verify(shop.larder.sql));
afterAll(() => shop.close());

const change = (orderId: string, body: object, user = shop.manager) =>
  shop.ask('patch', `/api/orders/${orderId}`, user, { body });
const read = (orderId: string, user = shop.manager) => shop.ask('get', `/api/orders/${orderId}`, user);
const stockOf = (variantId: string) =>
  shop.row('SELECT on_hand, reserved FROM stock_levels WHERE variant_id = $1', [variantId]);
const balanceOf = async (user: TestUser): Promise<number> => {
  const { balance } = await shop.row(`SELECT balance FROM wallets WHERE kind = 'CUSTOMER' AND owner_id = $1`, [
    user.id,
  ]);
  return Number(balance);
};
/** Entries of the store's own wallets, as sums by kind; zero once everything is undone. */
const soldFor = async (orderId: string): Promise<Record<string, number>> => {
  const { rows } = await shop.larder.sql.query<{ kind: string; amount: string }>(
    `SELECT w.kind, sum(e.amount) AS amount
       FROM ledger_transactions t
       JOIN ledger_entries e ON e.store_id = t.store_id AND e.transaction_id = t.id
       JOIN wallets w ON w.store_id = e.store_id AND w.id = e.wallet_id
      WHERE t.reference = $1
         OR t.reference IN (SELECT r.id::text FROM refunds r JOIN payments p ON p.id = r.payment_id WHERE p.order_id = $1::uuid)
      GROUP BY w.kind`,
    [orderId],
  );
  return Object.fromEntries(rows.map(({ kind, amount }) => [kind, Number(amount)]));
};

describe('cancelling', () => {
  it('frees the stock and voids the cash', async () => {
    const tea = await shop.make.variant(shop.store, { onHand: 5 });
    const order = await shop.placed(customer, [{ variantId: tea, quantity: 5 }]);
    const { body } = await change(order.id, { status: 'CANCELLED' }, customer).expect(200);
    expect(body).toMatchObject({ status: 'CANCELLED', version: 2, payment: { status: 'VOIDED' } });
    expect(await stockOf(tea)).toEqual({ on_hand: 5, reserved: 0 });
    expect(await soldFor(order.id)).toEqual({});
  });

  it('puts the money back into the wallet, once', async () => {
    const tea = await shop.make.variant(shop.store, { price: 700 });
    await shop.make.topUp(shop.store, customer, 1000);
    const order = await shop.placed(customer, [{ variantId: tea, quantity: 1 }], 'WALLET');
    const { body } = await change(order.id, { status: 'CANCELLED', reason: 'Changed my mind' }, customer).expect(200);
    expect(body.payment).toMatchObject({ status: 'REFUNDED', captured: USD(1000), refunded: USD(1000) });
    await change(order.id, { status: 'CANCELLED' }, customer).expect(400, /"code":"ORDER_INVALID_TRANSITION"/);
    expect(await balanceOf(customer)).toBe(1000);
    expect(await soldFor(order.id)).toEqual({ CUSTOMER: 0, SALES: 0, DELIVERY_FEES: 0 });
    const refund = await shop.row('SELECT amount, destination, status, reason FROM refunds WHERE payment_id = $1', [
      order.payment.id,
    ]);
    expect(refund).toEqual({ amount: '1000', destination: 'ORIGINAL', status: 'SUCCEEDED', reason: 'Changed my mind' });
  });

  it.each(['OFFERED', 'ACCEPTED'] as const)('takes an assignment that is %s with it', async (status) => {
    const tea = await shop.make.variant(shop.store);
    const agent = await shop.make.agent(shop.store);
    const order = await shop.placed(customer, [{ variantId: tea, quantity: 1 }]);
    const { id, path } = await shop.carried(agent, order.id, status);
    await change(order.id, { status: 'CANCELLED' }, customer).expect(200);
    const assignment = await shop.row('SELECT status, closed_at FROM shipping_assignments WHERE id = $1', [id]);
    expect(assignment).toEqual({ status: 'CANCELLED', closed_at: expect.any(Date) });
    await shop.ask('post', `${path}/accept`, agent).expect(409, /"code":"ASSIGNMENT_TAKEN"/);
    await shop.ask('post', `${path}/pickup`, agent).expect(status === 'OFFERED' ? 404 : 400);
    const again = { body: { orderId: order.id } };
    await shop
      .ask('post', '/api/shipping/assignments', shop.manager, again)
      .expect(400, /"code":"ORDER_NOT_SHIPPABLE"/);
  });

  it('comes too late once the order is on its way', async () => {
    const tea = await shop.make.variant(shop.store);
    const order = await shop.placed(customer, [{ variantId: tea, quantity: 1 }]);
    await change(order.id, { status: 'SHIPPING' }).expect(200);
    const { body } = await change(order.id, { status: 'CANCELLED' }, customer).expect(400);
    expect(body).toMatchObject({ error: 'Business Rule Violation', code: 'ORDER_CANNOT_CANCEL_AFTER_SHIPPING' });
  });
});

describe('moving an order on', () => {
  it('goes from the shelf to the door by staff, who put the cash into the vault', async () => {
    const tea = await shop.make.variant(shop.store, { price: 700, onHand: 9 });
    const order = await shop.placed(customer, [{ variantId: tea, quantity: 2 }]);
    const support = await shop.make.user(shop.store, 'SUPPORT');
    await change(order.id, { status: 'PREPARING' }, support).expect(200);
    expect(await stockOf(tea)).toEqual({ on_hand: 9, reserved: 2 });
    await change(order.id, { status: 'SHIPPING' }, support).expect(200);
    expect(await stockOf(tea)).toEqual({ on_hand: 7, reserved: 0 });
    const { body } = await change(order.id, { status: 'DELIVERED' }, support).expect(200);
    expect(body).toMatchObject({
      status: 'DELIVERED',
      version: 4,
      payment: { status: 'CAPTURED', captured: USD(1700) },
    });
    expect(await soldFor(order.id)).toEqual({ CASH_VAULT: -1700, SALES: 1400, DELIVERY_FEES: 300 });
  });

  it('refuses customers everything but cancelling, agents everything, and names the steps there are', async () => {
    const tea = await shop.make.variant(shop.store);
    const order = await shop.placed(customer, [{ variantId: tea, quantity: 1 }]);
    for (const status of ['PREPARING', 'SHIPPING']) {
      await change(order.id, { status }, customer).expect(403, /"code":"FORBIDDEN"/);
    }
    await change(order.id, { status: 'SHIPPING' }, await shop.make.agent(shop.store)).expect(403);
    for (const status of ['PENDING', 'CONFIRMED', 'DELIVERED', 'RETURNED', 'EXPIRED']) {
      const { body } = await change(order.id, { status }).expect(400);
      expect(body).toMatchObject({
        error: 'Business Rule Violation',
        code: 'ORDER_INVALID_TRANSITION',
        details: [{ from: 'CONFIRMED', to: status, allowed: ['PREPARING', 'SHIPPING', 'CANCELLED'] }],
      });
    }
    await change(order.id, { status: 'LOST' }).expect(400, /"code":"VALIDATION_FAILED"/);
  });

  it('waits for the agent who carries it', async () => {
    const tea = await shop.make.variant(shop.store);
    const agent = await shop.make.agent(shop.store);
    const order = await shop.placed(customer, [{ variantId: tea, quantity: 1 }]);
    await shop.carried(agent, order.id);
    const { body } = await change(order.id, { status: 'DELIVERED' }).expect(409);
    expect(body.code).toBe('ORDER_HAS_ACTIVE_ASSIGNMENT');
    expect((await read(order.id)).body).toMatchObject({ status: 'SHIPPING', payment: { status: 'PENDING' } });
  });

  it('takes an offer back that nobody took when the customer fetched the parcel himself', async () => {
    const tea = await shop.make.variant(shop.store);
    const order = await shop.placed(customer, [{ variantId: tea, quantity: 1 }]);
    await shop.carried(await shop.make.agent(shop.store), order.id, 'OFFERED');
    await change(order.id, { status: 'SHIPPING' }).expect(200);
    await change(order.id, { status: 'DELIVERED' }).expect(200);
    const { status } = await shop.row('SELECT status FROM shipping_assignments WHERE order_id = $1', [order.id]);
    expect(status).toBe('CANCELLED');
  });

  it('lets no customer who is an agent too say that his order was delivered and paid', async () => {
    const tea = await shop.make.variant(shop.store);
    const user = await shop.make.user(shop.store);
    const both = { ...user, bearer: `Bearer ${await tokenFor(shop.store, user.id, ['CUSTOMER', 'AGENT'])}` };
    const order = await shop.placed(both, [{ variantId: tea, quantity: 1 }]);
    await change(order.id, { status: 'SHIPPING' }, both).expect(403, /"code":"FORBIDDEN"/);
    await change(order.id, { status: 'CANCELLED' }, both).expect(200);
  });

  it('refuses a version that is not the present one', async () => {
    const tea = await shop.make.variant(shop.store);
    const order = await shop.placed(customer, [{ variantId: tea, quantity: 1 }]);
    await change(order.id, { status: 'PREPARING', version: 1 }).expect(200);
    const { body } = await change(order.id, { status: 'SHIPPING', version: 1 }).expect(409);
    expect(body).toMatchObject({
      code: 'ORDER_STATUS_CONFLICT',
      message: 'Order status was updated by another request. Please refresh and try again',
    });
    await change(order.id, { status: 'SHIPPING', version: 2 }).expect(200);
  });
});

describe('returning', () => {
  it('takes the goods back and pays cash back into the wallet', async () => {
    const tea = await shop.make.variant(shop.store, { price: 700, onHand: 9 });
    const order = await shop.placed(customer, [{ variantId: tea, quantity: 2 }]);
    for (const status of ['SHIPPING', 'DELIVERED']) await change(order.id, { status }).expect(200);
    const { body } = await change(order.id, { status: 'RETURNED', reason: 'Leaking' }).expect(200);
    expect(body).toMatchObject({ status: 'RETURNED', payment: { status: 'REFUNDED', refunded: USD(1700) } });
    expect(await stockOf(tea)).toEqual({ on_hand: 9, reserved: 0 });
    expect(await balanceOf(customer)).toBe(1700);
    expect(await soldFor(order.id)).toEqual({ CASH_VAULT: -1700, CUSTOMER: 1700, SALES: 0, DELIVERY_FEES: 0 });
    const movements = await shop.larder.sql.query(
      'SELECT delta, reason FROM stock_movements WHERE order_id = $1 ORDER BY id',
      [order.id],
    );
    expect(movements.rows).toEqual([
      { delta: -2, reason: 'SALE' },
      { delta: 2, reason: 'RETURN' },
    ]);
  });

  it('from the way voids cash that was never paid, and ends the assignment', async () => {
    const tea = await shop.make.variant(shop.store, { onHand: 9 });
    const agent = await shop.make.agent(shop.store);
    const order = await shop.placed(customer, [{ variantId: tea, quantity: 2 }]);
    const { id } = await shop.carried(agent, order.id);
    const { body } = await change(order.id, { status: 'RETURNED', reason: 'Nobody at home' }).expect(200);
    expect(body).toMatchObject({ status: 'RETURNED', payment: { status: 'VOIDED', captured: USD(0) } });
    expect(await stockOf(tea)).toEqual({ on_hand: 9, reserved: 0 });
    const { status } = await shop.row('SELECT status FROM shipping_assignments WHERE id = $1', [id]);
    expect(status).toBe('CANCELLED');
  });

  it('pays a wallet order back to its wallet, and is for staff', async () => {
    const tea = await shop.make.variant(shop.store, { price: 700 });
    await shop.make.topUp(shop.store, customer, 1000);
    const order = await shop.placed(customer, [{ variantId: tea, quantity: 1 }], 'WALLET');
    for (const status of ['SHIPPING', 'DELIVERED']) await change(order.id, { status }).expect(200);
    await change(order.id, { status: 'RETURNED' }, customer).expect(403);
    await change(order.id, { status: 'RETURNED' }).expect(200);
    expect(await balanceOf(customer)).toBe(1000);
    expect(await soldFor(order.id)).toEqual({ CUSTOMER: 0, SALES: 0, DELIVERY_FEES: 0 });
  });
});
