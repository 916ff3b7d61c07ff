import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { once } from 'node:events';
import { defineCache } from '../../src/platform/cache/define-cache.js';
import type { CacheInvalidation } from '../../src/platform/cache/invalidation/cache-invalidation.js';
import { InvalidateCache } from '../../src/platform/cache/invalidation/invalidate-cache.decorator.js';
import { CACHE_CATEGORIES, type Tag } from '../../src/platform/cache/invalidation/tags.js';
import { RedisServer } from '../support/redis-server.js';
import { CacheInstance, OTHER_STORE, PATIENT, STORE } from './instance.js';
import { until } from './until.js';

const cacheOf = (name: string, ...tags: Tag[]) =>
  defineCache({
    name,
    category: 'orders',
    ttlMs: 600_000,
    staleMs: 600_000,
    tags: (_day: string) => tags,
  });

let redis: RedisServer;
let here: CacheInstance;
let there: CacheInstance;

beforeAll(async () => {
  redis = await RedisServer.start();
  const settings = { REDIS_URL: redis.url, ...PATIENT };
  [here, there] = await Promise.all([CacheInstance.start(settings), CacheInstance.start(settings)]);
});
afterAll(async () => {
  await Promise.all([here.close(), there.close()]);
  await redis.kill();
});

/** Until now only one of them invalidates. */
const allHeard = (): Promise<void> => until(() => there.invalidation.counts.heard === here.invalidation.counts.applied);

/** A use case that has nothing to wait for. */
class Shelf {
  constructor(readonly cacheInvalidation: CacheInvalidation) {}

  @InvalidateCache('inventory')
  count(): Promise<string> {
    return Promise.resolve('counted');
  }
}

/** A load that tells how often it was run. */
const counter = () => {
  let loads = 0;
  return () => (loads += 1);
};

describe('An invalidation', () => {
  it.each(CACHE_CATEGORIES)('of %s takes what is of it, and nothing else', async (category) => {
    const other = CACHE_CATEGORIES.find((one) => one !== category) ?? 'orders';
    const concerned = { definition: cacheOf(`test.of-${category}`, category, other) };
    const unconcerned = { definition: cacheOf(`test.not-of-${category}`, other) };
    const [first, second] = [counter(), counter()];
    await here.read('today', first, concerned);
    await here.read('today', second, unconcerned);
    here.within(STORE, () => here.invalidation.invalidateNow(category));
    expect(await here.read('today', first, concerned)).toBe(2);
    expect(await here.read('today', second, unconcerned)).toBe(1);
    expect(await there.read('today', () => 'loaded', concerned)).toBe(2);
    expect(await there.read('today', () => 'loaded', unconcerned)).toBe(1);
  });

  it('of a whole category takes every entry of it, the finer ones too', async () => {
    const past = { definition: cacheOf('test.past', 'orders:past') };
    const load = counter();
    await here.read('2025', load, past);
    here.within(STORE, () => here.invalidation.invalidateNow('orders'));
    expect(await here.read('2025', load, past)).toBe(1);
    here.within(STORE, () => here.invalidation.invalidateNow('orders:*'));
    expect(await here.read('2025', load, past)).toBe(2);
  });

  it('leaves other stores alone', async () => {
    const load = counter();
    await here.read('a-day', load, { store: OTHER_STORE });
    here.within(STORE, () => here.invalidation.invalidateNow('orders'));
    expect(await here.read('a-day', load, { store: OTHER_STORE })).toBe(1);
  });

  it('is known to other instances within 100 ms of when anybody could know it who listens to Redis', async () => {
    const bystander = new Redis(redis.url);
    await bystander.subscribe('larder:invalidated');
    const delays: number[] = [];
    for (let round = 0; round < 50; round += 1) {
      await there.read('heard', () => round);
      const heard = new Promise<number>((resolve) =>
        there.invalidation.onInvalidated(() => resolve(performance.now())),
      );
      const arrived = once(bystander, 'message').then(() => performance.now());
      here.within(STORE, () => here.invalidation.invalidateNow('orders'));
      delays.push((await heard) - (await arrived));
      expect(await there.read('heard', () => round + 0.5)).toBe(round + 0.5);
      here.within(STORE, () => here.invalidation.invalidateNow('orders'));
      await allHeard();
    }
    bystander.disconnect();
    expect(Math.max(...delays)).toBeLessThan(100);
  });

  it('waits for nothing, least of all for a Redis that is frozen', async () => {
    redis.freeze();
    let turned = false;
    setImmediate(() => (turned = true));
    expect(await here.within(STORE, () => new Shelf(here.invalidation).count())).toBe('counted');
    // Nothing from outside, no answer and no timer, can have come meanwhile.
    expect(turned).toBe(false);
    redis.thaw();
    await allHeard();
  });

  it('of what is read by another instance at the same moment never leaves the old figure behind', async () => {
    let truth = 0;
    for (let round = 0; round < 200; round += 1) {
      const reading = [here, there].map((one) => one.read('race', () => Promise.resolve(truth)));
      if (round % 3 === 0) await Promise.resolve();
      truth = round + 1;
      here.within(STORE, () => here.invalidation.invalidateNow('orders'));
      await Promise.all(reading);
      expect(await here.read('race', () => truth)).toBe(truth);
      await allHeard();
      expect(await there.read('race', () => truth)).toBe(truth);
    }
  });
});

describe('A storm of invalidations', () => {
  it('is merged after twenty, and the last change of it is seen half a second later', async () => {
    const alone = await CacheInstance.start();
    let truth = 0;
    const load = counter();
    await alone.read('storm', load);
    for (truth = 1; truth <= 200; truth += 1) alone.invalidate('orders');
    expect(alone.invalidation.counts).toEqual({ applied: 20, merged: 180, heard: 0 });
    expect(await alone.read('storm', load)).toBe(2);
    await until(() => alone.invalidation.counts.applied === 21);
    expect(await alone.read('storm', load)).toBe(3);
    await alone.close();
  });

  it('does not keep a person from invalidating at once', async () => {
    const alone = await CacheInstance.start();
    for (let change = 0; change < 50; change += 1) alone.invalidate('orders');
    const load = counter();
    await alone.read('storm', load);
    alone.within(STORE, () => alone.invalidation.invalidateNow('orders:*'));
    expect(await alone.read('storm', load)).toBe(2);
    await alone.close();
  });

  it('is told to the others to its end when its instance stops', async () => {
    const leaving = await CacheInstance.start({ REDIS_URL: redis.url, ...PATIENT });
    const heardBefore = here.invalidation.counts.heard;
    for (let change = 0; change < 50; change += 1) leaving.invalidate('wallets');
    await leaving.close();
    await until(() => here.invalidation.counts.heard - heardBefore === 21);
  });
});

describe('What was popular', () => {
  it('is read anew in the background when it was invalidated; what was not is not', async () => {
    const alone = await CacheInstance.start();
    const loads = { seldom: 0, often: 0 };
    const load = (name: keyof typeof loads) => () => (loads[name] += 1);
    await alone.read('seldom', load('seldom'));
    for (let read = 0; read < 3; read += 1) await alone.read('often', load('often'));
    expect(loads).toEqual({ seldom: 1, often: 1 });
    alone.invalidate('orders');
    await until(() => loads.often === 2);
    expect(loads.seldom).toBe(1);
    expect(await alone.read('often', load('often'))).toBe(2);
    await alone.close();
  });
});
