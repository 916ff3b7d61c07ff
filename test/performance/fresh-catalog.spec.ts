import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { ADDRESS, Factory, freshKey } from '../support/factories.js';

const PRODUCTS = 3000;
const LINES = 500;
/** Look-ups by primary key, stock and a new row: 26 pages. Reading the catalog anew for each line: 8,900. */
const PAGES_PER_LINE = 60;

let database: TestDatabase;
let sql: pg.Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  sql = new pg.Pool({ connectionString: database.url, max: 1 });
});

afterAll(async () => {
  await sql.end();
  await database.drop();
});

it('reads each line of an order by key, in a catalog that was loaded a moment ago and has no statistics', async () => {
  const factory = new Factory(sql);
  const store = await factory.store();
  const customer = await factory.user(store);
  for (const table of ['products', 'variants', 'stock_levels']) {
    await sql.query(`ALTER TABLE ${table} SET (autovacuum_enabled = false)`);
  }
  await sql.query(
    `WITH product AS (
       INSERT INTO products (store_id, id, slug, name, published)
       SELECT $1, gen_random_uuid(), 'product-' || n, 'Product', true FROM generate_series(1, ${PRODUCTS}) n
       RETURNING store_id, id, slug
     ), variant AS (
       INSERT INTO variants (store_id, id, product_id, sku, price, currency)
       SELECT store_id, gen_random_uuid(), id, slug, 500, 'USD' FROM product
       RETURNING store_id, id
     )
     INSERT INTO stock_levels (store_id, variant_id, on_hand) SELECT store_id, id, 10 FROM variant`,
    [store.id],
  );

  const { rows } = await sql.query<{ 'QUERY PLAN': [{ Plan: Record<string, number> }] }>(
    `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)
     SELECT place_order(
              $1, gen_random_uuid(), $2, NULL, NULL, NULL, 'COD', NULL,
              (SELECT array_agg(id) FROM (SELECT id FROM variants LIMIT ${LINES}) v), array_fill(1, ARRAY[${LINES}]), $3,
              NULL, NULL, NULL, '123456', NULL, 'POST /api/orders', $4, 'fingerprint'
            )`,
    [store.id, customer.id, JSON.stringify(ADDRESS), freshKey()],
  );
  const plan = rows[0]?.['QUERY PLAN'][0].Plan ?? {};
  const placed = await sql.query('SELECT 1 FROM order_lines');
  expect(placed.rowCount).toBe(LINES);
  expect((plan['Shared Hit Blocks'] ?? Infinity) / LINES).toBeLessThan(PAGES_PER_LINE);
});
