import pg from 'pg';
import { newId } from '../common/ids.js';
import { hashPassword } from '../modules/auth/passwords.js';
import { insertCoupons, insertSlots } from './demo-bookables.queries.js';
import {
  insertAgents,
  insertProducts,
  insertStore,
  insertUsers,
  lockDemoData,
  placeOrders,
  storeExists,
  topUpCustomers,
} from './demo-data.queries.js';
import { DEMO_PASSWORD, type DemoStore, demoStores } from './demo-stores.js';

const DAYS_OF_SLOTS = 14;

/**
 * Creates the demo stores that are missing (DESIGN 7), each in one transaction: a start that is killed leaves a store whole or
 * not there at all, and of two starts at once the second finds it done. Never called in production.
 * @returns the slugs of the stores that were created
 */
export async function createDemoData(connectionString: string): Promise<string[]> {
  const client = new pg.Client({ connectionString, application_name: 'larder-demo-data' });
  await client.connect();
  try {
    const created: string[] = [];
    for (const store of demoStores()) {
      if (await createStore(client, store)) created.push(store.slug);
    }
    // Autovacuum gets here after a minute. Until then a table without statistics is planned for as if nearly all of its rows
    // were archived, and what is loaded into the store first is read that way.
    if (created.length > 0) await client.query('ANALYZE');
    return created;
  } finally {
    await client.end();
  }
}

async function createStore(client: pg.Client, store: DemoStore): Promise<boolean> {
  if (await storeExists(client, store.slug)) return false;
  // Hashing is what takes longest: once for all, and before the lock.
  const passwordHash = await hashPassword(DEMO_PASSWORD);
  await client.query('BEGIN');
  try {
    await lockDemoData(client);
    const missing = !(await storeExists(client, store.slug));
    if (missing) await fillStore(client, newId(), store, passwordHash);
    await client.query('COMMIT');
    return missing;
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

async function fillStore(client: pg.Client, storeId: string, store: DemoStore, passwordHash: string): Promise<void> {
  await insertStore(client, storeId, store);
  await insertUsers(client, storeId, store.users, passwordHash);
  await insertAgents(client, storeId, store.zipCodes);
  await topUpCustomers(client, storeId, store.walletBalance);
  await insertProducts(client, storeId, store.currency, store.products);
  await insertSlots(client, storeId, DAYS_OF_SLOTS);
  await insertCoupons(client, storeId);
  await placeOrders(client, storeId, store.orders);
}
