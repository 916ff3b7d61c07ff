import { Test } from '@nestjs/testing';
import { PassThrough } from 'node:stream';
import { runInContext } from '../../src/common/request-context.js';
import { loadConfig } from '../../src/config/config.js';
import { ConfigModule } from '../../src/config/config.module.js';
import { Answer } from '../../src/platform/cache/answer.js';
import { CacheModule } from '../../src/platform/cache/cache.module.js';
import { CacheService } from '../../src/platform/cache/cache.service.js';
import { type CacheDefinition, defineCache } from '../../src/platform/cache/define-cache.js';
import { CacheInvalidation } from '../../src/platform/cache/invalidation/cache-invalidation.js';
import type { Tag } from '../../src/platform/cache/invalidation/tags.js';
import { LoggingModule } from '../../src/platform/logging/logging.module.js';
import { createPino } from '../../src/platform/logging/pino.js';
import { RedisClient } from '../../src/platform/redis/redis.client.js';
import { RedisModule } from '../../src/platform/redis/redis.module.js';
import { until } from './until.js';

export const STORE = '00000000-0000-7000-8000-000000000001';
export const OTHER_STORE = '00000000-0000-7000-8000-000000000002';

export const SALES = defineCache({
  name: 'test.sales',
  category: 'orders',
  ttlMs: 600_000,
  staleMs: 600_000,
  tags: (_day: string): Tag[] => ['orders'],
});

/** For tests that aren't about a Redis that is slow: on a machine that does much else it may take a while to answer. */
export const PATIENT = { REDIS_TIMEOUT_MS: '4000' };

/** An instance of Larder as far as its cache goes: its own memory, its own connections to Redis. */
export class CacheInstance {
  private constructor(
    readonly cache: CacheService,
    readonly invalidation: CacheInvalidation,
    readonly redis: RedisClient,
    readonly log: string[],
    readonly close: () => Promise<void>,
  ) {}

  static async start(
    settings: Record<string, string> = {},
    before: (cache: CacheService) => void = () => undefined,
  ): Promise<CacheInstance> {
    const config = loadConfig({ NODE_ENV: 'test', LARDER_ROLE: 'api', ...settings });
    const stream = new PassThrough();
    const log: string[] = [];
    stream.on('data', (chunk: Buffer) => log.push(chunk.toString()));
    const imports = [ConfigModule.of(config), LoggingModule.of(createPino(config, stream)), RedisModule, CacheModule];
    const app = await Test.createTestingModule({ imports }).compile();
    before(app.get(CacheService));
    await app.init();
    const redis = app.get(RedisClient);
    if (redis.configured && settings.WAIT !== 'no') await until(() => redis.up);
    return new CacheInstance(app.get(CacheService), app.get(CacheInvalidation), redis, log, () => app.close());
  }

  /** What is cached for a day of the store; loaded by the function. */
  read<T>(day: string, load: () => Promise<T> | T, options: Options = {}): Promise<T> {
    return this.answer(day, load, options).then((answer) => answer.value);
  }

  answer<T>(day: string, load: () => Promise<T> | T, options: Options = {}): Promise<Answer<T>> {
    const { store = STORE, definition = SALES, waitMs } = options;
    return this.within(store, () => this.cache.read(definition, [day], async () => Answer.of(await load()), waitMs));
  }

  invalidate(...tags: Tag[]): void {
    this.within(STORE, () => this.invalidation.invalidate(...tags));
  }

  within<T>(storeId: string, run: () => T): T {
    return runInContext({ requestId: 'test-request', storeId }, run);
  }

  /** Lines of the log about Redis. */
  redisEvents(): string[] {
    return this.log.flatMap((line) => line.match(/cache_redis_\w+/g) ?? []);
  }
}

interface Options {
  store?: string;
  definition?: CacheDefinition<[day: string]>;
  waitMs?: number;
}

/** A load that is counted, and goes on when it is told to. */
export class Gate<T> {
  loads = 0;
  private open: (value: T) => void;
  private fail: (error: Error) => void;
  private promise = new Promise<T>((resolve, reject) => {
    this.open = resolve;
    this.fail = reject;
  });

  readonly load = (): Promise<T> => {
    this.loads += 1;
    return this.promise;
  };

  finish(value: T): void {
    this.open(value);
  }

  break(error: Error): void {
    this.fail(error);
  }
}
