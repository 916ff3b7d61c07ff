import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { LarderConfig } from '../../config/config.js';
import { LarderLogger } from '../logging/larder-logger.js';
import { loggable } from '../prisma/database-error.js';
import { RedisClient } from '../redis/redis.client.js';

/** Reads of the start, each through the cache. */
export type WarmList = () => Promise<(() => Promise<unknown>)[]>;

const LEASE_KEY = 'larder:warming';
/** Within this time nobody else warms, and whoever does has to be done. */
const WARMING_MS = 60_000;
const AT_ONCE = 2;
const AGAIN_AFTER_MS = 2000;

/** Fills the cache when an instance starts: beside its requests, one instance at a time, and not for longer than a minute. */
@Injectable()
export class WarmUp implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly lists: WarmList[] = [];
  private readonly stop = new AbortController();

  constructor(
    private readonly redis: RedisClient,
    private readonly config: LarderConfig,
    private readonly logger: LarderLogger,
  ) {}

  add(list: WarmList): void {
    this.lists.push(list);
  }

  onApplicationBootstrap(): void {
    if (this.config.LARDER_ROLE !== 'worker' && this.lists.length > 0) void this.warm();
  }

  onApplicationShutdown(): void {
    this.stop.abort();
  }

  private async warm(): Promise<void> {
    const started = performance.now();
    const over = AbortSignal.any([this.stop.signal, AbortSignal.timeout(WARMING_MS)]);
    try {
      const reads = await this.collect(over);
      if (!(await this.isMine())) return;
      const queue = reads.values();
      await Promise.all(Array.from({ length: AT_ONCE }, () => work(queue, over)));
      this.logger.info({
        event: 'cache_warming_completed',
        reads: reads.length,
        duration: Math.round(performance.now() - started),
      });
    } catch (error) {
      if (!this.stop.signal.aborted) this.logger.warn({ event: 'cache_warming_failed', ...loggable(error as Error) });
    }
  }

  /** Again and again until the database answers. */
  private async collect(over: AbortSignal): Promise<(() => Promise<unknown>)[]> {
    for (;;) {
      try {
        return (await Promise.all(this.lists.map((list) => list()))).flat();
      } catch {
        await sleep(AGAIN_AFTER_MS, undefined, { signal: over, ref: false });
      }
    }
  }

  /** Where there is no Redis there is nobody to leave it to. */
  private async isMine(): Promise<boolean> {
    await this.redis.whenKnown();
    const lease = await this.redis.ask('lease', (redis) =>
      redis.set(LEASE_KEY, 1, 'PX', WARMING_MS, 'NX').then(String),
    );
    return lease === undefined || lease === 'OK';
  }
}

async function work(queue: Iterator<() => Promise<unknown>>, over: AbortSignal): Promise<void> {
  for (let next = queue.next(); !next.done && !over.aborted; next = queue.next()) {
    // Who needs it will read it, and see what is wrong.
    await next.value().catch(() => undefined);
  }
}
