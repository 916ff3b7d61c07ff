import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

export interface TestDatabase {
  url: string;
  drop(): Promise<void>;
}

/** Only one clone at a time: PostgreSQL refuses a template that somebody is connected to, another cloner included. */
const CLONE_LOCK = 7_135_201;
const OBJECT_IN_USE = '55006';
const ATTEMPTS = 20;

/** An empty database with all migrations, for one test file. Drop it in afterAll; what is still connected is cut off. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const ownerUrl = requiredEnv('TEST_OWNER_URL');
  const name = `test_${randomBytes(8).toString('hex')}`;
  await withClient(ownerUrl, (client) => clone(client, requiredEnv('TEST_TEMPLATE'), name));
  return {
    url: databaseUrl(ownerUrl, name),
    async drop() {
      await withClient(ownerUrl, (client) => drop(client, name));
    },
  };
}

/** The same server and user, another database. */
export function databaseUrl(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}

/** For tests that look at the database from outside: a connection for the time of one function. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function clone(client: pg.Client, template: string, name: string): Promise<void> {
  await client.query('SELECT pg_advisory_lock($1)', [CLONE_LOCK]);
  await whenNobodyIsIn(() => client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`));
}

/** WITH (FORCE) may not end an autovacuum, which is a superuser's; DROP DATABASE asks it to leave by itself. */
async function drop(client: pg.Client, name: string): Promise<void> {
  await whenNobodyIsIn(async () => {
    await client.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND usename = current_user',
      [name],
    );
    await client.query(`DROP DATABASE IF EXISTS ${name}`);
  });
}

async function whenNobodyIsIn(work: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await work();
      return;
    } catch (error) {
      if ((error as pg.DatabaseError).code !== OBJECT_IN_USE || attempt === ATTEMPTS) throw error;
      await sleep(100);
    }
  }
}

function requiredEnv(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run the tests with npm test, which starts the database`);
  return value;
}
