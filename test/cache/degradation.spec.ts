import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineCache } from '../../src/platform/cache/define-cache.js';
import type { Tag } from '../../src/platform/cache/invalidation/tags.js';
import { freePort, RedisServer } from '../support/redis-server.js';
import { quantile } from '../support/shop.js';
import { CacheInstance, PATIENT } from './instance.js';
import { SlowProxy } from './slow-proxy.js';
import { until } from './until.js';

const QUERY_MS = 5;
const READERS = 16;
const RUN_MS = 1200;
const MOST_ADDED_MS = 100;
/** Of each answer. */
const SLOW_MS = 20;
/** What else the machine does can only make reads longer: the best of so many rounds is what the fault adds to them. */
const ROUNDS = 5;

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
type Pair = [CacheInstance, CacheInstance];
let instances: Pair;
/** Over a Redis to which nothing happens: what their reads take is of the machine and of this process. */
let spared: Pair;
let sparedRedis: RedisServer;
let sparedProxy: SlowProxy;

beforeAll(async () => {
  [redis, sparedRedis] = await Promise.all([RedisServer.start(), RedisServer.start()]);
  [proxy, sparedProxy] = [await SlowProxy.to(redis.port), await SlowProxy.to(sparedRedis.port)];
});
afterAll(async () => {
  await Promise.all([proxy.close(), sparedProxy.close()]);
  await Promise.all([redis.kill(), sparedRedis.kill()]);
});

async function start(settings: Record<string, string> = {}): Promise<void> {
  const pairOver = async (url: string): Promise<Pair> => {
    const all = { ...settings, REDIS_URL: url };
    return [await CacheInstance.start(all), await CacheInstance.start(all)];
  };
  [instances, spared] = [await pairOver(proxy.url), await pairOver(sparedProxy.url)];
  // From here on changes are a storm, as they are where there is so much to do, and are merged.
  await addedUnder(() => Promise.resolve());
}

async function stop(): Promise<void> {
  await Promise.all([...instances, ...spared].map(({ close }) => close()));
}

/**
 * Readers and a writer on both instances, and what happens to Redis meanwhile. No read may fail.
 * @returns the milliseconds that it adds: by which 99 % of the reads are slower than those of the pair that is spared
 */
async function addedUnder(fault: () => Promise<void>): Promise<number> {
  const [struck, unharmed]: [number[], number[]] = [[], []];
  const over = AbortSignal.timeout(RUN_MS);
  const reader = async (number: number, instance: CacheInstance, latencies: number[]): Promise<void> => {
    for (let read = number; !over.aborted; read += 1) {
      const started = performance.now();
      await instance.read(`key-${read % 20}`, () => sleep(QUERY_MS, read), { definition: BUSY });
      latencies.push(performance.now() - started);
      await sleep(1);
    }
  };
  const writer = async (): Promise<void> => {
    for (let change = 0; !over.aborted; change += 1) {
      for (const pair of [instances, spared]) pair[change % 2]!.invalidate('orders');
      await sleep(40);
    }
  };
  await allUp();
  const readers = Array.from({ length: READERS }, (_, number) => [
    reader(number, instances[number % 2]!, struck),
    reader(number, spared[number % 2]!, unharmed),
  ]);
  const work = [writer(), ...readers.flat()];
  await sleep(RUN_MS / 6);
  await fault();
  await Promise.all(work);
  return quantile(struck, 0.99) - quantile(unharmed, 0.99);
}

const slowDown = (): Promise<void> => Promise.resolve(void (proxy.delayMs = SLOW_MS));

/** Of the best round. */
async function addedInBestOf(round: () => Promise<number>): Promise<number> {
  let added = Infinity;
  for (let n = 1; n <= ROUNDS && added > MOST_ADDED_MS; n += 1) added = await round();
  return added;
}

const eventsSince = (before: number[]): string[][] =>
  instances.map((instance, index) => instance.redisEvents().slice(before[index]));
const eventCounts = (): number[] => instances.map((instance) => instance.redisEvents().length);
const allUp = (up = true): Promise<void> => until(() => instances.every(({ redis: client }) => client.up === up));

/** What one instance loads, the other finds in Redis; where that had to wait for its turn on this machine, the next time. */
async function expectShared(what: string): Promise<void> {
  const [here, there] = instances;
  const calm = { definition: MISSED };
  let tries = 0;
  await until(async () => {
    const key = `${what}-${(tries += 1)}`;
    expect(await here.read(key, () => 'loaded here', calm)).toBe('loaded here');
    return (await there.read(key, () => 'loaded there', calm)) === 'loaded here';
  });
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
    let round = 0;
    const added = await addedInBestOf(async () => {
      round += 1;
      await allUp();
      const before = eventCounts();
      const truth = { now: 1 };
      for (const one of instances) await one.read('missed', () => truth.now, { definition: MISSED });
      const addedMs = await addedUnder(breakIt);
      await allUp(false);
      await changeUnheard(truth);
      await heal();
      await allUp();
      // A machine that is busy elsewhere may take it for gone once more; but each change is one line.
      for (const events of eventsSince(before))
        expect(events.join(' ')).toMatch(/^(cache_redis_down cache_redis_up ?)+$/);
      await until(
        async () => (await instances[1].read('missed', () => truth.now, { definition: MISSED })) === truth.now,
      );
      await expectShared(`after-${name}-${round}`);
      return addedMs;
    });
    expect(added).toBeLessThanOrEqual(MOST_ADDED_MS);
  });

  it('slow: no read waits for it longer than it may', async () => {
    const added = await addedInBestOf(() => addedUnder(slowDown));
    proxy.delayMs = 0;
    expect(added).toBeLessThanOrEqual(MOST_ADDED_MS);
  });
});

describe('Redis stays under load, but', () => {
  // As long as it answers at all, however busy this machine is.
  beforeAll(() => start(PATIENT));
  afterAll(stop);

  it('slow: its answers are waited for, and nobody calls it gone', async () => {
    const before = eventCounts();
    await addedUnder(slowDown);
    proxy.delayMs = 0;
    expect(eventsSince(before)).toEqual([[], []]);
    await expectShared('after-slow');
  });

  it('full: answers come from memory and the database, and invalidations still reach everybody', async () => {
    const before = eventCounts();
    const fill = () => redis.with(async (client) => void (await client.config('SET', 'maxmemory', '1mb')));
    expect(await addedInBestOf(() => addedUnder(fill))).toBeLessThanOrEqual(MOST_ADDED_MS);
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
    const flush = () => redis.with(async (client) => void (await client.flushall()));
    expect(await addedInBestOf(() => addedUnder(flush))).toBeLessThanOrEqual(MOST_ADDED_MS);
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
