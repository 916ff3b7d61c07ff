import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { isEmail } from 'class-validator';
import pg from 'pg';
import { newId } from '../common/ids.js';
import { hashPassword } from '../modules/auth/passwords.js';

const USAGE = `Creates a store with its wallets and its first administrator, in the database of DATABASE_URL.

  node dist/cli/create-store.js --slug corner-shop --name "Corner Shop" --currency EUR --zips 10115,10117 \\
                                --admin-email boss@example.com

The administrator's password is taken from LARDER_ADMIN_PASSWORD (8 characters or more), else made up and printed once.`;

interface NewStore {
  slug: string;
  name: string;
  currency: string;
  zipCodes: string[];
  adminEmail: string;
}

function readArguments(): NewStore {
  const text = { type: 'string', default: '' } as const;
  const { values } = parseArgs({
    options: { slug: text, name: text, currency: text, zips: text, 'admin-email': text },
  });
  const store = {
    slug: values.slug,
    name: values.name.trim(),
    currency: values.currency,
    zipCodes: values.zips
      .split(',')
      .map((zip) => zip.trim())
      .filter(Boolean),
    adminEmail: values['admin-email'].trim().toLowerCase(),
  };
  const problems = [
    /^[a-z0-9]+(-[a-z0-9]+)*$/.test(store.slug) && store.slug.length <= 63
      ? ''
      : '--slug: lower-case letters, digits and hyphens, 63 at most',
    store.name ? '' : '--name: what customers call the shop',
    isCurrency(store.currency) ? '' : '--currency: an ISO 4217 code such as USD',
    store.zipCodes.length > 0 ? '' : '--zips: the zip codes that it delivers to, with commas between them',
    isEmail(store.adminEmail) ? '' : '--admin-email: the address that its administrator logs in with',
  ].filter(Boolean);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return store;
}

function isCurrency(code: string): boolean {
  return Intl.supportedValuesOf('currency').includes(code);
}

/** All of it or nothing: one transaction. */
async function createStore(client: pg.Client, store: NewStore, password: string): Promise<void> {
  const [storeId, adminId] = [newId(), newId()];
  const passwordHash = await hashPassword(password);
  await client.query('BEGIN');
  await client.query('INSERT INTO stores (id, slug, name, currency, service_zip_codes) VALUES ($1, $2, $3, $4, $5)', [
    storeId,
    store.slug,
    store.name,
    store.currency,
    store.zipCodes,
  ]);
  await client.query('SELECT open_store_wallets($1)', [storeId]);
  await client.query(
    `INSERT INTO users (store_id, id, email, name, password_hash, roles)
     VALUES ($1, $2, $3, 'Administrator', $4, ARRAY['ADMIN'])`,
    [storeId, adminId, store.adminEmail, passwordHash],
  );
  await client.query('SELECT open_user_wallets($1, $2)', [storeId, adminId]);
  await client.query('COMMIT');
}

async function main(): Promise<void> {
  const store = readArguments();
  const { DATABASE_URL: connectionString, LARDER_ADMIN_PASSWORD: given } = process.env;
  if (!connectionString) throw new Error('Set DATABASE_URL to the database that the store is to be in.');
  if (given !== undefined && given.length < 8) throw new Error('LARDER_ADMIN_PASSWORD: 8 characters or more');
  const password = given ?? randomBytes(18).toString('base64url');
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await createStore(client, store, password);
  } catch (error) {
    const taken = (error as pg.DatabaseError).constraint === 'stores_slug_key';
    throw taken ? new Error(`--slug: there is a store ${store.slug} already`) : error;
  } finally {
    await client.end();
  }
  console.log(`Store ${store.slug} is open; requests name it with X-Store: ${store.slug}.`);
  console.log(`Administrator: ${store.adminEmail}${given === undefined ? `, password ${password}` : ''}`);
}

await main().catch((error: Error) => {
  console.error(`${error.message || String(error)}\n\n${USAGE}`);
  process.exitCode = 1;
});
