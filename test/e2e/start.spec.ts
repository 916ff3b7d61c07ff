import { createServer } from 'node:net';
import { once } from 'node:events';
import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTestDatabase, withClient } from '../support/database.js';
import { type Build, buildLarder, type LarderRun } from '../support/built-larder.js';

interface Session {
  accessToken: string;
  user: { email: string; roles: string[] };
}

let build: Build;
/** Of the first start, and of later ones that are not about a first one: initdb, migrations and the demo take seconds. */
let dataDir: string;
beforeAll(async () => {
  build = await buildLarder();
  dataDir = join(build.folder, 'data');
});
afterAll(() => build.clear());

describe('a start on a machine that has only Node', () => {
  it('serves the demo store, stops at Ctrl-C with its database, and finds its data again', async () => {
    const first = build.start({ DATA_DIR: dataDir });
    const url = await first.url();
    await withinMs(40_000, () => Promise.resolve(expect(first.stdout).toContain('Stop with Ctrl-C.')));
    for (const text of [`${url}/docs`, '/metrics', 'larder-demo', 'database-url']) {
      expect(first.stdout).toContain(text);
    }
    const databaseUrl = (await readFile(join(dataDir, 'database-url'), 'utf8')).trim();
    expect(first.stdout + first.stderr).not.toContain(new URL(databaseUrl).password);

    await expect(login(url, 'customer1@larder.test')).resolves.toMatchObject({ user: { roles: ['CUSTOMER'] } });
    const registered = await post(url, '/api/auth/register', {
      email: 'newcomer@example.com',
      password: 'correct horse',
      name: 'New Comer',
    });
    expect(registered.status).toBe(201);

    expect(await first.stop('SIGINT')).toBe(0);
    expect(await readdir(dataDir)).not.toContain('database-url');
    await expect(withClient(databaseUrl, () => Promise.resolve())).rejects.toThrow('ECONNREFUSED');

    const second = build.start({ DATA_DIR: dataDir });
    const again = await login(await second.url(), 'newcomer@example.com', 'correct horse');
    expect(again.user.email).toBe('newcomer@example.com');
    expect(second.stdout).not.toContain('larder_demo_created');

    // A third on the same directory, while the second serves.
    const third = build.start({ DATA_DIR: dataDir });
    expect(await third.exited).toBe(1);
    expect(third.stderr).toMatch(/data directory .* is in use by another Larder, process \d+/);
    await login(await second.url(), 'newcomer@example.com', 'correct horse');

    // And one on its port.
    const { port } = new URL(await second.url());
    const fourth = build.start({ DATA_DIR: join(build.folder, 'other'), PORT: port });
    expect(await fourth.exited).toBe(1);
    expect(fourth.stderr).toContain(`Port ${port} is taken by another program`);
    await expect(access(join(build.folder, 'other/database-url'))).rejects.toThrow('ENOENT');
    expect(await second.stop('SIGTERM')).toBe(0);
  });

  it('Ctrl-C before it serves stops what has been started by then', async () => {
    const fresh = join(build.folder, 'interrupted');
    const run = build.start({ DATA_DIR: fresh });
    await withinMs(40_000, () => access(join(fresh, 'database-url')));
    const databaseUrl = (await readFile(join(fresh, 'database-url'), 'utf8')).trim();
    expect(await run.stop('SIGINT')).toBe(0);
    await expect(withClient(databaseUrl, () => Promise.resolve())).rejects.toThrow('ECONNREFUSED');
  });
});

it('stops when the npm that started it is told to, whose shell passes nothing on', async () => {
  const run = build.start({ DATA_DIR: dataDir, NODE_ENV: 'test' }, 'npm start');
  await run.url();
  run.child.kill('SIGTERM');
  await run.exited;
  expect(run.logLines().map(({ event }) => event)).toContain('larder_server_stopped');
  await expect(access(join(dataDir, 'database-url'))).rejects.toThrow('ENOENT');
});

it('a mistake of ours ends the process with 1, a line in the log and the database stopped', async () => {
  const stray = "process.on('SIGUSR2', () => { void Promise.reject(new Error('nobody caught this')); })";
  const run = build.start({
    DATA_DIR: dataDir,
    NODE_ENV: 'test',
    NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(stray)}`,
  });
  await run.url();
  const databaseUrl = (await readFile(join(dataDir, 'database-url'), 'utf8')).trim();
  expect(await run.stop('SIGUSR2')).toBe(1);
  const logged = run.logLines().find(({ event }) => event === 'larder_process_failed');
  expect(logged).toMatchObject({
    level: 'error',
    error: 'nobody caught this',
    stack: expect.stringContaining('SIGUSR2'),
  });
  await expect(withClient(databaseUrl, () => Promise.resolve())).rejects.toThrow('ECONNREFUSED');
});

describe('the demo stores', () => {
  it('are whole when two instances start at once on an empty database', async () => {
    const database = await createTestDatabase();
    try {
      const runs = [0, 1].map(() => build.start({ DATABASE_URL: database.url, NODE_ENV: 'test' }));
      await Promise.all(runs.map((run) => run.url()));
      const created = runs.flatMap((run) => run.logLines().filter(({ event }) => event === 'larder_demo_created'));
      expect(created.flatMap(({ stores }) => stores).sort()).toEqual(['demo', 'demo-two']);
      expect(await demoStore(database.url)).toEqual([
        {
          slug: 'demo',
          fee: 399,
          limit: 50_000,
          products: 64,
          users: 43,
          online: 20,
          addresses: 20,
          wallets: [10_000],
          stock: 0,
          orders: 8,
        },
        {
          slug: 'demo-two',
          fee: 599,
          limit: 30_000,
          products: 5,
          users: 3,
          online: 1,
          addresses: 1,
          wallets: [10_000],
          stock: 0,
          orders: 0,
        },
      ]);
      const url = (await runs[0]?.url()) ?? '';
      const { accessToken } = await login(url, 'customer7@larder.test');
      const me = await fetch(`${url}/api/auth/me`, { headers: { authorization: `Bearer ${accessToken}` } });
      expect(await me.json()).toMatchObject({ address: { city: 'New York', zip: '10007' } });
      await login(url, 'agent1@two.larder.test', 'larder-demo', 'demo-two');
      expect(await Promise.all(runs.map((run) => run.stop('SIGTERM')))).toEqual([0, 0]);
    } finally {
      await database.drop();
    }
  });

  it('are whole or not there when a start is killed in the middle of making them', async () => {
    const database = await createTestDatabase();
    try {
      const settings = { DATABASE_URL: database.url, NODE_ENV: 'test' };
      await withClient(database.url, async (client) => {
        await client.query('BEGIN');
        // Comes after the store, its users and their money.
        await client.query('LOCK TABLE products IN EXCLUSIVE MODE');
        const killed = build.start(settings);
        await withinMs(40_000, async () => {
          const { rowCount } = await client.query(
            `SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
              WHERE d.datname = current_database() AND NOT l.granted`,
          );
          expect(rowCount).toBe(1);
        });
        await killed.stop('SIGKILL');
        await client.query('COMMIT');
      });
      expect(await demoStore(database.url)).toEqual([]);
      const run = build.start(settings);
      await run.url();
      expect(await demoStore(database.url)).toMatchObject([{ slug: 'demo', users: 43 }, { slug: 'demo-two' }]);
      await run.stop('SIGTERM');
    } finally {
      await database.drop();
    }
  });

  it('are not made in production, which says in its log where it listens and nothing else on its output', async () => {
    const database = await createTestDatabase();
    try {
      const run = build.start({ DATABASE_URL: database.url, NODE_ENV: 'production', JWT_SECRET: 's'.repeat(32) });
      const url = await run.url();
      await withinMs(40_000, async () => {
        const ready = await fetch(`${url}/health/ready`);
        expect(await ready.json()).toEqual({ status: 'healthy', timestamp: expect.any(String) });
      });
      expect(await demoStore(database.url)).toEqual([]);
      expect(await run.stop('SIGTERM')).toBe(0);
      expect(run.stdout.split('\n').filter((line) => line !== '' && !line.startsWith('{'))).toEqual([]);
      expect(run.logLines().map(({ event }) => event)).toEqual(
        expect.arrayContaining(['larder_server_started', 'larder_stop_started', 'larder_server_stopped']),
      );
    } finally {
      await database.drop();
    }
  });
});

describe('a start that can not be', () => {
  it.each([
    ['a bad value', { PORT: 'eighty-eighty' }, 'PORT'],
    ['timeouts that do not nest', { LOCK_TIMEOUT_MS: '31337', STATEMENT_TIMEOUT_MS: '31336' }, 'STATEMENT_TIMEOUT_MS'],
    ['a secret that is too short', { JWT_SECRET: 'swordfish' }, 'JWT_SECRET'],
    [
      'the default secret in production',
      { NODE_ENV: 'production', DATABASE_URL: 'postgresql://u:hunter2@h/d' },
      'JWT_SECRET',
    ],
    ['no database in production', { NODE_ENV: 'production', JWT_SECRET: 's'.repeat(32) }, 'DATABASE_URL'],
  ])('%s: says the name of the setting and not the value, and ends with 1', async (_case, settings, key) => {
    const run = build.start({ DATA_DIR: join(build.folder, 'never'), ...settings });
    expect(await run.exited).toBe(1);
    expect(run.stderr).toMatch(/^Larder can not start:\n/);
    expect(run.stderr).toContain(`  ${key}: `);
    expect(run.stdout).toBe('');
    for (const value of ['eighty-eighty', '31337', '31336', 'swordfish', 'hunter2', 'ssss']) {
      expect(run.stderr).not.toContain(value);
    }
    await expect(access(join(build.folder, 'never'))).rejects.toThrow('ENOENT');
  });

  it('a database that is not there, or not as the URL says', async () => {
    const database = await createTestDatabase();
    const wrong = new URL(database.url);
    wrong.pathname = '/no-such-database';
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as { port: number };
    closed.close();
    await expectRefusal(
      build.start({ DATABASE_URL: `postgresql://u:hunter2@127.0.0.1:${port}/d` }),
      /can't be reached \(ECONNREFUSED\)/,
    );
    await expectRefusal(build.start({ DATABASE_URL: wrong.href }), /database "no-such-database" does not exist/);
    await database.drop();
  });

  async function expectRefusal(run: LarderRun, message: RegExp): Promise<void> {
    expect(await run.exited).toBe(1);
    expect(run.stderr).toMatch(message);
    expect(run.stderr).not.toContain('hunter2');
    expect(run.stdout).toBe('');
  }
});

async function post(url: string, path: string, body: object, store = 'demo'): Promise<Response> {
  return fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-store': store },
    body: JSON.stringify(body),
  });
}

async function login(url: string, email: string, password = 'larder-demo', store = 'demo'): Promise<Session> {
  const response = await post(url, '/api/auth/login', { email, password }, store);
  expect(response.status).toBe(200);
  return (await response.json()) as Session;
}

async function withinMs(ms: number, check: () => Promise<unknown>): Promise<void> {
  const deadline = performance.now() + ms;
  for (;;) {
    try {
      await check();
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((done) => setTimeout(done, 25));
    }
  }
}

/** Stock is what on hand and the movements differ by. */
function demoStore(url: string): Promise<unknown[]> {
  return withClient(url, async (client) => {
    const { rows } = await client.query(`
      SELECT s.slug, s.delivery_fee::int AS fee, s.agent_float_limit::int AS limit,
             (SELECT count(*)::int FROM products p WHERE p.store_id = s.id AND p.published) AS products,
             (SELECT count(*)::int FROM users u WHERE u.store_id = s.id) AS users,
             (SELECT count(*)::int FROM delivery_agents a
               WHERE a.store_id = s.id AND a.status = 'ONLINE' AND a.service_zip_codes = s.service_zip_codes) AS online,
             (SELECT count(*)::int FROM users u
               WHERE u.store_id = s.id AND u.address ->> 'zip' = ANY (s.service_zip_codes)) AS addresses,
             (SELECT array_agg(DISTINCT w.balance::int) FROM wallets w WHERE w.store_id = s.id AND w.kind = 'CUSTOMER') AS wallets,
             (SELECT sum(l.on_hand)::int FROM stock_levels l WHERE l.store_id = s.id)
               - (SELECT sum(m.delta)::int FROM stock_movements m WHERE m.store_id = s.id) AS stock,
             (SELECT count(*)::int FROM orders o WHERE o.store_id = s.id) AS orders
        FROM stores s
       ORDER BY s.slug`);
    return rows;
  });
}
