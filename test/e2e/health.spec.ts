import { setTimeout as sleep } from 'node:timers/promises';
import { newId } from '../../src/common/ids.js';
import { Prisma } from '../../src/generated/prisma/client.js';
import { Draining } from '../../src/modules/health/draining.js';
import { Database } from '../../src/platform/prisma/database.js';
import { startApp, type TestApp } from '../support/app.js';
import { until } from '../support/background.js';
import { Factory } from '../support/factories.js';

const POOL_SIZE = 5;
const GATE = 4711;
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

let larder: TestApp;
beforeAll(async () => {
  // Whoever waits, for a lock or for a connection, waits for longer than any test takes to look.
  larder = await startApp({
    POOL_SIZE: String(POOL_SIZE),
    POOL_ACQUIRE_TIMEOUT_MS: '25000',
    LOCK_TIMEOUT_MS: '26000',
    STATEMENT_TIMEOUT_MS: '27000',
    TRANSACTION_TIMEOUT_MS: '28000',
    REQUEST_DEADLINE_MS: '29000',
  });
  await new Factory(larder.sql).store();
  // On a busy machine the first look at the database may take longer than it may.
  while ((await larder.http.get('/health/startup')).status !== 200) await sleep(100);
});
afterAll(() => larder.close());

describe('probes', () => {
  it.each(['db', 'live', 'ready', 'startup'])(
    '/health/%s is healthy, without a login and for no store',
    async (probe) => {
      const response = await larder.http.get(`/health/${probe}`).set('authorization', 'Bearer nonsense').expect(200);
      expect(response.body).toEqual({ status: 'healthy', timestamp: expect.stringMatching(ISO_TIME) });
      expect(response.headers['cache-control']).toContain('no-store');
    },
  );

  it('an instance on its way out is not ready, but alive and serving', async () => {
    larder.app.get(Draining).begun = true;
    const { body, headers } = await larder.http.get('/health/ready').expect(503);
    expect(body).toMatchObject({
      statusCode: 503,
      code: 'NOT_READY',
      error: 'Service Unavailable',
      path: '/health/ready',
      details: [{ check: 'server', status: 'down' }],
    });
    expect(headers['retry-after']).toBe('1');
    for (const path of ['/health/live', '/health/db', '/health/startup', '/api/products']) {
      await larder.http.get(path).expect(200);
    }
    larder.app.get(Draining).begun = false;
  });

  it('writes no log line for a probe that is well', async () => {
    const probes = () => larder.logLines().filter((line) => JSON.stringify(line).includes('/health/'));
    const before = probes();
    await larder.http.get('/health/live').expect(200);
    await larder.http.get('/health/db').expect(200);
    expect(probes()).toEqual(before);
    // One that isn't is told.
    larder.app.get(Draining).begun = true;
    await larder.http.get('/health/ready').expect(503);
    larder.app.get(Draining).begun = false;
    expect(probes().length).toBeGreaterThan(before.length);
  });
});

describe('migrations that are missing', () => {
  it('hold back readiness and startup until they are applied, and then no more', async () => {
    const { rows } = await larder.sql.query(`
      DELETE FROM _prisma_migrations
       WHERE migration_name = (SELECT max(migration_name) FROM _prisma_migrations)
      RETURNING *`);
    const restarted = await startApp({ DATABASE_URL: larder.config.DATABASE_URL ?? '' });
    try {
      const checksDown = async () => {
        const { body } = await restarted.http.get('/health/ready');
        return ((body as { details?: { check: string }[] }).details ?? []).map(({ check }) => check);
      };
      // On a busy machine the first look at the database may take longer than it may.
      await until(async () => !(await checksDown()).includes('database'));
      for (const probe of ['ready', 'startup']) {
        const { body } = await restarted.http.get(`/health/${probe}`).expect(503);
        expect(body).toMatchObject({ code: 'NOT_READY', details: [{ check: 'migrations', status: 'down' }] });
        expect(JSON.stringify(body)).not.toContain(rows[0].migration_name);
      }
      await restarted.http.get('/health/live').expect(200);
      await restarted.http.get('/health/db').expect(200);

      await larder.sql.query(
        `INSERT INTO _prisma_migrations SELECT * FROM json_populate_record(NULL::_prisma_migrations, $1)`,
        [JSON.stringify(rows[0])],
      );
      await until(async () => (await restarted.http.get('/health/startup')).status === 200);
      await restarted.http.get('/health/ready').expect(200);
    } finally {
      await restarted.close();
    }
  });
});

describe('/health/pool', () => {
  it('says the same as pg_stat_activity, idle and under load', async () => {
    const database = larder.app.get(Database);
    const gate = await larder.sql.connect();
    for (const callers of [0, 3, 20]) {
      await gate.query(`SELECT pg_advisory_lock(${GATE})`);
      const load = Array.from({ length: callers }, () =>
        database.query(Prisma.sql`SELECT count(*) FROM pg_advisory_xact_lock_shared(${GATE}::bigint)`),
      );
      const active = Math.min(callers, POOL_SIZE);
      const look = () => Promise.all([larder.http.get('/health/pool').expect(200), activity()]);
      let [{ body }, seen] = await look();
      // Until all of them wait at the gate, and nobody asks whether the database is there, as somebody does each second.
      await until(async () => {
        [{ body }, seen] = await look();
        return seen.active === active && body.pool.active === active;
      });
      expect(body.pool).toMatchObject({ active, waiting: callers - active, total: seen.total });
      expect(body.pool.active).toBe(seen.active);
      expect(body.pool.idle).toBe(seen.total - seen.active);
      expect(body.status).toBe(callers > POOL_SIZE ? 'saturated' : 'healthy');
      expect(body.timestamp).toMatch(ISO_TIME);
      await gate.query(`SELECT pg_advisory_unlock(${GATE})`);
      await Promise.all(load);
    }
    gate.release();
  });

  async function activity(): Promise<{ total: number; active: number }> {
    const { rows } = await larder.sql.query<{ total: number; active: number }>(`
      SELECT count(*)::int AS total, count(*) FILTER (WHERE state = 'active')::int AS active
        FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'larder'`);
    return rows[0] ?? { total: 0, active: 0 };
  }
});

describe('an exhausted pool', () => {
  it('fails neither liveness nor readiness nor the question whether the database answers', async () => {
    const { pool } = larder.app.get(Database);
    const held = await Promise.all(Array.from({ length: POOL_SIZE }, () => pool.connect()));
    try {
      // Who waited for a connection of the pool would wait for ever.
      for (const probe of ['live', 'ready', 'db']) await larder.http.get(`/health/${probe}`).expect(200);
      await sleep(3500);
      await larder.http.get('/health/ready').expect(200);
      const { body } = await larder.http.get('/health/pool').expect(200);
      expect(body.pool).toEqual({ active: POOL_SIZE, idle: 0, total: POOL_SIZE, waiting: 0 });
    } finally {
      held.forEach((client) => client.release());
    }
  });
});

describe('/metrics', () => {
  it('is what Prometheus scrapes: the base of what Larder measures, by route template', async () => {
    const unknown = newId();
    await larder.http.get('/api/products').expect(200);
    await larder.http.get(`/api/products/${unknown}`).expect(404);
    const { text, headers } = await larder.http.get('/metrics').expect(200);
    expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4; charset=utf-8$/);
    expect(text).toMatch(
      /^larder_http_request_duration_seconds_count\{method="GET",route="\/api\/products",status="200"\} \d+$/m,
    );
    expect(text).toMatch(/route="\/api\/products\/:id",status="404"/);
    expect(text).not.toContain(unknown);
    expect(text).toMatch(/^larder_db_pool_connections\{state="waiting"\} 0$/m);
    expect(text).toMatch(/^larder_build_info\{version="\d+\.\d+\.\d+",node="v\d+\.\d+\.\d+"\} 1$/m);
    for (const name of [
      'larder_http_requests_active',
      'larder_idempotency_total',
      'larder_db_query_duration_seconds',
      'larder_db_slow_queries_total',
      'larder_db_pool_acquire_failures_total',
      'larder_db_transaction_retries_total',
      'larder_db_lock_conflicts_total',
      'larder_orders_placed_total',
      'larder_oversell_rejects_total',
      'process_cpu_seconds_total',
      'nodejs_eventloop_lag_p99_seconds',
    ]) {
      expect(text).toContain(`# HELP ${name} `);
    }
  });

  it('counts no probe of the database among the statements of the application', async () => {
    const statements = (text: string): string[] =>
      text.match(/^larder_db_query_duration_seconds_count.*table="none".*$/gm) ?? [];
    const before = statements((await larder.http.get('/metrics')).text);
    for (let round = 0; round < 5; round += 1) await larder.http.get('/health/db').expect(200);
    expect(statements((await larder.http.get('/metrics')).text)).toEqual(before);
  });
});
