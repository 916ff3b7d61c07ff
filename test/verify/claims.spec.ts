import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { generateStore } from '../../src/generate/generate-store.js';
import { checkClaim } from '../../src/verify/check-claim.js';
import { CLAIMS } from '../../src/verify/claims.js';
import { createTestDatabase, databaseUrl, type TestDatabase } from '../support/database.js';
import { DAMAGES } from './damages.js';

const OWN_WALLETS = 'SELECT store_id, id FROM wallets WHERE owner_id = store_id';
const ALL = CLAIMS.flatMap(({ claims }) => claims);

let database: TestDatabase;
let client: pg.Client;

beforeAll(async () => {
  database = await createTestDatabase();
  const admin = process.env.TEST_DATABASE_URL ?? '';
  client = new pg.Client({ connectionString: databaseUrl(admin, new URL(database.url).pathname.slice(1)) });
  await client.connect();
  await generate('exclusive', 'USD', false);
  await generate('inclusive', 'EUR', true);
  await fillCheckpoints();
  await foldDays();
});
/** Two shops of which every table has rows in every state: it is evening there, parcels are under way. */
async function generate(slug: string, currency: string, taxInclusive: boolean): Promise<void> {
  await generateStore({
    connectionString: database.url,
    slug,
    orders: 1500,
    days: 5,
    seed: 1,
    currency,
    timezone: eveningZone(),
    taxInclusive,
    until: new Date(),
    connections: 1,
    isStopped: () => false,
    onProgress: () => undefined,
  });
}

/** Where it is between seven and eight in the evening: the last order's events are of the last day then. */
function eveningZone(): string {
  const ahead = 19 - new Date().getUTCHours();
  const east = ahead > 12 ? ahead - 24 : ahead;
  return `Etc/GMT${east > 0 ? '-' : '+'}${Math.abs(east)}`;
}

/** Whoever else uses the server may have transactions open that a checkpoint waits for. */
async function fillCheckpoints(): Promise<void> {
  for (;;) {
    const { rows } = await client.query('SELECT 1 FROM wallet_checkpoints WHERE balance IS NULL LIMIT 1');
    if (rows.length === 0) return;
    // In a statement of its own each: a transaction marks one.
    for (const { store_id, id } of (await client.query<{ store_id: string; id: string }>(OWN_WALLETS)).rows)
      await client.query('SELECT checkpoint_wallet($1, $2)', [store_id, id]);
  }
}

/** All that ended a day ago, as the job of the dashboards does. */
async function foldDays(): Promise<void> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await client.query(`
    SELECT fold_day(s.id, (now() AT TIME ZONE s.timezone)::date - back)
      FROM stores s
     CROSS JOIN generate_series(2, 6) AS back`);
  await client.query('COMMIT');
}

afterAll(async () => {
  await client.end();
  await database.drop();
});

describe('A sound database', () => {
  it.each(ALL)('has it that $name', async (claim) => {
    expect(await checkClaim(client, claim)).toEqual({ broken: 0, rows: [] });
  });
});

describe('Damage', () => {
  it('is done to every claim', () => {
    const damaged = new Set(DAMAGES.map(({ claim }) => claim));
    expect(ALL.map(({ name }) => name).filter((name) => !damaged.has(name))).toEqual([]);
  });

  it.each(DAMAGES)('is told, with what was damaged: $claim', async ({ claim, after, sql }) => {
    const checked = ALL.find(({ name }) => name === claim);
    expect(checked).toBeDefined();
    await client.query('BEGIN');
    try {
      await client.query('SET LOCAL session_replication_role = replica');
      if (after) await client.query(after);
      const { rows } = await client.query<{ id: string }>(sql);
      expect(rows.length).toBeGreaterThan(0);
      const found = await checkClaim(client, checked!);
      expect(found.broken).toBeGreaterThan(0);
      expect(JSON.stringify(found.rows)).toContain(rows[0]!.id);
    } finally {
      await client.query('ROLLBACK');
    }
  });
});
