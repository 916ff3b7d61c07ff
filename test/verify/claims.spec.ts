import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { checkClaim } from '../../src/verify/check-claim.js';
import { CLAIMS } from '../../src/verify/claims.js';
import { createTestDatabase, databaseUrl, type TestDatabase } from '../support/database.js';
import { DAMAGES } from './damages.js';

const ORDERS = 2000;
const ALL = CLAIMS.flatMap(({ claims }) => claims);

let database: TestDatabase;
let client: pg.Client;

beforeAll(async () => {
  database = await createTestDatabase();
  const admin = process.env.TEST_DATABASE_URL ?? '';
  client = new pg.Client({ connectionString: databaseUrl(admin, new URL(database.url).pathname.slice(1)) });
  await client.connect();
  await client.query(`SET larder.orders = '${ORDERS}'`);
  await client.query(await readFile(new URL('volume.sql', import.meta.url), 'utf8'));
  await client.query('ANALYZE');
});
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
