import { Injectable } from '@nestjs/common';
import { currentStore } from '../../common/request-context.js';
import { LarderConfig } from '../../config/config.js';
import type { Answer } from './answer.js';
import { AnswerSource, type Found } from './answer-source.js';
import { CacheStatistics } from './cache-statistics.js';
import { type CachedCall, cachedCall } from './cached-call.js';
import type { CacheDefinition } from './define-cache.js';
import { Flights, within } from './flights.js';
import { Epochs } from './invalidation/epochs.js';
import { MemoryTier } from './memory-tier.js';
import { Refresher } from './refresher.js';
import { type WarmList, WarmUp } from './warm-up.js';

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
      this.statistics.read(call.category, 'failed');
      throw error;
    }
  }
}
