import type pg from 'pg';
import { newId } from '../common/ids.js';
import type { DemoProduct } from './demo-products.js';
import type { DemoStore, DemoUser } from './demo-stores.js';

const ADVISORY_LOCK = 7_135_202;

/** Held to the end of the transaction. */
export async function lockDemoData(client: pg.Client): Promise<void> {
  await client.query('SELECT pg_advisory_xact_lock($1)', [ADVISORY_LOCK]);
}

export async function storeExists(client: pg.Client, slug: string): Promise<boolean> {
  const { rowCount } = await client.query('SELECT 1 FROM stores WHERE slug = $1', [slug]);
  return rowCount === 1;
}

export async function insertStore(client: pg.Client, storeId: string, store: DemoStore): Promise<void> {
  await client.query(
    `INSERT INTO stores (id, slug, name, currency, timezone, service_zip_codes, delivery_fee, agent_fee, agent_float_limit)
     VALUES ($1, $2, $3, $4, 'America/New_York', $5, $6, $7, $8)`,
    [
      storeId,
      store.slug,
      store.name,
      store.currency,
      store.zipCodes,
      store.deliveryFee,
      store.agentFee,
      store.agentFloatLimit,
    ],
  );
  await client.query('SELECT open_store_wallets($1)', [storeId]);
}

export async function insertUsers(
  client: pg.Client,
  storeId: string,
  users: DemoUser[],
  passwordHash: string,
): Promise<void> {
  await client.query(
    `INSERT INTO users (store_id, id, email, name, password_hash, roles, address)
     SELECT $1, u.id, u.email, u.name, $2, ARRAY[u.role], u.address
       FROM jsonb_to_recordset($3) AS u (id uuid, email text, name text, role text, address jsonb)`,
    [storeId, passwordHash, JSON.stringify(users.map((user) => ({ id: newId(), ...user })))],
  );
  await client.query('SELECT open_user_wallets(store_id, id) FROM users WHERE store_id = $1', [storeId]);
}

export async function insertAgents(client: pg.Client, storeId: string, zipCodes: string[]): Promise<void> {
  await client.query(
    `INSERT INTO delivery_agents (store_id, id, name, status, service_zip_codes)
     SELECT store_id, id, name, 'ONLINE', $2
       FROM users
      WHERE store_id = $1 AND 'AGENT' = ANY (roles)`,
    [storeId, zipCodes],
  );
}

/** Money that the customers are taken to have paid in at the counter: out of the vault, as any other top-up. */
export async function topUpCustomers(client: pg.Client, storeId: string, amount: number): Promise<void> {
  await client.query(
    `SELECT ledger_post(
              u.store_id, 'TOP_UP', 'demo-' || u.id, NULL, 'Demo balance', s.currency,
              ARRAY[
                wallet_of(u.store_id, 'CUSTOMER', u.id, s.currency),
                wallet_of(u.store_id, 'CASH_VAULT', u.store_id, s.currency)
              ],
              ARRAY[$2::bigint, -$2::bigint]
            )
       FROM users u
       JOIN stores s ON s.id = u.store_id
      WHERE u.store_id = $1 AND 'CUSTOMER' = ANY (u.roles)`,
    [storeId, amount],
  );
}

export async function insertProducts(
  client: pg.Client,
  storeId: string,
  currency: string,
  products: DemoProduct[],
): Promise<void> {
  const categories = new Map([...new Set(products.map(({ category }) => category))].map((name) => [name, newId()]));
  await client.query(
    `INSERT INTO categories (store_id, id, slug, name)
     SELECT $1, c.id, c.slug, c.name
       FROM jsonb_to_recordset($2) AS c (id uuid, slug text, name text)`,
    [storeId, JSON.stringify([...categories].map(([name, id]) => ({ id, slug: slugOf(name), name })))],
  );
  const rows = products.map((product) => ({ ...product, id: newId(), categoryId: categories.get(product.category) }));
  await client.query(
    `INSERT INTO products (store_id, id, slug, name, description, category_id, published)
     SELECT $1, p.id, p.slug, p.name, p.description, p."categoryId", true
       FROM jsonb_to_recordset($2) AS p (id uuid, slug text, name text, description text, "categoryId" uuid)`,
    [storeId, JSON.stringify(rows)],
  );
  const variants = rows.flatMap((product) =>
    product.variants.map(({ size, name, price, stock }) => ({
      id: newId(),
      productId: product.id,
      sku: product.sku + size,
      name,
      price,
      stock,
    })),
  );
  await insertVariants(client, storeId, currency, variants);
}

async function insertVariants(client: pg.Client, storeId: string, currency: string, variants: object[]): Promise<void> {
  await client.query(
    `WITH variant AS (
       SELECT *
         FROM jsonb_to_recordset($3)
           AS v (id uuid, "productId" uuid, sku text, name text, price bigint, stock int)
     ), written AS (
       INSERT INTO variants (store_id, id, product_id, sku, name, price, currency)
       SELECT $1, id, "productId", sku, name, price, $2 FROM variant
     ), levels AS (
       INSERT INTO stock_levels (store_id, variant_id, on_hand)
       SELECT $1, id, stock FROM variant
     )
     INSERT INTO stock_movements (store_id, variant_id, delta, reason, note)
     SELECT $1, id, stock, 'RECEIPT', 'Opening stock' FROM variant`,
    [storeId, currency, JSON.stringify(variants)],
  );
}

/** Orders to be paid at the door, one each of the last `count` customers, for three products or so. */
export async function placeOrders(client: pg.Client, storeId: string, count: number): Promise<void> {
  const { rows } = await client.query<{ outcome: string }>(
    `WITH shelf AS (
       SELECT id, row_number() OVER (ORDER BY sku) AS place, count(*) OVER () AS places
         FROM variants
        WHERE store_id = $1
     ), buyer AS (
       SELECT id, address, row_number() OVER (ORDER BY length(email) DESC, email DESC) AS turn
         FROM users
        WHERE store_id = $1 AND 'CUSTOMER' = ANY (roles)
        ORDER BY turn
        LIMIT $2
     )
     SELECT placed.outcome
       FROM buyer
      CROSS JOIN LATERAL (
        SELECT array_agg(id) AS variants, array_agg(1 + (place % 3)::int) AS quantities
          FROM shelf
         WHERE (place + 7 * buyer.turn) % (places / 3) = 0
      ) basket
      CROSS JOIN LATERAL place_order(
        $1, uuid_v7(), buyer.id, NULL, NULL, NULL, 'COD', NULL, basket.variants, basket.quantities,
        buyer.address::json, NULL, NULL, NULL, lpad(floor(random() * 1000000)::text, 6, '0'), NULL,
        'demo', 'demo-order-' || buyer.id, 'demo'
      ) placed`,
    [storeId, count],
  );
  const refused = rows.find(({ outcome }) => outcome !== 'PLACED');
  if (refused) throw new Error(`A demo order was refused: ${refused.outcome}`);
}

function slugOf(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
}
