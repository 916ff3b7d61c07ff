import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RedisServer } from '../support/redis-server.js';
import { CacheInstance, Gate, PATIENT, STORE } from './instance.js';
import { until } from './until.js';

const keyOf = (day: string): string => `larder:{${STORE}}:test.sales:["${day}"]`;

let folder: string;
let redis: RedisServer;
let here: CacheInstance;
let there: CacheInstance;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-redis-'));
  redis = await RedisServer.start('--dir', folder);
});
afterAll(async () => {
  await redis.kill();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  const settings = { REDIS_URL: redis.url, ...PATIENT };
  [here, there] = [await CacheInstance.start(settings), await CacheInstance.start(settings)];
});
afterEach(async () => {
  jest.restoreAllMocks();
  await Promise.all([here.close(), there.close()]);
});

/** Reads it, and waits until Redis has it. */
async function shared(day: string, value: unknown): Promise<void> {
  expect(await here.read(day, () => value)).toEqual(value);
  await until(() => redis.with(async (client) => (await client.exists(keyOf(day))) === 1));
}

describe('A Redis that comes back with what it knew before', () => {
  it('is not believed: what was invalidated after it had saved stays gone', async () => {
    await shared('saved', 'old');
    await redis.with((client) => client.save());
    here.invalidate('orders');
    expect(await here.read('saved', () => 'new')).toBe('new');
    await redis.restart();
    await until(() => here.redis.up && there.redis.up);
    expect(await redis.with((client) => client.exists(keyOf('saved')))).toBe(1);
    expect(await there.read('saved', () => 'newer')).not.toBe('old');
  });
});

describe('What stands in Redis', () => {
  it.each([
    ['cut off', (entry: Buffer) => entry.subarray(0, -5)],
    [
      'changed in one byte',
      (entry: Buffer) => {
        const changed = Buffer.from(entry);
        changed[changed.length - 3]! ^= 1;
        return changed;
      },
    ],
    ['without its text', (entry: Buffer) => entry.subarray(0, entry.indexOf('\n') + 1)],
  ])('%s is a miss', async (name, damage) => {
    for (const [day, value] of [
      [`${name} brief`, ['the figures']],
      [`${name} long`, Array.from({ length: 2000 }, (_, row) => ({ row }))],
    ] as const) {
      await shared(day, value);
      await redis.with(async (client) => {
        await client.set(keyOf(day), damage((await client.getBuffer(keyOf(day)))!));
      });
      expect(await there.read(day, () => 'loaded')).toBe('loaded');
    }
  });

  it('is a miss under another key', async () => {
    await shared('monday', 'of monday');
    await redis.with((client) => client.copy(keyOf('monday'), keyOf('tuesday')));
    expect(await there.read('tuesday', () => 'of tuesday')).toBe('of tuesday');
  });

  it('of another kind costs a load, and nobody takes Redis for gone because of it', async () => {
    await redis.with(async (client) => {
      const kinds = await client.keys(`larder:{${STORE}}:generation:*orders*`);
      for (const key of kinds) await client.pipeline().del(key).hset(key, 'field', 1).exec();
    });
    const days = Array.from({ length: 10 }, (_, day) => `kind-${day}`);
    expect(await Promise.all(days.map((day) => there.read(day, () => day)))).toEqual(days);
    expect(there.redisEvents()).toEqual(['cache_redis_up']);
    here.invalidate('orders');
    here.within(STORE, () => here.invalidation.invalidateNow('orders:*'));
    await shared('healed', 1);
  });

  it('from a clock that is ahead is not believed for longer than its own time', async () => {
    const now = Date.now();
    jest.spyOn(Date, 'now').mockReturnValue(now + 3_600_000);
    await shared('ahead', 'of the future');
    jest.spyOn(Date, 'now').mockReturnValue(now);
    expect(await there.read('ahead', () => 'loaded')).toBe('of the future');
    jest.spyOn(Date, 'now').mockReturnValue(now + 1_200_001);
    await redis.with((client) => client.del(keyOf('ahead')));
    expect(await there.read('ahead', () => 'loaded')).toBe('loaded');
  });
});

it('An instance that lost the connection on which it hears while it came back does not believe its memory', async () => {
  await redis.with(async (client) => {
    await shared('unheard', 'old');
    expect(await there.read('unheard', () => 'loaded')).toBe('old');
    // Commands that write wait from here on: of the two that a probe asks for, what listens is answered first.
    await client.call('CLIENT', 'PAUSE', '10000', 'WRITE');
    await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await until(() => !here.redis.up && !there.redis.up);
    await until(async () => String(await client.call('CLIENT', 'LIST')).split(' sub=1 ').length === 3);
    await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await client.call('CLIENT', 'UNPAUSE');
  });
  await until(() => here.redis.up && there.redis.up);
  expect(await there.read('unheard', () => 'loaded')).toBeDefined();
  here.invalidate('orders');
  await until(async () => (await there.read('unheard', () => 'new')) === 'new');
});

it('What could not be told while Redis was away is told when it is back', async () => {
  await shared('untold', 'old');
  await redis.with(async (client) => {
    // Nobody can write, and who listens is cut off: they take it for gone, and it forgets nothing.
    await client.call('CLIENT', 'PAUSE', '10000', 'WRITE');
    await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await until(() => !here.redis.up && !there.redis.up);
    here.invalidate('orders');
    await client.call('CLIENT', 'UNPAUSE');
  });
  await until(() => here.redis.up && there.redis.up);
  await until(async () => (await there.read('untold', () => 'new')) === 'new');
});

it('An answer that nobody can read anew is served to who waits for that, too', async () => {
  expect(await here.read('last', () => 'old')).toBe('old');
  await redis.kill();
  await until(() => !here.redis.up);
  const now = Date.now();
  const gate = new Gate<string>();
  // Unheard for six seconds: served while it is read anew. For eleven: to be read anew first.
  jest.spyOn(Date, 'now').mockReturnValue(now + 6000);
  expect(await here.read('last', gate.load)).toBe('old');
  jest.spyOn(Date, 'now').mockReturnValue(now + 11_000);
  const waiting = here.read('last', gate.load);
  gate.break(new Error('no database either'));
  expect(await waiting).toBe('old');
  await redis.restart();
});

it('Nothing is asked that a Redis before 7 refuses: to set what is not there and tell what was', async () => {
  const asked = await redis.with(async (client) => {
    const watching = await client.monitor();
    const commands: string[] = [];
    watching.on('monitor', (_time: string, command: string[]) => commands.push(command.join(' ').toUpperCase()));
    await shared('monitored', 1);
    watching.disconnect();
    return commands;
  });
  expect(asked.filter((command) => / NX\b/.test(command)).length).toBeGreaterThan(0);
  expect(asked.filter((command) => / NX .*GET| GET .*NX/.test(command))).toEqual([]);
});

it('A Redis that does not let its users ask which run of it this is, is used all the same', async () => {
  await redis.with((client) =>
    client.call('ACL', 'SETUSER', 'shop', 'on', '>secret', '~*', '&*', '+@all', '-@dangerous'),
  );
  const settings = { REDIS_URL: redis.url.replace('//', '//shop:secret@'), ...PATIENT };
  const [one, other] = [await CacheInstance.start(settings), await CacheInstance.start(settings)];
  expect(await one.read('restricted', () => 'once')).toBe('once');
  await until(() => redis.with(async (client) => (await client.exists(keyOf('restricted'))) === 1));
  expect(await other.read('restricted', () => 'twice')).toBe('once');
  await Promise.all([one.close(), other.close()]);
});
