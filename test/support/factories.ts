import pg from 'pg';
import { newId } from '../../src/common/ids.js';
import type { Role } from '../../src/common/request-context.js';
import { DEVELOPMENT_SECRET } from '../../src/config/config.js';
import { SignJWT } from 'jose';

export interface TestStore {
  id: string;
  slug: string;
}

export interface TestUser {
  id: string;
  email: string;
  /** Value of an Authorization header. */
  bearer: string;
}

export const ZIP = '10001';

/** Rows written directly: a test sets its scene without passing through what it tests. */
export class Factory {
  constructor(private readonly sql: pg.Pool) {}

  async store(
    slug = 'demo',
    columns: { deliveryFee?: number; floatLimit?: number; agentFee?: number } = {},
  ): Promise<TestStore> {
    const id = newId();
    await this.sql.query(
      `INSERT INTO stores (id, slug, name, currency, service_zip_codes, delivery_fee, agent_float_limit, agent_fee)
       VALUES ($1, $2, $2, 'USD', $3, $4, $5, $6)`,
      [id, slug, [ZIP], columns.deliveryFee ?? 0, columns.floatLimit ?? 1_000_000, columns.agentFee ?? 0],
    );
    await this.sql.query('SELECT open_store_wallets($1)', [id]);
    return { id, slug };
  }

  /** A user with a token; no password that anyone knows. */
  async user(store: TestStore, role: Role = 'CUSTOMER'): Promise<TestUser> {
    const id = newId();
    const email = `${role.toLowerCase()}-${id}@larder.test`;
    await this.sql.query(
      `INSERT INTO users (store_id, id, email, name, password_hash, roles) VALUES ($1, $2, $3, $3, 'none', $4)`,
      [store.id, id, email, [role]],
    );
    await this.sql.query('SELECT open_user_wallets($1, $2)', [store.id, id]);
    return { id, email, bearer: `Bearer ${await tokenFor(store, id, [role])}` };
  }

  async agent(store: TestStore, status: 'ONLINE' | 'OFFLINE' = 'ONLINE'): Promise<TestUser> {
    const user = await this.user(store, 'AGENT');
    await this.sql.query(
      'INSERT INTO delivery_agents (store_id, id, name, status, service_zip_codes) VALUES ($1, $2, $3, $4, $5)',
      [store.id, user.id, 'An agent', status, [ZIP]],
    );
    return user;
  }

  /** A published product with one variant in stock. Returns the variant's id. */
  async variant(store: TestStore, { price = 500, onHand = 1000 } = {}): Promise<string> {
    const [product, variant] = [newId(), newId()];
    await this.sql.query(
      `INSERT INTO products (store_id, id, slug, name, published, updated_at) VALUES ($1, $2, $3, $3, true, now())`,
      [store.id, product, `product-${product}`],
    );
    await this.sql.query(
      `INSERT INTO variants (store_id, id, product_id, sku, price, currency) VALUES ($1, $2, $3, $4, $5, 'USD')`,
      [store.id, variant, product, `SKU-${variant}`, price],
    );
    await this.sql.query('INSERT INTO stock_levels (store_id, variant_id, on_hand) VALUES ($1, $2, $3)', [
      store.id,
      variant,
      onHand,
    ]);
    await this.sql.query(
      `INSERT INTO stock_movements (store_id, variant_id, delta, reason) SELECT $1, $2, $3::int, 'RECEIPT' WHERE $3::int > 0`,
      [store.id, variant, onHand],
    );
    return variant;
  }

  /** A customer's open cart with a piece of this in it. Returns its id. */
  async cart(store: TestStore, customer: TestUser, variantId: string): Promise<string> {
    const id = newId();
    await this.sql.query('INSERT INTO carts (store_id, id, customer_id) VALUES ($1, $2, $3)', [
      store.id,
      id,
      customer.id,
    ]);
    await this.sql.query('INSERT INTO cart_lines (store_id, cart_id, variant_id, quantity) VALUES ($1, $2, $3, 1)', [
      store.id,
      id,
      variantId,
    ]);
    return id;
  }

  /** A delivery window that can be booked, of a zone of its own that is all of the store's. */
  async slot(store: TestStore, { capacity = 1000 } = {}): Promise<{ zone: string; slot: string }> {
    const [zone, slot] = [newId(), newId()];
    await this.sql.query('INSERT INTO delivery_zones (store_id, id, name, zip_codes) VALUES ($1, $2, $3, $4)', [
      store.id,
      zone,
      `zone-${zone}`,
      [ZIP],
    ]);
    await this.sql.query(
      `INSERT INTO delivery_slots (store_id, id, zone_id, starts_at, ends_at, cutoff_at, capacity)
       VALUES ($1, $2, $3, now() + interval '1 day', now() + interval '26 hours', now() + interval '23 hours', $4)`,
      [store.id, slot, zone, capacity],
    );
    return { zone, slot };
  }

  /** A coupon for 10 % of the goods, unless told otherwise. Returns its id. */
  async coupon(store: TestStore, code = 'TEN', columns: Record<string, unknown> = {}): Promise<string> {
    const row = { kind: 'PERCENTAGE', value: 100_000, ...columns, store_id: store.id, id: newId(), code };
    const names = Object.keys(row).join();
    await this.sql.query(
      `INSERT INTO coupons (${names}) SELECT ${names} FROM jsonb_populate_record(NULL::coupons, $1)`,
      [row],
    );
    return row.id;
  }

  /** Puts money into a customer's wallet, out of the vault. */
  async topUp(store: TestStore, user: TestUser, amount: number): Promise<void> {
    await this.sql.query(
      `SELECT ledger_post($1, 'TOP_UP', $2, NULL, NULL, 'USD',
         ARRAY[wallet_of($1, 'CUSTOMER', $3, 'USD'), wallet_of($1, 'CASH_VAULT', $1, 'USD')], ARRAY[$4::bigint, -$4::bigint])`,
      [store.id, newId(), user.id, amount],
    );
  }
}

export async function tokenFor(store: TestStore, userId: string, roles: Role[]): Promise<string> {
  return new SignJWT({ store: store.id, roles })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(userId)
    .setIssuer('larder')
    .setAudience('larder-api')
    .setIssuedAt()
    .setExpirationTime('15m')
    .sign(new TextEncoder().encode(DEVELOPMENT_SECRET));
}

export const ADDRESS = {
  name: 'Ada Lovelace',
  phone: '+1 212 555 0100',
  line1: '1 Main Street',
  city: 'New York',
  zip: ZIP,
};

/** An Idempotency-Key that nobody used before. */
export function freshKey(): string {
  return `test-${newId()}`;
}
