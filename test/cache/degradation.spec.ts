import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineCache } from '../../src/platform/cache/define-cache.js';
import type { Tag } from '../../src/platform/cache/invalidation/tags.js';
import { freePort, RedisServer } from '../support/redis-server.js';
import { CacheInstance } from './instance.js';
import { SlowProxy } from './slow-proxy.js';
import { until } from './until.js';

const QUERY_MS = 5;
const READERS = 16;
const RUN_MS = 1200;
const MOST_ADDED_MS = 100;

/** Figures that each change of orders makes anew, so that Redis is asked all the time. */
const BUSY = defineCache({
  name: 'test.busy',
  category: 'orders',
  ttlMs: 600_000,
  staleMs: 600_000,
  tags: (_day: string): Tag[] => ['orders'],
});
const MISSED = defineCache({ ...BUSY, name: 'test.missed', tags: (_day: string): Tag[] => ['payments'] });

let redis: RedisServer;
let proxy: SlowProxy;
let instances: [CacheInstance, CacheInstance];
/** 99 % of reads were as fast as this while nothing was wrong. */
let usualMs: number;

beforeAll(async () => {
  redis = await RedisServer.start();
  proxy = await SlowProxy.to(redis.port);
});
afterAll(async () => {
  await proxy.close();
  await redis.kill();
});

async function start(settings: Record<string, string> = {}): Promise<void> {
  const all = { REDIS_URL: proxy.url, ...settings };
  instances = [await CacheInstance.start(all), await CacheInstance.start(all)];
  usualMs = await trafficP99(() => Promise.resolve());
}

async function stop(): Promise<void> {
  await Promise.all(instances.map(({ close }) => close()));
}

/** Readers and a writer on both instances, and what happens to Redis meanwhile. No read may fail. */
async function trafficP99(fault: () => Promise<void>): Promise<number> {
  const latencies: number[] = [];
  const over = AbortSignal.timeout(RUN_MS);
  const reader = async (number: number): Promise<void> => {
    for (let read = number; !over.aborted; read += 1) {
      const instance = instances[number % 2] as CacheInstance;
      const started = performance.now();
      await instance.read(`key-${read % 20}`, () => sleep(QUERY_MS, read), { definition: BUSY });
      latencies.push(performance.now() - started);
      await sleep(1);
    }
  };
  const writer = async (): Promise<void> => {
    for (let change = 0; !over.aborted; change += 1) {
      instances[change % 2]?.invalidate('orders');
      await sleep(40);
    }
  };
  await allUp();
  const work = [writer(), ...Array.from({ length: READERS }, (_, number) => reader(number))];
  await sleep(RUN_MS / 6);
  await fault();
  await Promise.all(work);
  latencies.sort((a, b) => a - b);
  return latencies[Math.floor(latencies.length * 0.99)] ?? 0;
}

const eventsSince = (before: number[]): string[][] =>
  instances.map((instance, index) => instance.redisEvents().slice(before[index]));
const eventCounts = (): number[] => instances.map((instance) => instance.redisEvents().length);
const allUp = (up = true): Promise<void> => until(() => instances.every(({ redis: client }) => client.up === up));

/** What one instance loads, the other finds in Redis. */
async function expectShared(key: string): Promise<void> {
  const [here, there] = instances;
  const calm = { definition: MISSED };
  expect(await here.read(key, () => 'loaded here', calm)).toBe('loaded here');
  expect(await there.read(key, () => 'loaded there', calm)).toBe('loaded here');
}

/** A change of which an instance hears nothing, because it is made while Redis is away. */
async function changeUnheard(truth: { now: number }): Promise<void> {
  truth.now += 1;
  instances[0].invalidate('payments');
  const seen = await instances[0].read('missed', () => truth.now, { definition: MISSED });
  expect(seen).toBe(truth.now);
}

describe('Redis goes under load', () => {
  beforeAll(() => start());
  afterAll(stop);

  it.each([
    ['killed', () => redis.kill(), () => redis.restart()],
    ['frozen', () => Promise.resolve(redis.freeze()), () => Promise.resolve(redis.thaw())],
    [
      'slower than anybody waits',
      () => Promise.resolve(void (proxy.delayMs = 400)),
      () => Promise.resolve(void (proxy.delayMs = 0)),
    ],
  ])('%s: no read fails or waits long, and all is well when it is back', async (name, breakIt, heal) => {
    await allUp();
    const before = eventCounts();
    const truth = { now: 1 };
    for (const one of instances) await one.read('missed', () => truth.now, { definition: MISSED });
    const p99 = await trafficP99(breakIt);
    expect(p99).toBeLessThanOrEqual(usualMs + MOST_ADDED_MS);
    await allUp(false);
    await changeUnheard(truth);
    await heal();
    await allUp();
    // A machine that is busy elsewhere may take it for gone once more; but each change is one line.
    for (const events of eventsSince(before))
      expect(events.join(' ')).toMatch(/^(cache_redis_down cache_redis_up ?)+$/);
    await until(async () => (await instances[1].read('missed', () => truth.now, { definition: MISSED })) === truth.now);
    await expectShared(`after-${name}`);
  });
});

describe('Redis stays under load, but', () => {
  // As long as it answers at all, however busy this machine is.
  beforeAll(() => start({ REDIS_TIMEOUT_MS: '2000' }));
  afterAll(stop);

  it('slow: its answers are waited for, and nobody calls it gone', async () => {
    const before = eventCounts();
    const p99 = await trafficP99(() => Promise.resolve(void (proxy.delayMs = 20)));
    proxy.delayMs = 0;
    expect(p99).toBeLessThanOrEqual(usualMs + MOST_ADDED_MS);
    expect(eventsSince(before)).toEqual([[], []]);
    await expectShared('after-slow');
  });

  it('full: answers come from memory and the database, and invalidations still reach everybody', async () => {
    const before = eventCounts();
    const p99 = await trafficP99(() =>
      redis.with(async (client) => void (await client.config('SET', 'maxmemory', '1mb'))),
    );
    expect(p99).toBeLessThanOrEqual(usualMs + MOST_ADDED_MS);
    const [here, there] = instances;
    await there.read('full', () => 'old', { definition: MISSED });
    here.invalidate('payments');
    await until(async () => (await there.read('full', () => 'new', { definition: MISSED })) === 'new');
    expect(eventsSince(before)).toEqual([[], []]);
    await redis.with((client) => client.config('SET', 'maxmemory', '0'));
    await expectShared('after-full');
  });

  it('flushed: everything is a miss once, and nothing else', async () => {
    const before = eventCounts();
    const p99 = await trafficP99(() => redis.with(async (client) => void (await client.flushall())));
    expect(p99).toBeLessThanOrEqual(usualMs + MOST_ADDED_MS);
    expect(eventsSince(before)).toEqual([[], []]);
    await expectShared('after-flush');
  });
});

describe('A start', () => {
  it.each([
    ['without a server there', async () => `redis://127.0.0.1:${await freePort()}`],
    ['with a wrong password', () => Promise.resolve(`redis://:wrong@127.0.0.1:${redis.port}`)],
  ])('%s works, and says so once', async (_name, url) => {
    if (_name.includes('password')) await redis.with((client) => client.config('SET', 'requirepass', 'right'));
    const lonely = await CacheInstance.start({ REDIS_URL: await url(), WAIT: 'no' });
    await until(() => lonely.redisEvents().length > 0);
    expect(await lonely.read('start', () => 1)).toBe(1);
    expect(await lonely.read('start', () => 2)).toBe(1);
    // Probes go on: two more of them say nothing new.
    await sleep(1200);
    expect(lonely.redisEvents()).toEqual(['cache_redis_down']);
    expect(lonely.redis.up).toBe(false);
    await lonely.close();
  });

  it('without a server there does not load all the time what is read all the time', async () => {
    const lonely = await CacheInstance.start({ REDIS_URL: `redis://127.0.0.1:${await freePort()}`, WAIT: 'no' });
    await until(() => lonely.redisEvents().length > 0);
    let loads = 0;
    const load = (): number => (loads += 1);
    for (let read = 0; read < 50; read += 1) {
      await lonely.read('popular', load);
      await sleep(1);
    }
    await lonely.close();
    // It is believed for five seconds.
    expect(loads).toBe(1);
  });
});
