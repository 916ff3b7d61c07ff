/** The database as it was before windows, coupons, taxes and cards: its own schema and statement, with the same goods in it. */
import { readdir, readFile } from 'node:fs/promises';
import pg from 'pg';

const MIGRATIONS = new URL('../prisma/migrations/', import.meta.url);
/** The last migration of those days; place_order is of the one before it. */
const LAST = '20261121000106_accept_assignment';
/** What placing an order refers to, parents first. */
const COPIED = ['stores', 'users', 'categories', 'products', 'variants', 'stock_levels'];

export const PLACE_ORDER_BEFORE = `
  SELECT outcome, status_code, response::text AS response
    FROM place_order(
           $1::uuid, $2::uuid, $3::uuid, $4, $5::uuid[], $6::int[], $7::json, $8, $9, $10, $11, $12
         )`;

export interface Before {
  url: string;
  drop(): Promise<void>;
}

/** A second database on the same server, so that both statements meet the same disk, settings and neighbours. */
export async function makeBefore(todayUrl: string): Promise<Before> {
  const name = `larder_before_${process.pid}`;
  const url = new URL(todayUrl);
  url.pathname = `/${name}`;
  const today = await connected(todayUrl);
  await today.query(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'`);
  const before = await connected(url.href);
  for (const migration of (await readdir(MIGRATIONS)).filter((entry) => entry <= LAST).sort()) {
    await before.query(await readFile(new URL(`${migration}/migration.sql`, MIGRATIONS), 'utf8'));
  }
  for (const table of COPIED) {
    const { rows } = await today.query<{ content: string }>(`SELECT json_agg(t)::text AS content FROM ${table} t`);
    await before.query(`INSERT INTO ${table} SELECT * FROM json_populate_recordset(NULL::${table}, $1)`, [
      rows[0]?.content,
    ]);
  }
  await Promise.all([before.end(), today.end()]);
  return {
    url: url.href,
    drop: async () => {
      const client = await connected(todayUrl);
      await client.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await client.end();
    },
  };
}

/**
 * Once there are orders: a plan made while their tables were empty reads all of them, and is kept until there are statistics.
 * A shop has them, a database of the last minute hasn't.
 */
export async function analyze(url: string): Promise<void> {
  const client = await connected(url);
  await client.query('ANALYZE');
  await client.end();
}

async function connected(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  return client;
}
