import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { RedisServer } from '../support/redis-server.js';
import { CacheInstance, Gate, OTHER_STORE, PATIENT } from './instance.js';
import { until } from './until.js';

let instance: CacheInstance;
let day = 0;

beforeAll(async () => {
  instance = await CacheInstance.start();
});
afterAll(() => instance.close());

/** A key that nobody has read. */
const coldKey = (): string => `2026-day-${(day += 1)}`;

describe('One load for all who ask', () => {
  it('answers a thousand callers of a cold key by one load', async () => {
    const key = coldKey();
    const gate = new Gate<number>();
    const callers = Array.from({ length: 1000 }, () => instance.read(key, gate.load));
    gate.finish(42);
    expect(new Set(await Promise.all(callers))).toEqual(new Set([42]));
    expect(gate.loads).toBe(1);
    expect(await instance.read(key, gate.load)).toBe(42);
    expect(gate.loads).toBe(1);
  });

  it('fails all who wait when the load fails, keeps nothing, and loads for the next', async () => {
    const key = coldKey();
    const broken = new Gate<number>();
    const callers = Array.from({ length: 50 }, () => instance.read(key, broken.load));
    const outcomes = Promise.allSettled(callers);
    broken.break(new Error('no figures'));
    const reasons = (await outcomes).map((outcome) => outcome.status === 'rejected' && outcome.reason.message);
    expect(new Set(reasons)).toEqual(new Set(['no figures']));
    expect(broken.loads).toBe(1);
    expect(await instance.read(key, () => 7)).toBe(7);
  });

  it('lets each who waits leave at his own time while the load goes on for the others', async () => {
    const key = coldKey();
    const gate = new Gate<number>();
    const patient = instance.read(key, gate.load, { waitMs: 5000 });
    const left: string[] = [];
    const leave = (name: string, waitMs: number) =>
      instance.read(key, gate.load, { waitMs }).catch((error) => {
        left.push(name);
        return error.code;
      });
    const codes = await Promise.all([leave('second', 60), leave('first', 10)]);
    expect(codes).toEqual(['CACHE_LOAD_TIMEOUT', 'CACHE_LOAD_TIMEOUT']);
    expect(left).toEqual(['first', 'second']);
    gate.finish(3);
    expect(await patient).toBe(3);
    expect(gate.loads).toBe(1);
  });

  it('goes on with a load whose first caller gave up, and keeps what it finds', async () => {
    const key = coldKey();
    const gate = new Gate<number>();
    await expect(instance.read(key, gate.load, { waitMs: 10 })).rejects.toMatchObject({ code: 'CACHE_LOAD_TIMEOUT' });
    gate.finish(9);
    await until(async () => (await instance.read(key, () => -1)) === 9);
    expect(gate.loads).toBe(1);
  });

  it('does not let different keys, or stores, wait for each other', async () => {
    const key = coldKey();
    const hanging = new Gate<number>();
    const waiting = instance.read(key, hanging.load);
    expect(await instance.read(coldKey(), () => 1)).toBe(1);
    expect(await instance.read(key, () => 2, { store: OTHER_STORE })).toBe(2);
    hanging.finish(3);
    expect(await waiting).toBe(3);
    expect(await instance.read(key, () => -1, { store: OTHER_STORE })).toBe(2);
  });

  it.each([null, 0, '', false, []])('takes %j for an answer, not for a miss', async (value) => {
    const key = coldKey();
    const gate = new Gate<unknown>();
    gate.finish(value);
    expect([await instance.read(key, gate.load), await instance.read(key, gate.load)]).toEqual([value, value]);
    expect(gate.loads).toBe(1);
  });

  it('runs a load without the context of the request that began it, but in its store', async () => {
    const { currentContext } = await import('../../src/common/request-context.js');
    const context = await instance.read(coldKey(), () => currentContext(), { store: OTHER_STORE });
    expect(context).toEqual({ requestId: expect.not.stringMatching('test-request'), storeId: OTHER_STORE });
  });
});

describe('An invalidation during a load', () => {
  it('makes who asks after it wait for figures from after it, and does not keep those from before', async () => {
    const key = coldKey();
    const before = new Gate<string>();
    const after = new Gate<string>();
    const early = instance.read(key, before.load);
    instance.invalidate('orders');
    const late = Array.from({ length: 100 }, () => instance.read(key, after.load));
    after.finish('new');
    expect(new Set(await Promise.all(late))).toEqual(new Set(['new']));
    before.finish('old');
    expect(await early).toBe('old');
    expect(await instance.read(key, () => 'third')).toBe('new');
    expect([before.loads, after.loads]).toEqual([1, 1]);
  });

  it('runs two loads of a key at once and one after them, however many invalidations come', async () => {
    const key = coldKey();
    const gates: Gate<number>[] = [];
    const load = (): Promise<number> => {
      const gate = new Gate<number>();
      gates.push(gate);
      return gate.load();
    };
    const callers: Promise<number>[] = [];
    for (let round = 0; round < 10; round += 1) {
      callers.push(instance.read(key, load));
      await Promise.resolve();
      instance.within('00000000-0000-7000-8000-000000000001', () => instance.invalidation.invalidateNow('orders'));
    }
    await until(() => gates.length === 2);
    gates[0]?.finish(0);
    await until(() => gates.length === 3);
    gates[1]?.finish(1);
    gates[2]?.finish(2);
    expect(await Promise.all(callers)).toEqual([0, 1, ...Array.from({ length: 8 }, () => 2)]);
    expect(gates).toHaveLength(3);
  });
});

describe('Several instances', () => {
  let redis: RedisServer;
  let database: TestDatabase;
  let sql: pg.Pool;
  let instances: CacheInstance[];

  beforeAll(async () => {
    [redis, database] = await Promise.all([RedisServer.start(), createTestDatabase()]);
    sql = new pg.Pool({ connectionString: database.url, max: 10 });
    // Dropping the database may cut off a connection that has said goodbye but is still there.
    sql.on('error', () => undefined);
    await sql.query('CREATE TABLE loads (key text)');
    const settings = { REDIS_URL: redis.url, ...PATIENT };
    instances = await Promise.all([1, 2, 3, 4].map(() => CacheInstance.start(settings)));
  });
  afterAll(async () => {
    await Promise.all(instances.map(({ close }) => close()));
    await sql.end();
    await Promise.all([redis.kill(), database.drop()]);
  });

  /** A query that the database itself remembers. */
  const query = (key: string) => async (): Promise<string> => {
    await sql.query('INSERT INTO loads SELECT $1 FROM pg_sleep(0.1)', [key]);
    return key;
  };
  const countLoads = async (key: string): Promise<number> =>
    (await sql.query('SELECT count(*)::int AS count FROM loads WHERE key = $1', [key])).rows[0].count;
  const storm = (some: CacheInstance[], key: string): Promise<string[]> =>
    Promise.all(some.flatMap((one) => Array.from({ length: 250 }, () => one.read(key, query(key)))));

  it.each([2, 4])('%i of them ask the database once where Redis is', async (count) => {
    const key = coldKey();
    expect(new Set(await storm(instances.slice(0, count), key))).toEqual(new Set([key]));
    expect(await countLoads(key)).toBe(1);
  });

  it('take over from one whose load failed, at once', async () => {
    const key = coldKey();
    const failing = new Gate<string>();
    const [first, second] = instances as [CacheInstance, CacheInstance];
    const failed = first.read(key, failing.load).catch((error: Error) => error.message);
    await until(() => failing.loads === 1);
    const other = second.read(key, query(key));
    failing.break(new Error('no figures'));
    expect(await failed).toBe('no figures');
    expect(await other).toBe(key);
    expect(await countLoads(key)).toBe(1);
  });

  it('do not believe what one of them began to load before another invalidated it', async () => {
    const key = coldKey();
    const [first, second, third] = instances as [CacheInstance, CacheInstance, CacheInstance];
    const old = new Gate<string>();
    const early = first.read(key, old.load);
    await until(() => old.loads === 1);
    second.invalidate('orders');
    expect(await second.read(key, () => 'new')).toBe('new');
    old.finish('old');
    expect(await early).toBe('old');
    expect(await third.read(key, () => 'third')).toBe('new');
    await until(async () => (await first.read(key, () => 'first')) === 'new');
  });

  it('each ask the database once where Redis is not', async () => {
    const alone = await Promise.all([1, 2].map(() => CacheInstance.start()));
    const key = coldKey();
    await storm(alone, key);
    expect(await countLoads(key)).toBe(2);
    await Promise.all(alone.map(({ close }) => close()));
  });
});
