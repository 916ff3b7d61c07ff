import { Injectable } from '@nestjs/common';
import { currentStore } from '../../common/request-context.js';
import { LarderConfig } from '../../config/config.js';
import { RedisClient } from '../redis/redis.client.js';
import type { Answer } from './answer.js';
import { AnswerSource, type Found } from './answer-source.js';
import { CacheStatistics, type ReadCounts, type ReadSource } from './cache-statistics.js';
import { type CachedCall, cachedCall } from './cached-call.js';
import type { CacheDefinition } from './define-cache.js';
import { Flights, within } from './flights.js';
import { CacheInvalidation } from './invalidation/cache-invalidation.js';
import { Epochs } from './invalidation/epochs.js';
import type { CacheCategory } from './invalidation/tags.js';
import { MemoryTier } from './memory-tier.js';
import { Refresher } from './refresher.js';
import { type WarmList, WarmUp } from './warm-up.js';

/** The part of the reads, 0 to 1, that came from there. */
export interface HitRates {
  memory: number;
  redis: number;
  stale: number;
  /** All of these: reads that waited for no load. */
  all: number;
}

/** Of this process since its start; the keys are those of the current store. */
export interface CacheStats {
  redis: 'none' | 'up' | 'down';
  memory: { entries: number; bytes: number; limitBytes: number };
  hitRates: HitRates;
  categories: { category: CacheCategory; reads: ReadCounts; hitRates: HitRates }[];
  loads: { read: number; refresh: number; invalidated: number; failed: number };
  /** The part, 0 to 1, of those who found nothing that did not load themselves, as somebody else did already. */
  dedupRatio: number;
  invalidations: { applied: number; merged: number; heard: number };
  topKeys: { key: string; hits: number; bytes: number; ageMs: number }[];
}

const TOP_KEYS = 20;

/** Answers that were read before, as long as they are true: docs/cache.md. */
@Injectable()
export class CacheService {
  constructor(
    private readonly memory: MemoryTier,
    private readonly flights: Flights<Found>,
    private readonly source: AnswerSource,
    private readonly refresher: Refresher,
    private readonly epochs: Epochs,
    private readonly statistics: CacheStatistics,
    private readonly invalidation: CacheInvalidation,
    private readonly redis: RedisClient,
    private readonly warmUp: WarmUp,
    private readonly config: LarderConfig,
  ) {}

  /**
   * The answer to these arguments for the current store: from memory, from Redis, or loaded, once for all who ask meanwhile.
   * What the load throws is thrown to all of them and not kept.
   * @param waitMs after which the caller leaves; the load goes on for the others
   * @throws CACHE_LOAD_TIMEOUT
   */
  async read<Args extends unknown[], T>(
    definition: CacheDefinition<Args>,
    args: Args,
    load: () => Promise<Answer<T>>,
    waitMs = this.config.REQUEST_DEADLINE_MS,
  ): Promise<Answer<T>> {
    if (this.config.CACHE === 'off') return load();
    const call = cachedCall(currentStore(), definition, args, load);
    const remembered = this.memory.find(call);
    if (remembered) {
      this.statistics.read(call.category, remembered.state === 'fresh' ? 'memory' : 'stale');
      if (remembered.refreshDue) this.refresher.refresh(call, remembered.answer);
      return remembered.answer as Answer<T>;
    }
    return (await this.fetch(call, waitMs)) as Answer<T>;
  }

  /** What to read at the start, so that nobody finds the cache cold. Said in onModuleInit. */
  warmAtStart(list: WarmList): void {
    this.warmUp.add(list);
  }

  stats(): CacheStats {
    const total: ReadCounts = { memory: 0, redis: 0, stale: 0, joined: 0, loaded: 0, failed: 0 };
    const categories = [...this.statistics.reads].map(([category, reads]) => {
      for (const source of Object.keys(reads) as ReadSource[]) total[source] += reads[source];
      return { category, reads: { ...reads }, hitRates: hitRates(reads) };
    });
    return {
      redis: !this.redis.configured ? 'none' : this.redis.up ? 'up' : 'down',
      memory: this.memory.measure(),
      hitRates: hitRates(total),
      categories,
      loads: { ...this.statistics.loads },
      dedupRatio: share(total.joined, total.joined + total.loaded),
      invalidations: { ...this.invalidation.counts },
      topKeys: this.memory.topKeys(currentStore(), TOP_KEYS),
    };
  }

  private async fetch(call: CachedCall, waitMs: number): Promise<Answer> {
    const { landing, joined } = this.flights.join(
      call.key,
      () => this.epochs.now(),
      (since) => this.epochs.isCurrent(call.store, call.tags, since),
      (since) => this.source.find(call, since, 'read'),
    );
    try {
      const { answer, source } = await within(waitMs, landing);
      this.statistics.read(call.category, joined ? 'joined' : source);
      if (source === 'stale') this.refresher.refresh(call, answer);
      return answer;
    } catch (error) {
      const last = this.memory.lastResort(call);
      this.statistics.read(call.category, last ? 'stale' : 'failed');
      if (last) return last;
      throw error;
    }
  }
}

function hitRates(reads: ReadCounts): HitRates {
  const all = Object.values(reads).reduce((sum, count) => sum + count, 0);
  const { memory, redis, stale } = reads;
  return {
    memory: share(memory, all),
    redis: share(redis, all),
    stale: share(stale, all),
    all: share(memory + redis + stale, all),
  };
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((part / whole) * 10_000) / 10_000;
}
