import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import supertest from 'supertest';
import { type Build, buildLarder } from '../support/built-larder.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { Factory, type TestUser } from '../support/factories.js';
import { sumOfMetric } from '../support/metrics.js';
import { RedisServer } from '../support/redis-server.js';
import { callOver, type Reply, tally } from '../support/shop.js';
import { until } from './until.js';

const CALLERS = 1000;
const PROCESSES = 4;
/** The first load takes so long at least, that all may come while it is under way. */
const HELD_MS = 1000;

let build: Build;
let database: TestDatabase;
let redis: RedisServer;
let sql: pg.Pool;
let urls: string[];
let manager: TestUser;
const agent = new http.Agent({ keepAlive: true });

beforeAll(async () => {
  [build, database, redis] = await Promise.all([buildLarder(), createTestDatabase(), RedisServer.start()]);
  sql = new pg.Pool({ connectionString: database.url, max: 3 });
  sql.on('error', () => undefined);
  const settings = {
    NODE_ENV: 'test',
    LARDER_ROLE: 'api',
    DATABASE_URL: database.url,
    LOCK_TIMEOUT_MS: '2900',
    // A thousand callers are much for a machine that does other things as well.
    REQUEST_DEADLINE_MS: '30000',
    REDIS_TIMEOUT_MS: '4000',
    REDIS_URL: redis.url,
  };
  const runs = Array.from({ length: PROCESSES }, () => build.start(settings));
  urls = await Promise.all(runs.map((run) => run.url()));
  await redisIs(1);
  // One of them warms what there is at the start; a store that comes later is cold.
  await until(() => runs.some(({ stdout }) => stdout.includes('cache_warming_completed')));
  const make = new Factory(sql);
  manager = await make.user(await make.store('later'), 'MANAGER');
});
afterAll(async () => {
  agent.destroy();
  await build?.clear();
  await sql?.end();
  await Promise.all([redis?.kill(), database?.drop()]);
});

const counted = async (name: string, labels?: string): Promise<number> => {
  const counts = await Promise.all(urls.map((url) => sumOfMetric({ http: supertest(url) }, name, labels)));
  return counts.reduce((sum, count) => sum + count);
};
const redisIs = (up: number): Promise<void> =>
  until(async () => (await counted('larder_redis_up')) === up * PROCESSES, 20_000);

let day = 0;

/** All at once to so many of the processes, for figures of a day that nobody has read. */
async function ask(processes: number): Promise<Reply[]> {
  const path = `/api/dashboard/order-trends?from=2025-01-0${++day}&to=2025-01-0${day}`;
  const lock = await sql.connect();
  await lock.query('BEGIN');
  await lock.query('LOCK TABLE orders');
  const replies = Promise.all(
    Array.from({ length: CALLERS }, (_, n) => callOver(agent, urls[n % processes] + path, 'get', { user: manager })),
  );
  const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  await until(async () => (await sql.query(waiting)).rowCount !== 0);
  await sleep(HELD_MS);
  await lock.query('COMMIT');
  lock.release();
  return replies;
}

/** What was loaded for them, and what of it came over Redis from another process. */
async function loadsFor(processes: number): Promise<{ loads: number; shared: number; answers: number }> {
  const count = async () => ({
    loads: await counted('larder_cache_loads_total'),
    shared: await counted('larder_cache_reads_total', 'source="redis"'),
  });
  const before = await count();
  const replies = await ask(processes);
  const after = await count();
  expect(tally(replies)).toEqual({ 200: CALLERS });
  return {
    loads: after.loads - before.loads,
    shared: after.shared - before.shared,
    // The moment of the load is in them.
    answers: new Set(replies.map(({ text }) => text)).size,
  };
}

describe(`${CALLERS} callers of a cold dashboard, spread over processes`, () => {
  it.each([2, PROCESSES])('that are %i are one load, whose answer the others find in Redis', async (processes) => {
    expect(await loadsFor(processes)).toEqual({ loads: 1, shared: processes - 1, answers: 1 });
  });

  it.each([2, PROCESSES])('that are %i without Redis are one load in each of them', async (processes) => {
    await redis.kill();
    await redisIs(0);
    expect(await loadsFor(processes)).toMatchObject({ loads: processes, shared: 0 });
  });
});
