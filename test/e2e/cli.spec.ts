import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { catalogue } from '../../src/common/exceptions/catalogue.js';
import { DEVELOPMENT_SECRET } from '../../src/config/config.js';
import { settingNotes } from '../../src/config/setting.js';
import { type Build, buildLarder } from '../support/built-larder.js';
import { createTestDatabase, databaseUrl, type TestDatabase, withClient } from '../support/database.js';

interface Output {
  code: number;
  stdout: string;
  stderr: string;
}

let build: Build;
let database: TestDatabase;
beforeAll(async () => {
  build = await buildLarder();
  database = await createTestDatabase();
});
afterAll(async () => {
  await build.clear();
  await database.drop();
});

/** One of the commands, as the production image runs it. */
async function run(command: string, args: string[], env: Record<string, string> = {}): Promise<Output> {
  const file = join(build.folder, `dist/cli/${command}.js`);
  const options = { cwd: build.folder, env: { PATH: process.env.PATH, ...env } };
  return promisify(execFile)(process.execPath, [file, ...args], options).then(
    (output) => ({ code: 0, ...output }),
    (error: Output) => error,
  );
}

const STORE = ['--slug', 'corner-shop', '--name', 'Corner Shop', '--currency', 'EUR', '--zips', '10115, 10117'];

describe('create-store', () => {
  it('opens a store whose administrator can log in, once', async () => {
    const args = [...STORE, '--admin-email', 'Boss@Example.com'];
    const created = await run('create-store', args, { DATABASE_URL: database.url });
    expect(created).toMatchObject({ code: 0, stderr: '' });
    const password = /password (\S+)/.exec(created.stdout)?.[1] ?? '';

    const larder = build.start({ DATABASE_URL: database.url, NODE_ENV: 'production', JWT_SECRET: 's'.repeat(32) });
    const login = await fetch(`${await larder.url()}/api/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-store': 'corner-shop' },
      body: JSON.stringify({ email: 'boss@example.com', password }),
    });
    expect(login.status).toBe(200);
    expect(await login.json()).toMatchObject({ user: { roles: ['ADMIN'] } });
    await larder.stop('SIGTERM');

    const again = await run('create-store', args, { DATABASE_URL: database.url });
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('there is a store corner-shop already');
    const { rows } = await withClient(database.url, (client) =>
      client.query(`
        SELECT s.currency, s.service_zip_codes AS zips, count(w.id)::int AS wallets
          FROM stores s
          JOIN wallets w ON w.store_id = s.id
         GROUP BY s.id`),
    );
    expect(rows).toEqual([{ currency: 'EUR', zips: ['10115', '10117'], wallets: 9 }]);
  });

  it('takes the password from the environment and does not show it', async () => {
    const args = [...STORE, '--slug', 'second-shop', '--admin-email', 'boss@example.com'];
    const settings = { DATABASE_URL: database.url, LARDER_ADMIN_PASSWORD: 'a password of my own' };
    const { stdout, code } = await run('create-store', args, settings);
    expect(code).toBe(0);
    expect(stdout).not.toContain('password');
  });

  it('says what is wrong with each argument', async () => {
    const { stderr, code } = await run('create-store', ['--slug', 'No Slug', '--currency', 'EURO', '--name', ' ']);
    expect(code).toBe(1);
    for (const name of ['--slug:', '--name:', '--currency:', '--zips:', '--admin-email:'])
      expect(stderr).toContain(name);
    expect((await run('create-store', ['--colour', 'red'])).stderr).toContain("Unknown option '--colour'");
  });
});

describe('migrate', () => {
  it('brings an empty database up to date, and then has nothing to do', async () => {
    const name = `empty_${Date.now()}`;
    await withClient(database.url, (client) => client.query(`CREATE DATABASE ${name}`));
    try {
      const settings = { DATABASE_URL: databaseUrl(database.url, name) };
      expect((await run('migrate', [], settings)).stdout).toMatch(/^applied \d+_init$/m);
      expect(await run('migrate', [], settings)).toMatchObject({
        code: 0,
        stdout: 'Nothing to do: all migrations are applied.\n',
      });
    } finally {
      await withClient(database.url, (client) => client.query(`DROP DATABASE ${name} WITH (FORCE)`));
    }
  });

  it('ends with 1 when there is no such database', async () => {
    const { code, stderr } = await run('migrate', [], { DATABASE_URL: databaseUrl(database.url, 'nowhere') });
    expect(code).toBe(1);
    expect(stderr).toContain('database "nowhere" does not exist');
  });
});

describe('the generated pages', () => {
  it('need no database, are the same each time, and name every error and setting but no secret', async () => {
    const folder = join(build.folder, 'docs');
    await mkdir(folder);
    const read = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');
    expect(await run('openapi', [join(folder, 'openapi.json')])).toMatchObject({ code: 0 });
    const document = await read('openapi.json');
    expect(Object.keys(JSON.parse(document).paths)).toEqual(expect.arrayContaining(['/api/orders', '/health/live']));
    await run('openapi', [join(folder, 'openapi.json')]);
    expect(await read('openapi.json')).toBe(document);

    expect(await run('docs', [folder])).toMatchObject({ code: 0 });
    const errors = await read('errors.md');
    for (const [code, { status }] of Object.entries(catalogue)) {
      expect(errors).toMatch(new RegExp(`^\\| \`${code}\` +\\| ${status} `, 'm'));
    }
    const configuration = await read('configuration.md');
    for (const key of settingNotes().keys()) expect(configuration).toContain(`| \`${key}\` `);
    expect(configuration).not.toContain(DEVELOPMENT_SECRET);
  });
});
