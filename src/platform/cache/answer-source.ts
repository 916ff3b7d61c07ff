import { Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { newId } from '../../common/ids.js';
import { runInContext } from '../../common/request-context.js';
import { LarderConfig } from '../../config/config.js';
import { Answer } from './answer.js';
import { CacheStatistics, type LoadReason } from './cache-statistics.js';
import type { CachedCall } from './cached-call.js';
import { CacheInvalidation } from './invalidation/cache-invalidation.js';
import { MemoryTier } from './memory-tier.js';
import { RedisTier } from './redis-tier.js';
import { TimeBudget } from './time-budget.js';

/** Another instance that loads is waited for so long, as a statement may take; then this one loads too. */
const LEASE_WAIT_MS = 3000;
const POLL_FIRST_MS = 10;
const POLL_MOST_MS = 50;

export interface Found {
  answer: Answer;
  source: 'redis' | 'stale' | 'loaded';
}

/** Where answers come from that aren't in memory: Redis, another instance that is loading, or the load itself. */
@Injectable()
export class AnswerSource {
  constructor(
    private readonly memory: MemoryTier,
    private readonly redis: RedisTier,
    private readonly statistics: CacheStatistics,
    private readonly invalidation: CacheInvalidation,
    private readonly config: LarderConfig,
  ) {}

  /**
   * @param since Epochs.now() from before the call
   * @param newerThan of a refresh: an answer as old as this (ms since 1970) is the one that is to be replaced
   */
  async find(call: CachedCall, since: number, reason: LoadReason, newerThan = 0): Promise<Found> {
    const budget = new TimeBudget(this.config.REDIS_TIMEOUT_MS);
    const view = await this.redis.look(call, budget);
    const shared = this.usable(call, view?.answer, newerThan);
    if (shared) {
      this.memory.remember(call, shared.answer, since);
      return shared;
    }
    const generations = view && (await this.redis.generations(call, view.generations, budget));
    const others = generations && (await this.fromOther(call, generations, newerThan, budget));
    if (others) {
      this.memory.remember(call, others, since);
      return { answer: others, source: 'redis' };
    }
    return this.load(call, since, reason, generations);
  }

  /** Fresh or, unless it is the one to be replaced, stale. */
  private usable({ ttlMs, staleMs }: CachedCall, answer: Answer | undefined, newerThan: number): Found | undefined {
    if (!answer || answer.generatedAt <= newerThan) return undefined;
    if (answer.ageMs < ttlMs) return { answer, source: 'redis' };
    return newerThan === 0 && answer.ageMs < ttlMs + staleMs ? { answer, source: 'stale' } : undefined;
  }

  /** Undefined when it is this instance's turn to load: nobody does, or takes too long, or Redis stops answering. */
  private async fromOther(
    call: CachedCall,
    generations: string[],
    newerThan: number,
    budget: TimeBudget,
  ): Promise<Answer | undefined> {
    const until = performance.now() + LEASE_WAIT_MS;
    let claim = await this.redis.claim(call, generations, budget);
    for (let pause = POLL_FIRST_MS; claim; pause = Math.min(pause * 1.5, POLL_MOST_MS)) {
      const found = this.usable(call, claim.answer, newerThan)?.answer;
      if (found && claim.mine) void this.redis.giveBack(call, generations);
      if (found || claim.mine || performance.now() > until) return found;
      await sleep(pause);
      claim = await this.redis.claim(call, generations, new TimeBudget(this.config.REDIS_TIMEOUT_MS));
    }
    return undefined;
  }

  /** In the store's context alone: whose request began it must make no difference, nor may its end. */
  private async load(
    call: CachedCall,
    since: number,
    reason: LoadReason,
    generations: string[] | undefined,
  ): Promise<Found> {
    const begun = Date.now();
    const started = performance.now();
    let loaded: Answer;
    try {
      loaded = await runInContext({ requestId: newId(), storeId: call.store }, call.load);
    } catch (error) {
      this.statistics.loadFailed(call.category, reason);
      if (generations) void this.redis.giveBack(call, generations);
      throw error;
    }
    const tookMs = performance.now() - started;
    if (reason !== 'refresh') this.invalidation.loadTook(tookMs);
    this.statistics.loaded(call.category, reason, tookMs / 1000);
    const answer = Answer.restored(loaded.json, loaded.etag, begun);
    // Nobody would believe it there, and it would take the place of one that was loaded since.
    const current = this.memory.remember(call, answer, since);
    if (generations)
      void (current ? this.redis.keep(call, answer, generations) : this.redis.giveBack(call, generations));
    return { answer, source: 'loaded' };
  }
}
