import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { runInContext } from '../../src/common/request-context.js';
import { Answer } from '../../src/platform/cache/answer.js';
import { defineCache } from '../../src/platform/cache/define-cache.js';
import type { Tag } from '../../src/platform/cache/invalidation/tags.js';
import { RedisServer } from '../support/redis-server.js';
import { CacheInstance, Gate, OTHER_STORE, PATIENT, SALES, STORE } from './instance.js';
import { until } from './until.js';

const MINUTE_MS = 60_000;
/** Expired after a minute, and served for an hour after that while it is read anew. */
const SHORT = defineCache({
  name: 'test.short',
  category: 'orders',
  ttlMs: MINUTE_MS,
  staleMs: 60 * MINUTE_MS,
  tags: (_day: string): Tag[] => ['orders'],
});
const short = { definition: SHORT };

let instance: CacheInstance;

beforeAll(async () => {
  instance = await CacheInstance.start();
});
afterEach(() => void jest.restoreAllMocks());
afterAll(() => instance.close());

/** So much later by the clock that entries grow old by. */
function passes(ms: number): void {
  const later = Date.now() + ms;
  jest.restoreAllMocks();
  jest.spyOn(Date, 'now').mockReturnValue(later);
}
const expires = (): void => passes(SHORT.ttlMs);

describe('What has expired', () => {
  it('is served at once, however many ask, while one load reads it anew', async () => {
    const gate = new Gate<string>();
    await instance.read('stale', () => 'old', short);
    expires();
    const reads = await Promise.all(Array.from({ length: 100 }, () => instance.read('stale', gate.load, short)));
    expect(new Set(reads)).toEqual(new Set(['old']));
    gate.finish('new');
    await until(async () => (await instance.read('stale', () => 'newer', short)) === 'new');
    expect(gate.loads).toBe(1);
  });

  it('goes on being served when it can not be read anew, and that is not tried again at once', async () => {
    let attempts = 0;
    const failing = (): never => {
      attempts += 1;
      throw new Error('no database');
    };
    await instance.read('broken', () => 'old', short);
    expires();
    for (let read = 0; read < 100; read += 1) expect(await instance.read('broken', failing, short)).toBe('old');
    expect(attempts).toBe(1);
  });

  it('is gone when it was invalidated, however short ago', async () => {
    await instance.read('gone', () => 'old', short);
    expires();
    instance.invalidate('orders');
    expect(await instance.read('gone', () => 'new', short)).toBe('new');
  });

  it('does not come to that where somebody reads it in the last fifth of its time', async () => {
    let loads = 0;
    const load = (): number => (loads += 1);
    const read = (): Promise<number> => instance.read('early', load, short);
    const stats = () => instance.within(STORE, () => instance.cache.stats());
    await read();
    const before = stats().loads.refresh;
    for (let life = 1; life <= 4; life += 1) {
      passes(0.79 * SHORT.ttlMs);
      for (let time = 0; time < 5; time += 1) expect(await read()).toBe(life);
      expect(stats().loads.refresh - before).toBe(life - 1);
      passes(0.02 * SHORT.ttlMs);
      // Whoever reads it gets what is there, and need not wait for the next.
      expect(await read()).toBe(life);
      await until(() => loads === life + 1);
      await until(async () => (await read()) === life + 1);
    }
    expect(loads).toBe(5);
  });
});

describe('Memory', () => {
  it('is bounded in bytes: the answers that were not used for longest go first', async () => {
    const small = await CacheInstance.start({ CACHE_MEMORY_MB: '1' });
    const large = 'x'.repeat(100_000);
    for (let day = 0; day < 50; day += 1) {
      await small.read(`${day}`, () => large);
      await small.read('0', () => 'gone');
    }
    const { memory } = small.within(STORE, () => small.cache.stats());
    expect(memory.entries).toBe(10);
    expect(memory.bytes).toBeLessThanOrEqual(memory.limitBytes);
    expect(await small.read('0', () => 'gone')).toBe(large);
    expect(await small.read('20', () => 'gone')).toBe('gone');
    await small.close();
  });

  it('tells what it knows: reads by source and category, loads, duplicates spared, the keys of the own store', async () => {
    const fresh = await CacheInstance.start();
    const gate = new Gate<number>();
    const readers = Array.from({ length: 10 }, () => fresh.read('stats', gate.load));
    gate.finish(1);
    await Promise.all(readers);
    for (let read = 0; read < 90; read += 1) await fresh.read('stats', gate.load);
    await fresh.read('theirs', () => 2, { store: OTHER_STORE });
    await fresh.read('fails', () => Promise.reject(new Error('no')), short).catch(() => undefined);
    fresh.invalidate('wallets');
    const stats = fresh.within(STORE, () => fresh.cache.stats());
    expect(stats).toMatchObject({
      redis: 'none',
      memory: { entries: 2 },
      categories: [{ category: 'orders', reads: { memory: 90, redis: 0, stale: 0, joined: 9, loaded: 2, failed: 1 } }],
      hitRates: { memory: 0.8824, redis: 0, stale: 0, all: 0.8824 },
      loads: { read: 2, refresh: 0, invalidated: 0, failed: 1 },
      dedupRatio: 0.8182,
      invalidations: { applied: 1, merged: 0, heard: 0 },
    });
    expect(stats.topKeys).toMatchObject([{ key: `larder:{${STORE}}:test.sales:["stats"]`, hits: 90 }]);
    await fresh.close();
  });
});

describe('Where Redis is', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await RedisServer.start();
  });
  afterAll(() => redis.kill());

  it('keeps answers over 10 KB compressed, smaller ones as they are, and both come back as they were', async () => {
    const [here, there] = [
      await CacheInstance.start({ REDIS_URL: redis.url, ...PATIENT }),
      await CacheInstance.start({ REDIS_URL: redis.url, ...PATIENT }),
    ];
    const rows = Array.from({ length: 2000 }, (_, row) => ({ row, name: 'Grüße – 日本', price: row * 7 }));
    const long = await here.answer('long', () => rows);
    await here.answer('brief', () => ({ name: 'Grüße' }));
    const sizeOf = (key: string): Promise<number> =>
      redis.with((client) => client.strlen(`larder:{${STORE}}:test.sales:["${key}"]`));
    await until(async () => (await sizeOf('brief')) > 0 && (await sizeOf('long')) > 0);
    expect(long.json.length).toBeGreaterThan(80_000);
    expect(await sizeOf('long')).toBeLessThan(long.json.length / 5);
    const found = await there.answer('long', () => 'loaded');
    expect(found).toEqual(long);
    expect(await there.read('brief', () => 'loaded')).toEqual({ name: 'Grüße' });
    await Promise.all([here.close(), there.close()]);
  });

  it('takes what somebody else wrote there for a miss', async () => {
    const one = await CacheInstance.start({ REDIS_URL: redis.url, ...PATIENT });
    for (const text of ['', 'nonsense', '{"generations":[]}\n1', '{}']) {
      const key = `poison-${text.length}`;
      await redis.with((client) => client.set(`larder:{${STORE}}:test.sales:["${key}"]`, text));
      expect(await one.read(key, () => 'loaded')).toBe('loaded');
    }
    await redis.with((client) => client.hset(`larder:{${STORE}}:test.sales:["hash"]`, 'field', 1));
    expect(await one.read('hash', () => 'loaded')).toBe('loaded');
    await one.close();
  });

  it('is warmed by one instance at the start, in the background, and by the next one not again', async () => {
    const reads: string[] = [];
    const gate = new Gate<number>();
    const start = (name: string): Promise<CacheInstance> =>
      CacheInstance.start({ REDIS_URL: redis.url, ...PATIENT }, (cache) => {
        const load = () => gate.load().then((value) => Answer.of(value));
        const warm = (): Promise<unknown> => {
          reads.push(name);
          return runInContext({ requestId: 'warm', storeId: STORE }, () => cache.read(SALES, ['warm'], load));
        };
        cache.warmAtStart(() => Promise.resolve([() => Promise.reject(new Error('not this one')), warm]));
      });
    const first = await start('first');
    await until(() => reads.length === 1);
    const second = await start('second');
    gate.finish(5);
    await until(() => first.log.some((line) => line.includes('cache_warming_completed')));
    expect(await second.read('warm', () => -1)).toBe(5);
    expect(reads).toEqual(['first']);
    expect(gate.loads).toBe(1);
    await Promise.all([first.close(), second.close()]);
  });
});
