import type pg from 'pg';
import { newId } from '../../src/common/ids.js';

/** Rows of each table that is asked; enough for the planner to mean what it says. */
export const ROWS = 100_000;

export interface Volume {
  storeId: string;
  customerId: string;
  agentId: string;
  walletId: string;
  categoryId: string;
  zoneId: string;
  slotId: string;
}

/** `1` to ROWS, with an id that grows with it, as UUIDv7 do. */
const SERIES = `
  (SELECT n, ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid AS id FROM generate_series(1, ${ROWS}) AS n) AS s`;

/** One of so many users, agents or wallets, the same for the same number. */
const oneOf = (kind: string, count: number): string => `md5('${kind}' || n % ${count})::uuid`;

/**
 * Two shops that have been open for years, in bulk: triggers and foreign keys are off meanwhile, so the client has to be a
 * superuser's. Every second row is the other shop's.
 */
export async function fillInBulk(client: pg.Client): Promise<Volume> {
  const [storeId, otherId] = [newId(), newId()];
  const store = `(CASE n % 2 WHEN 0 THEN '${storeId}' ELSE '${otherId}' END)::uuid`;
  await client.query(`SET session_replication_role = replica`);
  await client.query(`
    INSERT INTO stores (id, slug, name, currency) VALUES ('${storeId}', 'ours', 'x', 'USD'), ('${otherId}', 'other', 'x', 'USD')`);
  await client.query(`
    INSERT INTO products (store_id, id, slug, name, description, category_id, published)
    SELECT ${store}, id, 'product-' || n, 'Thing ' || n, CASE WHEN n % 1000 = 0 THEN 'with saffron' ELSE 'of the house' END,
           ${oneOf('category', 400)}, n % 3 > 0
      FROM ${SERIES}`);
  await client.query(`
    INSERT INTO variants (store_id, id, product_id, sku, price, currency) SELECT ${store}, id, id, 'SKU-' || n, 100, 'USD' FROM ${SERIES}`);
  await client.query(`INSERT INTO stock_levels (store_id, variant_id, on_hand) SELECT ${store}, id, 10 FROM ${SERIES}`);
  await client.query(`
    INSERT INTO orders (
      store_id, id, number, customer_id, status, payment_method, currency, subtotal, total, delivery_address, delivery_zip,
      delivery_code, promised_at
    )
    SELECT ${store}, id, 'N' || n, ${oneOf('customer', 2000)}, CASE n % 100 WHEN 0 THEN 'CONFIRMED' ELSE 'DELIVERED' END,
           'COD', 'USD', 100, 100, '{}', '10001', '123456', now()
      FROM ${SERIES}`);
  await client.query(`
    INSERT INTO delivery_agents (store_id, id, name, status, service_zip_codes)
    SELECT ${store}, id, 'Agent ' || n, 'ONLINE', ARRAY[(10000 + n % 5000)::text, (20000 + n % 5000)::text] FROM ${SERIES}`);
  await client.query(`
    INSERT INTO shipping_assignments (
      store_id, id, order_id, agent_id, status, zip, currency, promised_at, created_at, accepted_at, delivered_at, closed_at
    )
    SELECT ${store}, id, id, ${oneOf('agent', 1000)}, CASE n % 50 WHEN 0 THEN 'FAILED' ELSE 'DELIVERED' END, '10001', 'USD',
           at + interval '2 hours', at, at, CASE n % 50 WHEN 0 THEN NULL ELSE at + (n % 150) * interval '1 minute' END,
           at + (n % 150) * interval '1 minute'
      FROM ${SERIES}, LATERAL (SELECT now() - (${ROWS} - n) * interval '10 minutes' AS at) AS t`);
  await client.query(`
    INSERT INTO wallets (store_id, id, kind, owner_id, currency, balance_kept)
    SELECT DISTINCT ${store}, ${oneOf('wallet', 2000)}, 'CUSTOMER', ${oneOf('customer', 2000)}, 'USD', true
      FROM ${SERIES} WHERE n <= 2000`);
  await client.query(
    `INSERT INTO ledger_transactions (store_id, id, type, reference) SELECT ${store}, id, 'TOP_UP', n::text FROM ${SERIES}`,
  );
  await client.query(`
    INSERT INTO ledger_entries (store_id, wallet_id, transaction_id, amount, currency, created_at)
    SELECT ${store}, ${oneOf('wallet', 2000)}, id, 1 + n % 100, 'USD', now() - (${ROWS} - n) * interval '10 minutes' FROM ${SERIES}`);
  await client.query(`
    INSERT INTO delivery_zones (store_id, id, name, zip_codes)
    SELECT ${store}, ${oneOf('zone', 2000)}, 'Zone ' || n, ARRAY[(10000 + n)::text, (20000 + n)::text] FROM ${SERIES} WHERE n <= 2000`);
  await client.query(`
    INSERT INTO delivery_slots (store_id, id, zone_id, starts_at, ends_at, cutoff_at, capacity)
    SELECT ${store}, id, ${oneOf('zone', 2000)}, at, at + interval '2 hours', at - interval '1 hour', 10
      FROM ${SERIES}, LATERAL (SELECT date_trunc('day', now()) + n / 2000 * interval '3 hours' AS at) AS t`);
  await client.query('SET session_replication_role = origin');
  await client.query('VACUUM ANALYZE');
  const { rows } = await client.query<Omit<Volume, 'storeId'>>(`
    SELECT md5('customer8')::uuid AS "customerId", md5('agent8')::uuid AS "agentId", md5('wallet8')::uuid AS "walletId",
           md5('category8')::uuid AS "categoryId", md5('zone8')::uuid AS "zoneId",
           (SELECT id FROM delivery_slots WHERE zone_id = md5('zone8')::uuid ORDER BY starts_at DESC LIMIT 1) AS "slotId"`);
  return { storeId, ...rows[0]! };
}
