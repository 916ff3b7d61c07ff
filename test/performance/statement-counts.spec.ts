import { Epochs } from '../../src/platform/cache/invalidation/epochs.js';
import { startApp, type TestApp } from '../support/app.js';
import { growCashScene } from '../support/cash-scene.js';
import { ADDRESS, Factory, freshKey } from '../support/factories.js';
import { growMoneyScene } from '../support/money-scene.js';
import { addressOf, type Route, routes } from '../support/routes.js';
import { idsFor, openScene, type Scene } from '../support/scene.js';
import { statementsOf } from '../support/statements.js';

const MANY = 50;
const MOST_STATEMENTS = 3;

let larder: TestApp;
let small: Scene;
let large: Scene;

beforeAll(async () => {
  larder = await startApp({ LOG_LEVEL: 'warn' });
  small = await openScene(larder, 'demo');
  large = await openScene(larder, 'large');
  await grow(large);
});

afterAll(() => larder.close());

const reads = routes.filter(({ method, path }) => method === 'GET' && path.startsWith('/api'));

describe.each(reads)('$name', (route) => {
  it.each(['everyone', 'customer', 'agent'] as const)(
    `takes as many statements for 50 rows as for one, to %s`,
    async (who) => {
      const counts: number[] = [];
      for (const scene of [small, large]) {
        await read(route, scene, who);
        counts.push(await statementsOf(() => read(route, scene, who)));
      }
      expect(counts[1]).toBe(counts[0]);
      expect(counts[1]).toBeLessThanOrEqual(MOST_STATEMENTS);
    },
  );

  if (!('limit' in route.query)) return;

  it('really has that many rows to show', async () => {
    const items = await read(route, large, 'everyone');
    expect(items?.length).toBeGreaterThanOrEqual(MANY);
  });
});

async function read(route: Route, scene: Scene, who: 'everyone' | 'customer' | 'agent'): Promise<object[] | undefined> {
  // What is counted is a read of the database, not of the cache.
  larder.app.get(Epochs).invalidateAll();
  const query = 'limit' in route.query ? '?limit=100' : '';
  const response = await larder.app.inject({
    url: addressOf(route, idsFor(route, scene)) + query,
    headers: { authorization: scene[who].bearer },
  });
  expect(response.statusCode).toBeLessThan(500);
  return response.json<{ items?: object[] }>().items;
}

/** Fifty and more of everything that a list shows or a detail is made of. */
async function grow(scene: Scene): Promise<void> {
  const { store, ids, customer, everyone, manager } = scene;
  const make = new Factory(larder.sql);
  const { sql } = larder;
  const many = `generate_series(1, ${MANY}) AS n`;
  await sql.query(
    `INSERT INTO categories (store_id, id, slug, name) SELECT $1, uuid_v7(), 'many-' || n, 'x' FROM ${many}`,
    [store.id],
  );
  await sql.query(
    `INSERT INTO coupons (store_id, id, code, kind, value) SELECT $1, uuid_v7(), 'MANY-' || n, 'FIXED', 1 FROM ${many}`,
    [store.id],
  );
  await sql.query(
    `INSERT INTO delivery_zones (store_id, id, name, zip_codes) SELECT $1, uuid_v7(), 'many-' || n, '{1}' FROM ${many}`,
    [store.id],
  );
  await sql.query(
    `INSERT INTO dead_jobs (store_id, id, name, payload, attempts, max_attempts, error, created_at, died_at)
     SELECT store_id, uuid_v7(), name, payload, attempts, max_attempts, error, created_at, died_at
       FROM dead_jobs CROSS JOIN ${many}
      WHERE store_id = $1`,
    [store.id],
  );
  await sql.query(
    `INSERT INTO variants (store_id, id, product_id, sku, price, currency)
     SELECT $1, uuid_v7(), $2, 'MANY-' || n, 100, 'USD' FROM ${many}`,
    [store.id, ids.product],
  );
  await sql.query(
    `INSERT INTO stock_levels (store_id, variant_id) SELECT store_id, id FROM variants WHERE sku LIKE 'MANY-%'`,
  );
  await sql.query(
    `INSERT INTO stock_movements (store_id, variant_id, delta, reason) SELECT $1, $2, CASE n % 2 WHEN 0 THEN 1 ELSE -1 END, 'CORRECTION' FROM ${many}`,
    [store.id, ids.variant],
  );
  const { rows } = await sql.query<{ id: string }>(`SELECT id FROM variants WHERE sku LIKE 'MANY-%'`);
  await sql.query(`UPDATE stock_levels SET on_hand = 1000 WHERE variant_id = ANY ($1)`, [rows.map(({ id }) => id)]);
  for (let i = 0; i < MANY; i++) {
    await make.variant(store, { onHand: 1 });
    await make.agent(store);
    for (const person of [customer, everyone]) await make.topUp(store, person, 100);
    const order = await ask(customer.bearer, '/api/orders', {
      lines: rows.map(({ id }) => ({ variantId: id, quantity: 1 })),
      paymentMethod: 'COD',
      deliveryAddress: ADDRESS,
    });
    if (i === 0) ids.order = order.id;
    await ask(manager.bearer, '/api/shipping/assignments', { orderId: order.id });
  }
  await sql.query(
    `INSERT INTO order_history (store_id, order_id, version, to_status, actor_role) SELECT $1, $2, n + 100, 'PREPARING', 'SYSTEM' FROM ${many}`,
    [store.id, ids.order],
  );
  await sql.query(
    `INSERT INTO shipping_assignments (store_id, id, order_id, agent_id, status, zip, currency, closed_at, promised_at)
     SELECT store_id, uuid_v7(), $2, id, 'FAILED', '10001', 'USD', now(), now() FROM delivery_agents WHERE store_id = $1`,
    [store.id, ids.order],
  );
  await growMoneyScene(larder, store, ids, scene, MANY);
  await growCashScene(larder, store, ids, MANY);
}

async function ask(authorization: string, url: string, payload: object): Promise<{ id: string }> {
  const headers = { authorization, 'idempotency-key': freshKey() };
  const response = await larder.app.inject({ method: 'POST', url, headers, payload });
  expect(response.statusCode).toBe(201);
  return response.json<{ id: string }>();
}
