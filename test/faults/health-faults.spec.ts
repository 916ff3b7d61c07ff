import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import supertest from 'supertest';
import type TestAgent from 'supertest/lib/agent.js';
import { createApp } from '../../src/app.setup.js';
import { loadConfig } from '../../src/config/config.js';
import { type EmbeddedDatabase, startEmbeddedPostgres } from '../../src/platform/embedded/embedded-postgres.js';
import { applyMigrations } from '../../src/platform/prisma/migrations.js';
import { withClient } from '../support/database.js';
import { fastestOf } from '../support/fastest.js';
import { freePort } from '../support/redis-server.js';

/** A server of this file's own, which it may stop and freeze. */
let folder: string;
let server: EmbeddedDatabase;
let app: NestFastifyApplication;
let http: TestAgent;
let logged = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-health-'));
  await chmod(folder, 0o711);
  server = await startEmbeddedPostgres({ dataDir: folder, port: await freePort() });
  await applyMigrations(server.url);
  const log = new PassThrough().on('data', (chunk: Buffer) => (logged += chunk.toString()));
  app = await createApp(loadConfig({ NODE_ENV: 'test', DATABASE_URL: server.url }), log);
  await app.listen(0, '127.0.0.1');
  http = supertest(await app.getUrl());
});

afterAll(async () => {
  await app.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

it('a frozen database: told within a second, by however many ask, and over when it thaws', async () => {
  await within(20_000, expectHealthy);
  const pids = await freezeServer();
  try {
    const all = () => Promise.all(Array.from({ length: 30 }, askUnavailable));
    expect(await fastestOf(1000, all)).toBeLessThan(1000);
    await expectNotReadySoon();
    await expectDatabaseUnavailable();
    await expectAlive();
  } finally {
    pids.forEach((pid) => process.kill(pid, 'SIGCONT'));
  }
  await expectRecovery();
});

it('a stopped database: told at once, and over when it is back, without a restart', async () => {
  await within(20_000, expectHealthy);
  const port = Number(new URL(server.url).port);
  await server.stop();
  await expectDatabaseUnavailable();
  await expectNotReadySoon();
  await expectAlive();

  server = await startEmbeddedPostgres({ dataDir: folder, port });
  await expectRecovery();
});

it('each change is one line of the log, and no line names the server', () => {
  const events = logged
    .split('\n')
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as { event: string }).event)
    .filter((event) => event.startsWith('health_database_'));
  // On a busy machine a healthy one may seem gone for a moment, too.
  expect(events.length).toBeGreaterThanOrEqual(4);
  const changes = ['health_database_failed', 'health_database_completed'];
  expect(events).toEqual(events.map((_event, index) => changes[index % 2]));
  expect(events.at(-1)).toBe('health_database_completed');
});

async function expectHealthy(): Promise<void> {
  for (const probe of ['db', 'live', 'ready', 'startup']) await http.get(`/health/${probe}`).expect(200);
}

async function expectDatabaseUnavailable(): Promise<void> {
  expect(await fastestOf(1000, askUnavailable)).toBeLessThan(1000);
}

async function askUnavailable(): Promise<void> {
  const { body, headers } = await http.get('/health/db').expect(503);
  expect(body).toEqual({
    statusCode: 503,
    code: 'DATABASE_UNAVAILABLE',
    error: 'Service Unavailable',
    message: expect.any(String),
    path: '/health/db',
    requestId: expect.any(String),
    timestamp: expect.any(String),
    details: [{ check: 'database', status: 'down' }],
  });
  expect(headers['retry-after']).toBe('5');
}

async function expectNotReadySoon(): Promise<void> {
  await within(10_000, async () => {
    const started = performance.now();
    const { status, body } = await http.get('/health/ready');
    expect(performance.now() - started).toBeLessThan(200);
    expect({ status, code: body.code }).toEqual({ status: 503, code: 'NOT_READY' });
    expect(body.details).toEqual([{ check: 'database', status: 'down' }]);
  });
}

/** What does not need the database is as well as ever. */
async function expectAlive(): Promise<void> {
  for (const path of ['/health/live', '/health/startup', '/health/pool', '/metrics']) {
    const ask = () => http.get(path).expect(200);
    expect(await fastestOf(200, ask)).toBeLessThan(200);
  }
}

async function expectRecovery(): Promise<void> {
  await within(20_000, async () => {
    await expectHealthy();
    const { body } = await http.get('/health/pool').expect(200);
    expect(body.pool.waiting).toBe(0);
  });
}

async function within(ms: number, check: () => Promise<void>): Promise<void> {
  const deadline = performance.now() + ms;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(100);
    }
  }
}

/** The one that makes connections first, so that none is missed that the worker opens meanwhile. Returns all that are frozen. */
async function freezeServer(): Promise<number[]> {
  const home = await readFile(join(folder, 'postgres-home'), 'utf8').catch(() => join(folder, 'postgres'));
  const postmaster = Number.parseInt(await readFile(join(home.trim(), 'cluster/postmaster.pid'), 'utf8'), 10);
  return withClient(server.adminUrl, async (client) => {
    process.kill(postmaster, 'SIGSTOP');
    const frozen = new Set([postmaster]);
    // A connection that was just being opened is seen a moment later.
    for (let looks = 0; looks < 5; looks++) {
      const { rows } = await client.query<{ pid: number }>(
        'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()',
      );
      for (const { pid } of rows) {
        process.kill(pid, 'SIGSTOP');
        frozen.add(pid);
      }
      await sleep(50);
    }
    return [...frozen];
  });
}
