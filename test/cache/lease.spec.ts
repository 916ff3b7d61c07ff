import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RedisServer } from '../support/redis-server.js';
import { CacheInstance, Gate, PATIENT } from './instance.js';
import { SlowProxy } from './slow-proxy.js';
import { until } from './until.js';

/** What is late comes after a read's time for Redis is up, but soon enough that Redis isn't taken for gone. */
const BUDGET_MS = 1000;
const LATE_MS = 1100;
/** Well before a lease ends by itself, or who waits for one loses his patience. */
const SOON_MS = 2000;

let redis: RedisServer;
let proxy: SlowProxy;
let quick: CacheInstance;
/** Behind the proxy, on whose way an answer can be held up. */
let slow: CacheInstance;

beforeAll(async () => {
  redis = await RedisServer.start();
  proxy = await SlowProxy.to(redis.port);
  quick = await CacheInstance.start({ REDIS_URL: redis.url, ...PATIENT });
  slow = await CacheInstance.start({ REDIS_URL: proxy.url, REDIS_TIMEOUT_MS: String(BUDGET_MS) });
});
afterAll(async () => {
  await Promise.all([quick.close(), slow.close()]);
  await proxy.close();
  await redis.kill();
});

const leases = (key: string): Promise<string[]> => redis.with((client) => client.keys(`*"${key}"*:lease:*`));
const looks = (): Promise<number> =>
  redis.with(async (client) => Number(/cmdstat_mget:calls=(\d+)/.exec(await client.info('commandstats'))?.[1]));

describe('A lease that was given, though its holder heard of it too late', () => {
  /** Begins a load on the slow instance: it holds the lease and doesn't know. */
  async function begin(key: string): Promise<{ gate: Gate<string>; first: Promise<string> }> {
    const gate = new Gate<string>();
    await until(() => slow.redis.up);
    proxy.held = { command: ':lease:', ms: LATE_MS };
    const first = slow.read(key, gate.load).catch((error: Error) => error.message);
    await until(() => gate.loads === 1);
    expect(await leases(key)).toHaveLength(1);
    return { gate, first };
  }

  it('is given back when the load fails: who waits for it loads at once', async () => {
    const { gate, first } = await begin('fails');
    const next = new Gate<string>();
    const second = quick.read('fails', next.load);
    gate.break(new Error('no figures'));
    expect(await first).toBe('no figures');
    await until(() => next.loads === 1, SOON_MS);
    next.finish('figures');
    expect(await second).toBe('figures');
  });

  it('ends with what was loaded: who waits for it finds that', async () => {
    const { gate, first } = await begin('succeeds');
    const next = new Gate<string>();
    const second = quick.read('succeeds', next.load);
    gate.finish('figures');
    expect(await Promise.all([first, second])).toEqual(['figures', 'figures']);
    expect(next.loads).toBe(0);
    await until(async () => (await leases('succeeds')).length === 0, SOON_MS);
  });
});

describe('A lease that is free because its holder has just written', () => {
  it('is no reason to load: what was written is taken, and the lease given back', async () => {
    const gate = new Gate<string>();
    const first = quick.read('written', gate.load);
    await until(() => gate.loads === 1);
    const before = await looks();
    proxy.held = { command: 'mget', ms: BUDGET_MS / 2 };
    const second = slow.read('written', () => 'loaded again');
    // It has looked, found nothing, and hears of that when the other has written.
    await until(async () => (await looks()) > before);
    gate.finish('figures');
    expect(await Promise.all([first, second])).toEqual(['figures', 'figures']);
    await until(async () => (await leases('written')).length === 0, SOON_MS);
  });
});
