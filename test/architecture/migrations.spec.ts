import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readdir, readFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { createTestDatabase, databaseUrl, withClient } from '../support/database.js';
import { schemaDump } from './schema-dump.js';

const FOLDER = fileURLToPath(new URL('../../prisma/migrations/', import.meta.url));

async function migrationNames(): Promise<string[]> {
  const entries = await readdir(FOLDER, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

/** Each migration and its undoing run in one transaction, as they do in life. */
async function run(client: pg.Client, migration: string, file: 'migration.sql' | 'down.sql'): Promise<void> {
  const sql = await readFile(join(FOLDER, migration, file), 'utf8');
  await client.query('BEGIN');
  await client.query(sql);
  await client.query('COMMIT');
}

describe('Migrations', () => {
  const ownerUrl = process.env.TEST_OWNER_URL ?? '';
  const name = `test_${randomBytes(8).toString('hex')}`;
  let client: pg.Client;

  beforeAll(async () => {
    await withClient(ownerUrl, (owner) => owner.query(`CREATE DATABASE ${name}`));
    client = new pg.Client({ connectionString: databaseUrl(ownerUrl, name) });
    await client.connect();
  });

  afterAll(async () => {
    await client.end();
    await withClient(ownerUrl, (owner) => owner.query(`DROP DATABASE ${name} WITH (FORCE)`));
  });

  it('each have a down.sql that leaves exactly what was before, and can be applied again', async () => {
    const names = await migrationNames();
    expect(names.length).toBeGreaterThan(0);
    for (const migration of names) {
      const before = await schemaDump(client);
      await run(client, migration, 'migration.sql');
      const after = await schemaDump(client);
      expect(after).not.toEqual(before);
      await run(client, migration, 'down.sql');
      expect({ migration, schema: await schemaDump(client) }).toEqual({ migration, schema: before });
      await run(client, migration, 'migration.sql');
      expect({ migration, schema: await schemaDump(client) }).toEqual({ migration, schema: after });
    }
  });

  it('can all be undone, newest first, down to an empty schema, and applied again', async () => {
    const names = await migrationNames();
    const whole = await schemaDump(client);
    for (const migration of names.toReversed()) await run(client, migration, 'down.sql');
    expect((await schemaDump(client)).filter((line) => !line.startsWith('extension '))).toEqual([]);
    for (const migration of names) await run(client, migration, 'migration.sql');
    expect(await schemaDump(client)).toEqual(whole);
  });

  it('make the schema that Larder itself migrates to', async () => {
    const migrated = await createTestDatabase();
    try {
      const dump = await withClient(migrated.url, schemaDump);
      expect(dump).toEqual(await schemaDump(client));
    } finally {
      await migrated.drop();
    }
  });
});
