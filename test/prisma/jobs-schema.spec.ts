import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { applyMigrations, pendingMigrations } from '../../src/platform/prisma/migrations.js';
import { databaseUrl, withClient } from '../support/database.js';
import { prisma, ROOT } from './prisma-project.js';

const STARTS = 6;

const ownerUrl = process.env.TEST_OWNER_URL ?? '';
const names: string[] = [];
let url: string;

beforeEach(async () => {
  const name = `test_${randomBytes(8).toString('hex')}`;
  names.push(name);
  await withClient(ownerUrl, (owner) => owner.query(`CREATE DATABASE ${name}`));
  url = databaseUrl(ownerUrl, name);
});
afterAll(() =>
  withClient(ownerUrl, async (owner) => {
    for (const name of names) await owner.query(`DROP DATABASE ${name} WITH (FORCE)`);
  }),
);

async function pending(): Promise<string[]> {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  return pendingMigrations(pool).finally(() => pool.end());
}
const revisions = async (): Promise<number[]> =>
  withClient(url, async (client) => {
    const { rows } = await client.query<{ id: number }>('SELECT id FROM graphile_worker.migrations ORDER BY id');
    return rows.map(({ id }) => id);
  });

describe('The schema of the jobs library', () => {
  it(`is migrated with ours, once, by ${STARTS} starts at the same time`, async () => {
    const applied = await Promise.all(Array.from({ length: STARTS }, () => applyMigrations(url)));
    expect(applied.filter((names) => names.length > 0)).toHaveLength(1);
    const [last = ''] = applied.flat().slice(-1);
    // The revision that Larder looks for is the last that the installed library has.
    expect(last).toBe(`graphile_worker_${(await revisions()).at(-1)}`);
    expect(await pending()).toEqual([]);
  });

  it('is missing until all of its own migrations are there', async () => {
    await applyMigrations(url);
    const last = (await revisions()).at(-1);
    await withClient(url, (client) => client.query('DELETE FROM graphile_worker.migrations WHERE id = $1', [last]));
    expect(await pending()).toEqual([`graphile_worker_${last}`]);
    await withClient(url, (client) => client.query('DROP SCHEMA graphile_worker CASCADE'));
    expect(await pending()).toEqual([`graphile_worker_${last}`]);
    expect(await applyMigrations(url)).toEqual([`graphile_worker_${last}`]);
    expect(await pending()).toEqual([]);
  });

  it('is migrated by the Prisma CLI of the project too', async () => {
    expect(await prisma(ROOT, { DATABASE_URL: url }, 'migrate', 'deploy')).toMatchObject({ code: 0 });
    expect(await pending()).toEqual([]);
    expect(await applyMigrations(url)).toEqual([]);
  });
});
