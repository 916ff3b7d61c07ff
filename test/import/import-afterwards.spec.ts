import { FoldDays } from '../../src/modules/dashboard/fold-days.js';
import { startApp, type TestApp } from '../support/app.js';
import { until } from '../support/background.js';
import { freshKey, type TestUser } from '../support/factories.js';
import { settledInTheEnd } from '../support/settled.js';
import { verify } from '../support/verify.js';
import { csv, ImportScene } from './import.scene.js';

const DELIVERED = {
  status: 'DELIVERED',
  payment_method: 'CARD',
  placed_at: '2021-05-01T10:00:00Z',
  delivered_at: '2021-05-01T12:00:00Z',
  customer_email: 'ada@history.test',
  zip: '10001',
  sku: 'TEA',
  quantity: 2,
  unit_price: '5.00',
};

const columns = ['reference', ...Object.keys(DELIVERED)];

let scene: ImportScene;
let larder: TestApp;
let manager: TestUser;

beforeAll(async () => {
  scene = await ImportScene.open();
  manager = await scene.make.user(scene.store, 'MANAGER');
  const orders = ['kept', 'returned'].map((reference) => ({ reference, ...DELIVERED }));
  await scene.run({
    catalog: await scene.file('catalog.csv', 'sku,product,name,price,on_hand\nTEA,tea,Tea,5.00,10\n'),
    orders: await scene.file('orders.csv', csv(columns, orders)),
  });
  larder = await startApp({ DATABASE_URL: scene.database.url, LARDER_ROLE: 'all' });
  // Days are folded when a test says so.
  const postponed = `
    UPDATE job_schedules SET due_at = now() + interval '1 hour' WHERE name = 'dashboard.fold' AND running_by IS NULL
    RETURNING name`;
  await until(async () => (await scene.rows(postponed)).length === 1);
});
afterEach(() => verify(scene.sql));
afterAll(async () => {
  await larder?.close();
  await scene.close();
});

const idOf = async (reference: string): Promise<string> => {
  const [order] = await scene.rows<{ id: string }>('SELECT id FROM orders WHERE number = $1', [reference]);
  return order!.id;
};
const refund = (orderId: string, destination: string) =>
  larder.http
    .post(`/api/orders/${orderId}/refunds`)
    .set({ authorization: manager.bearer, 'idempotency-key': freshKey() })
    .send({ reason: 'Stale', destination, amount: { amount: 100, currency: 'USD' } });
const refundsOf = (orderId: string) =>
  scene.rows(
    `SELECT r.status, r.amount::int, op.failure_code
       FROM refunds r
       JOIN payments p ON p.id = r.payment_id AND p.order_id = $1
       LEFT JOIN payment_operations op ON op.refund_id = r.id
      ORDER BY r.id`,
    [orderId],
  );
const refundEnded = (orderId: string) =>
  until(async () => (await refundsOf(orderId)).every(({ status }) => status !== 'PROCESSING'));

const trends = async (): Promise<{ placed: number }> => {
  const asked = larder.http.get('/api/dashboard/order-trends?from=2021-05-01&to=2021-05-02');
  return ((await asked.set('authorization', manager.bearer).expect(200)).body as { total: { placed: number } }).total;
};
const importMore = async (reference: string, isStopped: () => boolean) => {
  const orders = await scene.file(`${reference}.csv`, csv(columns, [{ reference, ...DELIVERED }]));
  return (await scene.run({ orders }, { isStopped })).settled;
};

describe('a Larder that runs', () => {
  it('shows at once what was imported, though it had cached what was there before', async () => {
    expect((await trends()).placed).toBe(2);
    const settled = await importMore('third', () => false);
    expect(await settledInTheEnd(scene.database.url, scene.store.id, settled)).toMatchObject({ days: 1, done: true });
    await until(async () => (await trends()).placed === 3);
  });

  it('adds up the days that a stopped import has left', async () => {
    expect(await importMore('fourth', () => true)).toMatchObject({ days: 0, done: false });
    await until(async () => (await trends()).placed === 4);
    const unfolded = `SELECT FROM rollup_days WHERE timezone = ''`;
    expect(await scene.rows(unfolded)).toHaveLength(1);
    // Not while somebody else on the server, in whatever database, takes long to write.
    await until(async () => {
      await larder.app.get(FoldDays).foldAll();
      return (await scene.rows(unfolded)).length === 0;
    });
    expect((await trends()).placed).toBe(4);
  });
});

describe('an imported order that was paid by card', () => {
  it('has no card to give money back to: that is refused, and goes to the wallet instead', async () => {
    const id = await idOf('kept');
    await refund(id, 'ORIGINAL').expect(422, /"code":"REFUND_PAID_ELSEWHERE"/);
    expect(await refundsOf(id)).toEqual([]);
    await refund(id, 'WALLET').expect(201);
    expect(await refundsOf(id)).toEqual([{ status: 'SUCCEEDED', amount: 100, failure_code: null }]);
  });

  it('is returned to the shelf, and its money is left to staff', async () => {
    const id = await idOf('returned');
    const returned = larder.http.patch(`/api/orders/${id}`).set('authorization', manager.bearer);
    await returned.send({ status: 'RETURNED', reason: 'Stale' }).expect(200);
    await refundEnded(id);
    expect(await refundsOf(id)).toEqual([{ status: 'FAILED', amount: 1000, failure_code: 'PAID_ELSEWHERE' }]);
    await refund(id, 'WALLET').expect(201);
    const [stock] = await scene.rows<{ on_hand: number }>('SELECT on_hand FROM stock_levels');
    expect(Number(stock!.on_hand)).toBe(12);
  });
});
