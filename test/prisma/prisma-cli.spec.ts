import { appendFile, readFile, readdir } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { databaseUrl, withClient } from '../support/database.js';
import { finish, type Finished, prisma, PrismaProject, ROOT, SCHEMA_ENGINE, start } from './prisma-project.js';

const SERVER_URL = process.env.TEST_OWNER_URL ?? process.env.TEST_DATABASE_URL ?? '';
const FROM_MIGRATIONS = ['--from-migrations', 'prisma/migrations', '--to-schema', 'prisma/schema', '--exit-code'];

const STORES = `
model Store {
  id    String @id @db.Uuid
  name  String
  items Item[]

  @@map("stores")
}
`;
const ITEMS = `
model Item {
  id        BigInt   @id @default(autoincrement())
  storeId   String   @map("store_id") @db.Uuid
  name      String
  stock     Int      @default(0)
  createdAt DateTime @default(now()) @map("created_at") @db.Timestamptz(3)
  store     Store    @relation(fields: [storeId], references: [id], onDelete: Restrict, onUpdate: Restrict)

  @@map("items")
}
`;
/** What Prisma's schema has no words for, and must leave alone. The column is of the catalogue's own type "char". */
const BY_HAND = `
CREATE UNIQUE INDEX "items_in_stock_key" ON "items" ("store_id", "name") WHERE "stock" > 0;
ALTER TABLE "items" ADD CONSTRAINT "items_stock_check" CHECK ("stock" >= 0);
CREATE TABLE "audit" ("kind" "char" NOT NULL DEFAULT 'i', "at" timestamptz NOT NULL DEFAULT now());
CREATE FUNCTION "audit_item"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO "audit" DEFAULT VALUES;
  RETURN NEW;
END;
$$;
CREATE TRIGGER "items_audit" AFTER INSERT ON "items" FOR EACH ROW EXECUTE FUNCTION "audit_item"();
`;
const AUDIT = `
model Audit {
  kind String   @default("i") @db.Char
  at   DateTime @default(now()) @db.Timestamptz

  @@ignore
  @@map("audit")
}
`;

const databases: string[] = [];
const projects: PrismaProject[] = [];

function newDatabase(): string {
  const name = `prisma_cli_${randomBytes(6).toString('hex')}`;
  databases.push(name);
  return databaseUrl(SERVER_URL, name);
}

async function newProject(files: Record<string, string> = {}): Promise<PrismaProject> {
  const project = await PrismaProject.create({
    'prisma/schema/stores.prisma': STORES,
    'prisma/schema/items.prisma': ITEMS,
    ...files,
  });
  projects.push(project);
  return project;
}

/** With the engine under test even where a native one is installed. */
const environment = (url: string) => ({ DATABASE_URL: url, PRISMA_SCHEMA_ENGINE_BINARY: SCHEMA_ENGINE });

function migrate(project: PrismaProject, url: string, ...args: string[]): Promise<Finished> {
  return prisma(project.folder, environment(url), 'migrate', ...args);
}

async function rows<T>(url: string, sql: string): Promise<T[]> {
  return withClient(url, async (client) => (await client.query({ text: sql })).rows as T[]);
}

const everyDatabase = () =>
  rows<{ datname: string }>(SERVER_URL, "SELECT datname FROM pg_database WHERE datname LIKE 'prisma%' ORDER BY 1");

afterAll(async () => {
  await withClient(SERVER_URL, async (client) => {
    for (const name of databases) await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  });
  await Promise.all(projects.map((project) => project.remove()));
});

describe('generate', () => {
  it('writes the client of a schema folder without an engine, a database or a download', async () => {
    const project = await newProject();

    expect(await prisma(project.folder, {}, 'generate')).toMatchObject({ code: 0 });

    const models = await readdir(join(project.folder, 'src/generated/prisma/models'));
    expect(models.sort()).toEqual(['Item.ts', 'Store.ts']);
    expect(await readFile(join(project.folder, 'src/generated/prisma/client.ts'), 'utf8')).toMatch(/from "\.\/.*\.js"/);
  });
});

describe('a project from its first migration on', () => {
  const url = newDatabase();
  let project: PrismaProject;

  beforeAll(async () => {
    project = await newProject();
  });

  it('creates the missing database and writes a migration that is not yet applied', async () => {
    const created = await migrate(project, url, 'dev', '--create-only', '--name', 'init');

    expect(created).toMatchObject({ code: 0, stdout: expect.stringContaining('database prisma_cli_') });
    expect(await project.migrations()).toEqual([expect.stringMatching(/^\d{14}_init$/)]);
    expect(await rows(url, "SELECT 1 FROM pg_tables WHERE tablename = 'items'")).toEqual([]);
  });

  it('reports what waits to be applied', async () => {
    const status = await migrate(project, url, 'status');

    expect(status).toMatchObject({ code: 1, stdout: expect.stringMatching(/not yet been applied:\s+\d{14}_init/) });
  });

  it('applies a migration with a partial index, a CHECK, a function and a trigger', async () => {
    const [name = ''] = await project.migrations();
    await appendFile(join(project.folder, 'prisma/migrations', name, 'migration.sql'), BY_HAND);
    await project.write({ 'prisma/schema/audit.prisma': AUDIT });

    expect(await migrate(project, url, 'deploy')).toMatchObject({ code: 0 });

    await withClient(url, async (client) => {
      const store = '00000000-0000-7000-8000-000000000001';
      await client.query("INSERT INTO stores VALUES ($1, 'Corner')", [store]);
      await client.query("INSERT INTO items (store_id, name, stock) VALUES ($1, 'Tea', 1)", [store]);
      await expect(
        client.query("INSERT INTO items (store_id, name, stock) VALUES ($1, 'Tea', -1)", [store]),
      ).rejects.toThrow('items_stock_check');
      await expect(
        client.query("INSERT INTO items (store_id, name, stock) VALUES ($1, 'Tea', 2)", [store]),
      ).rejects.toThrow('items_in_stock_key');
      expect((await client.query('SELECT kind FROM audit')).rows).toEqual([{ kind: 'i' }]);
    });
    expect(await migrate(project, url, 'status')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Database schema is up to date!'),
    });
  });

  it('finds no drift where migrations and schema agree, and leaves database and server as they were', async () => {
    const before = await everyDatabase();

    expect(await migrate(project, url, 'diff', ...FROM_MIGRATIONS)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('No difference detected'),
    });

    expect(await everyDatabase()).toEqual(before);
    expect(await rows(url, 'SELECT name, stock FROM items')).toEqual([{ name: 'Tea', stock: 1 }]);
    expect(await rows(url, 'SELECT count(*)::int AS migrations FROM _prisma_migrations')).toEqual([{ migrations: 1 }]);
  });

  it('replays migrations in the shadow database only', async () => {
    await project.write({
      'prisma/migrations/20990101000000_destructive/migration.sql':
        'INSERT INTO stores SELECT gen_random_uuid(), current_database();\nDROP TABLE items;\n',
    });
    const before = await everyDatabase();

    const diff = await migrate(project, url, 'diff', ...FROM_MIGRATIONS);

    expect(diff).toMatchObject({ code: 2, stdout: expect.stringContaining('Added tables\n  - items') });
    expect(await everyDatabase()).toEqual(before);
    expect(await rows(url, 'SELECT name, stock FROM items')).toEqual([{ name: 'Tea', stock: 1 }]);
    expect(await rows(url, 'SELECT name FROM stores')).toEqual([{ name: 'Corner' }]);
  });

  it('drops the shadow database when Ctrl-C ends a diff', async () => {
    await project.write({
      'prisma/migrations/20990101000000_destructive/migration.sql': 'SELECT pg_sleep(60);\n',
    });
    const before = await everyDatabase();

    const cli = start(join(ROOT, 'prisma/cli.mjs'), project.folder, environment(url), [
      'migrate',
      'diff',
      ...FROM_MIGRATIONS,
    ]);
    const finished = finish(cli);
    await until(async () => (await everyDatabase()).length === before.length + 1);
    process.kill(-(cli.pid ?? 0), 'SIGINT');

    expect((await finished).code).not.toBe(0);
    await until(async () => (await everyDatabase()).length === before.length);
    expect(await everyDatabase()).toEqual(before);
  });
});

describe('schema and migrations that disagree', () => {
  it('are told apart by exit code 2', async () => {
    const project = await newProject();
    const url = newDatabase();
    await migrate(project, url, 'dev', '--name', 'init');
    await project.write({ 'prisma/schema/items.prisma': ITEMS.replace('name      String', 'name      String?') });

    expect(await migrate(project, url, 'diff', ...FROM_MIGRATIONS)).toMatchObject({
      code: 2,
      stdout: expect.stringContaining('Altered column `name`'),
    });
  });
});

describe('what goes wrong', () => {
  it('says which statement of a migration failed, and why', async () => {
    const project = await newProject({
      'prisma/migrations/20260101000000_init/migration.sql': 'CREATE TABLE a (b int);\nCREATE TABEL c (d int);\n',
      'prisma/migrations/migration_lock.toml': 'provider = "postgresql"\n',
    });
    const url = newDatabase();

    const deployed = await migrate(project, url, 'deploy');

    expect(deployed).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('near "TABEL" (line 2, SQLSTATE 42601)'),
    });
    expect(await rows(url, "SELECT 1 FROM pg_tables WHERE tablename = 'a'")).toEqual([]);
  });

  it('refuses a wrong password without repeating it', async () => {
    const project = await newProject();
    const wrong = new URL(newDatabase());
    wrong.password = 'not%20the%20pass%23word';

    for (const args of [['deploy'], ['status'], ['diff', ...FROM_MIGRATIONS]]) {
      const refused = await migrate(project, wrong.href, ...args);

      expect(refused.code).toBe(1);
      expect(refused.stderr).toMatch(/refused the credentials of user|credentials for `\w+` are not valid/);
      expect(refused.stdout + refused.stderr).not.toMatch(/not(%20| )the|pass(%23|#)word/);
    }
  });

  it('names the server that does not answer', async () => {
    const nobody = new URL(newDatabase());
    nobody.port = '1';

    expect(await migrate(await newProject(), nobody.href, 'deploy')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/P1001: Can't reach the database server at \S+:1: .*ECONNREFUSED/),
    });
  });

  it('does not repeat a URL that it can not read', async () => {
    const refused = await migrate(await newProject(), 'postgresql://user:pa#55w0rd@localhost/db', 'deploy');

    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('not valid') });
    expect(refused.stdout + refused.stderr).not.toContain('55w0rd');
  });
});

describe('three deployments at once', () => {
  it('create one database and apply each migration once', async () => {
    const project = await newProject();
    await migrate(project, newDatabase(), 'dev', '--create-only', '--name', 'init');
    const url = newDatabase();

    const deployments = await Promise.all([1, 2, 3].map(() => migrate(project, url, 'deploy')));

    expect(deployments.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(await rows(url, 'SELECT applied_steps_count, rolled_back_at FROM _prisma_migrations')).toEqual([
      { applied_steps_count: 1, rolled_back_at: null },
    ]);
  });
});

async function until(reached: () => Promise<boolean>): Promise<void> {
  for (let attempt = 1; attempt <= 500; attempt += 1) {
    if (await reached()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('Not reached within 25 s');
}
