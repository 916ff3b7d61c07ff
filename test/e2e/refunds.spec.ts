import { freshKey, type TestUser } from '../support/factories.js';
import { orderOf, Shop } from '../support/shop.js';
import { verify } from '../support/verify.js';
import { Refunds, USD } from './refunds.scene.js';

let shop: Shop;
let refunds: Refunds;
let customer: TestUser;
let support: TestUser;
let tea: string;

beforeAll(async () => {
  shop = await Shop.open({ deliveryFee: 300 });
  refunds = new Refunds(shop);
  support = await shop.make.user(shop.store, 'SUPPORT');
});
beforeEach(async () => {
  customer = await shop.make.user(shop.store);
  await shop.make.topUp(shop.store, customer, 1_000_000);
  tea = await shop.make.variant(shop.store, { price: 1000, onHand: 100 });
});
afterEach(() => verify(shop.larder.sql));
afterAll(() => shop.close());

const ordered = (quantity: number, method = 'WALLET') =>
  refunds.delivered(customer, [{ variantId: tea, quantity }], method);
const lines = (quantity: number, goods = 'RESTOCK', variantId = tea) => ({ lines: [{ variantId, quantity, goods }] });

describe('a refund by amount', () => {
  it('goes back to the wallet, and what is left can follow', async () => {
    const order = await ordered(2);
    const before = await refunds.walletOf(customer);
    const { body } = await refunds.ask(order.id, { amount: USD(500) }, support).expect(201);
    expect(body).toMatchObject({
      orderId: order.id,
      amount: USD(500),
      destination: 'WALLET',
      status: 'SUCCEEDED',
      lines: [],
      approvalId: null,
      requestedBy: support.id,
      finishedAt: expect.any(String),
    });
    expect(await refunds.walletOf(customer)).toBe(before + 500);
    expect(await refunds.payment(order.id)).toMatchObject({
      status: 'PARTIALLY_REFUNDED',
      refunded: 500,
      refunding: 0,
    });

    const rest = await refunds.ask(order.id, {}).expect(201);
    expect(rest.body.amount).toEqual(USD(1800));
    expect(await refunds.payment(order.id)).toMatchObject({ status: 'REFUNDED', refunded: 2300, refunding: 0 });
    expect(await refunds.booked(order.id)).toEqual({});
  });

  it('takes its share of everything that the sale was made of, and all of it in the end, to the cent', async () => {
    const order = await ordered(1);
    await refunds.ask(order.id, { amount: USD(1) }).expect(201);
    expect(await refunds.booked(order.id)).toEqual({ CUSTOMER: -1299, SALES: 999, DELIVERY_FEES: 300 });
    for (const amount of [333, 7, 959]) await refunds.ask(order.id, { amount: USD(amount) }).expect(201);
    expect(await refunds.booked(order.id)).toEqual({});
  });

  it('is never more than what is left, and says how much that is', async () => {
    const order = await ordered(1);
    await refunds.ask(order.id, { amount: USD(800) }).expect(201);
    const { body } = await refunds.ask(order.id, { amount: USD(501) }).expect(409);
    expect(body).toMatchObject({
      code: 'REFUND_EXCEEDS_CAPTURE',
      details: [{ code: 'REFUND_EXCEEDS_CAPTURE', requested: USD(501), left: USD(500) }],
    });
    expect(await refunds.payment(order.id)).toMatchObject({ refunded: 800, refunding: 0 });
  });

  it('has nothing to give back of what was not paid yet', async () => {
    const order = await shop.placed(customer, [{ variantId: tea, quantity: 1 }]);
    const { body } = await refunds.ask(order.id, { amount: USD(1) }).expect(409);
    expect(body).toMatchObject({ code: 'REFUND_EXCEEDS_CAPTURE', details: [{ left: USD(0) }] });
    await refunds.ask(order.id, {}).expect(409, /"code":"NOTHING_TO_REFUND"/);
  });

  it('is refused above the capture by the database too, whatever the code does', async () => {
    const order = await ordered(1);
    for (const column of ['refunding_amount', 'refunded_amount']) {
      const raise = shop.larder.sql.query(`UPDATE payments SET ${column} = 1301 WHERE order_id = $1`, [order.id]);
      await expect(raise).rejects.toThrow(/payments_rules_check/);
    }
  });
});

describe('a refund by line', () => {
  it('is for what was paid for the pieces, and puts them back on the shelf', async () => {
    const order = await ordered(3);
    const { body } = await refunds.ask(order.id, lines(2)).expect(201);
    expect(body).toMatchObject({
      amount: USD(2000),
      lines: [{ variantId: tea, quantity: 2, amount: USD(2000), tax: USD(0), goods: 'RESTOCK' }],
    });
    expect(await refunds.booked(order.id)).toEqual({ CUSTOMER: -1300, SALES: 1000, DELIVERY_FEES: 300 });
    expect(await refunds.stock(order.id, tea)).toEqual({
      moved: [
        ['SALE', -3],
        ['RETURN', 2],
      ],
      onHand: 99,
    });
    const { body: shown } = await shop.ask('get', `/api/orders/${order.id}`, customer).expect(200);
    expect(shown.lines[0].refundedQuantity).toBe(2);
  });

  it('throws away what is broken, and leaves with the customer what is not worth a way', async () => {
    const order = await ordered(3);
    await refunds.ask(order.id, lines(1, 'SCRAP')).expect(201);
    await refunds.ask(order.id, lines(1, 'KEEP')).expect(201);
    const moved = [
      ['SALE', -3],
      ['RETURN', 1],
      ['DAMAGE', -1],
    ];
    expect(await refunds.stock(order.id, tea)).toEqual({ moved, onHand: 97 });
  });

  it('has no more pieces than the order', async () => {
    const order = await ordered(3);
    await refunds.ask(order.id, lines(2)).expect(201);
    const { body } = await refunds.ask(order.id, lines(2)).expect(409);
    expect(body).toMatchObject({
      code: 'REFUND_EXCEEDS_LINES',
      details: [{ code: 'REFUND_EXCEEDS_LINES', variantId: tea, requested: 2, left: 1 }],
    });
    const other = await shop.make.variant(shop.store);
    await refunds.ask(order.id, lines(1, 'KEEP', other)).expect(409, /"left":0/);
    expect(await refunds.stock(order.id, tea)).toMatchObject({ onHand: 99 });
  });

  it('has no goods to take back before they have left', async () => {
    const order = await shop.placed(customer, [{ variantId: tea, quantity: 2 }], 'WALLET');
    await refunds.ask(order.id, lines(1)).expect(409, /"code":"REFUND_GOODS_NOT_SHIPPED"/);
    await refunds.ask(order.id, lines(1, 'SCRAP')).expect(409, /"code":"REFUND_GOODS_NOT_SHIPPED"/);
    await refunds.ask(order.id, lines(1, 'KEEP')).expect(201);
    await refunds.step(order.id, 'CANCELLED');
    expect(await refunds.payment(order.id)).toMatchObject({ status: 'REFUNDED', refunded: 2300 });
    expect(await shop.row('SELECT on_hand, reserved FROM stock_levels WHERE variant_id = $1', [tea])).toEqual({
      on_hand: 100,
      reserved: 0,
    });
  });

  it('of a variant on two lines takes the earlier line first', async () => {
    const order = await refunds.delivered(customer, [
      { variantId: tea, quantity: 2 },
      { variantId: tea, quantity: 2 },
    ]);
    const { body } = await refunds.ask(order.id, lines(3)).expect(201);
    expect(body.lines).toMatchObject([
      { lineNo: 1, quantity: 2 },
      { lineNo: 2, quantity: 1 },
    ]);
  });

  it('gives back neither discount nor less than the tax, and pieces add up to the line', async () => {
    await shop.larder.sql.query('UPDATE stores SET tax_rate_ppm = 88750, delivery_tax_ppm = 50000 WHERE id = $1', [
      shop.store.id,
    ]);
    await shop.larder.sql.query(
      `INSERT INTO coupons (store_id, id, code, kind, value) VALUES ($1, uuid_v7(), 'THIRD', 'PERCENTAGE', 333333)`,
      [shop.store.id],
    );
    const body = orderOf([{ variantId: tea, quantity: 3 }], { paymentMethod: 'WALLET', couponCode: 'THIRD' });
    const { body: order } = await shop.ask('post', '/api/orders', customer, { key: freshKey(), body }).expect(201);
    await shop.larder.sql.query('UPDATE stores SET tax_rate_ppm = 0, delivery_tax_ppm = 0 WHERE id = $1', [
      shop.store.id,
    ]);
    // 3 × 1000 - 1000 discount + 178 tax of the goods, 300 + 15 of the delivery
    expect(order).toMatchObject({ discount: USD(1000), tax: USD(193), total: USD(2493) });
    await refunds.step(order.id, 'SHIPPING');
    const given: [number, number][] = [];
    for (const goods of ['RESTOCK', 'SCRAP', 'KEEP']) {
      const { body } = await refunds.ask(order.id, lines(1, goods)).expect(201);
      given.push([body.amount.amount, body.lines[0].tax.amount]);
    }
    expect(given).toEqual([
      [726, 59],
      [726, 60],
      [726, 59],
    ]);
    expect(await refunds.booked(order.id)).toEqual({ CUSTOMER: -315, DELIVERY_FEES: 300, TAXES: 15 });
    await refunds.ask(order.id, {}).expect(201, /"amount":315/);
    expect(await refunds.booked(order.id)).toEqual({});
  });
});

describe('the way back', () => {
  it('of cash is the vault, or the wallet', async () => {
    const order = await ordered(2, 'COD');
    await refunds.ask(order.id, { amount: USD(1000), destination: 'ORIGINAL' }).expect(201);
    expect(await refunds.booked(order.id)).toMatchObject({ CASH_VAULT: -1300 });
    await refunds.ask(order.id, { amount: USD(300) }).expect(201);
    expect(await refunds.booked(order.id)).toMatchObject({ CASH_VAULT: -1300, CUSTOMER: 300 });
  });

  it('of a guest is never a wallet', async () => {
    const order = await ordered(1, 'COD');
    await shop.larder.sql.query(
      `UPDATE orders SET customer_id = NULL, guest_email = 'guest@larder.test' WHERE id = $1`,
      [order.id],
    );
    await refunds.ask(order.id, { amount: USD(300) }).expect(422, /"code":"REFUND_DESTINATION_NOT_ALLOWED"/);
    await refunds.ask(order.id, { amount: USD(300), destination: 'ORIGINAL' }).expect(201);
    await refunds.step(order.id, 'RETURNED');
    expect(await refunds.booked(order.id)).toEqual({});
    const { destination } = await shop.row(
      `SELECT r.destination FROM refunds r JOIN payments p ON p.id = r.payment_id
        WHERE p.order_id = $1 AND r.reason = 'order returned'`,
      [order.id],
    );
    expect(destination).toBe('ORIGINAL');
  });

  it('of a card is the provider, asked for once this is committed', async () => {
    const order = await ordered(2);
    await refunds.paidByCard(order.id);
    const { body } = await refunds.ask(order.id, { ...lines(1), destination: 'ORIGINAL' }).expect(201);
    expect(body).toMatchObject({ status: 'PROCESSING', finishedAt: null });
    expect(await refunds.payment(order.id)).toMatchObject({ status: 'CAPTURED', refunded: 0, refunding: 1000 });
    const operation = await shop.row('SELECT id, kind, amount, status FROM payment_operations WHERE refund_id = $1', [
      body.id,
    ]);
    expect(operation).toMatchObject({ kind: 'REFUND', amount: '1000', status: 'PENDING' });
    const job = await shop.row('SELECT payload FROM graphile_worker._private_jobs j WHERE j.key LIKE $1', [
      `%${String(operation.id)}`,
    ]);
    expect(job.payload).toMatchObject({ data: { operationId: operation.id } });
    // The goods wait for the money.
    expect(await refunds.stock(order.id, tea)).toMatchObject({ onHand: 98 });

    await refunds.answered('succeeded', body.id);
    await refunds.answered('succeeded', body.id);
    expect(await refunds.payment(order.id)).toMatchObject({
      status: 'PARTIALLY_REFUNDED',
      refunded: 1000,
      refunding: 0,
    });
    expect(await refunds.booked(order.id)).toMatchObject({ PSP_CLEARING: 1000 });
    expect(await refunds.stock(order.id, tea)).toMatchObject({ onHand: 99 });
  });

  it('that a provider refuses gives money and pieces free again', async () => {
    const order = await ordered(1);
    await refunds.paidByCard(order.id);
    const { body } = await refunds.ask(order.id, { ...lines(1), destination: 'ORIGINAL' }).expect(201);
    await refunds.ask(order.id, { ...lines(1), destination: 'WALLET' }).expect(409, /"code":"REFUND_EXCEEDS_LINES"/);
    await refunds.answered('failed', body.id);
    await refunds.answered('failed', body.id);
    expect(await refunds.payment(order.id)).toMatchObject({ status: 'CAPTURED', refunded: 0, refunding: 0 });
    const { body: told } = await shop.ask('get', `/api/refunds/${body.id}`, customer).expect(200);
    expect(told).toMatchObject({ status: 'FAILED', finishedAt: expect.any(String) });
    await refunds.ask(order.id, { ...lines(1), destination: 'WALLET' }).expect(201);
    expect(await refunds.stock(order.id, tea)).toMatchObject({ onHand: 100 });
  });
});

describe('an order that comes back', () => {
  it('brings back the money and the goods that refunds have left', async () => {
    const order = await ordered(5);
    await refunds.ask(order.id, lines(1)).expect(201);
    await refunds.ask(order.id, lines(1, 'SCRAP')).expect(201);
    await refunds.ask(order.id, lines(1, 'KEEP')).expect(201);
    await refunds.ask(order.id, { amount: USD(100) }).expect(201);
    await refunds.step(order.id, 'RETURNED');
    expect(await refunds.payment(order.id)).toMatchObject({ status: 'REFUNDED', refunded: 5300 });
    expect(await refunds.booked(order.id)).toEqual({});
    expect((await refunds.stock(order.id, tea)).onHand).toBe(98);
    await refunds.ask(order.id, lines(1)).expect(409, /"code":"REFUND_EXCEEDS_LINES"/);
  });

  it('waits for what is on its way to the card, and for nothing else', async () => {
    const order = await ordered(2);
    await refunds.paidByCard(order.id);
    const { body } = await refunds.ask(order.id, { ...lines(1), destination: 'ORIGINAL' }).expect(201);
    await refunds.step(order.id, 'RETURNED');
    expect(await refunds.payment(order.id)).toMatchObject({ status: 'CAPTURED', refunding: 2300 });
    expect((await refunds.stock(order.id, tea)).onHand).toBe(99);
    const { rows } = await shop.larder.sql.query(
      `SELECT r.id FROM refunds r JOIN payments p ON p.id = r.payment_id WHERE p.order_id = $1 ORDER BY r.id`,
      [order.id],
    );
    // The piece came back with the order, though its own refund failed.
    await refunds.answered('failed', body.id);
    expect((await refunds.stock(order.id, tea)).onHand).toBe(100);
    await refunds.answered('succeeded', rows[1].id);
    expect(await refunds.payment(order.id)).toMatchObject({ status: 'PARTIALLY_REFUNDED', refunded: 1300 });
    // It is up to staff now.
    await refunds.ask(order.id, {}).expect(201, /"amount":1000/);
    expect(await refunds.payment(order.id)).toMatchObject({ status: 'REFUNDED' });
  });
});
