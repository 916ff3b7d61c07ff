import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { LarderConfig } from '../../config/config.js';
import { observeCacheMemory } from '../metrics/cache.metrics.js';
import { RedisClient } from '../redis/redis.client.js';
import type { Answer } from './answer.js';
import type { CachedCall } from './cached-call.js';
import { Epochs } from './invalidation/epochs.js';

/** While other instances can't be heard, an answer is believed for so long, and for so long again while it is read anew. */
const UNHEARD_MS = 5000;
/** What an entry weighs besides its text. */
const ENTRY_BYTES = 1000;

interface MemoryEntry {
  call: CachedCall;
  answer: Answer;
  /** Epochs.now() from before it was read. */
  since: number;
  storedAt: number;
  /** Times it was served. */
  hits: number;
}

export interface Remembered {
  answer: Answer;
  state: 'fresh' | 'stale';
  /** Popular and soon to expire: time to read it anew before anybody has to wait. */
  refreshDue: boolean;
}

/** An entry that somebody reads is read anew when less than this share of its time is left. */
const EARLY_SHARE = 0.2;
/** Hits that make an entry worth reading anew when it was invalidated. */
const POPULAR_HITS = 2;
/** Each invalidation looks at all of them: 0.4 ms; at 50,000, as somebody who asks for one zip code after the other makes them, 45 ms. */
const MOST_POPULAR = 1000;

/** Answers in this process, the least used forgotten first. */
@Injectable()
export class MemoryTier {
  private readonly entries: LRUCache<string, MemoryEntry>;
  /** Keys of entries that were served often enough: what a sweep has to look at. */
  private readonly popular = new Set<string>();
  readonly limitBytes: number;

  constructor(
    config: LarderConfig,
    private readonly epochs: Epochs,
    private readonly redis: RedisClient,
  ) {
    this.limitBytes = config.CACHE_MEMORY_MB * 1_048_576;
    this.entries = new LRUCache({
      maxSize: this.limitBytes,
      sizeCalculation: ({ answer }) => answer.json.length + ENTRY_BYTES,
      dispose: (_entry, key) => this.popular.delete(key),
    });
    observeCacheMemory(() => this.measure());
  }

  /** An answer that was not invalidated and may be served. */
  find({ key }: CachedCall): Remembered | undefined {
    const entry = this.current(key);
    if (!entry) return undefined;
    const now = Date.now();
    const { lifeMs, freshUntil, staleUntil } = this.validity(entry);
    if (now >= staleUntil) return undefined;
    entry.hits += 1;
    if (entry.hits === POPULAR_HITS) this.markPopular(key);
    const state = now < freshUntil ? 'fresh' : 'stale';
    const early = freshUntil - now < lifeMs * EARLY_SHARE && entry.hits > 1;
    return { answer: entry.answer, state, refreshDue: state === 'stale' || early };
  }

  /** For who can't read it anew: any answer that was not invalidated and is within its stale time. */
  lastResort({ key }: CachedCall): Answer | undefined {
    const entry = this.current(key);
    return entry && Date.now() < expiryOf(entry) + entry.call.staleMs ? entry.answer : undefined;
  }

  /** False, and not kept, when one of its tags was invalidated since. */
  remember(call: CachedCall, answer: Answer, since: number): boolean {
    if (!this.epochs.isCurrent(call.store, call.tags, since)) return false;
    this.entries.set(call.key, { call, answer, since, storedAt: Date.now(), hits: 0 });
    return true;
  }

  /** Drops what was popular until it was invalidated, and returns its calls. */
  sweep(): CachedCall[] {
    const outdated: CachedCall[] = [];
    for (const key of [...this.popular]) {
      const entry = this.entries.peek(key);
      if (!entry || this.isCurrent(entry)) continue;
      outdated.push(entry.call);
      this.entries.delete(key);
    }
    return outdated;
  }

  measure(): { entries: number; bytes: number; limitBytes: number } {
    const { size: entries, calculatedSize: bytes } = this.entries;
    return { entries, bytes, limitBytes: this.limitBytes };
  }

  /** Of a store, those that are served most, since they were read last. */
  topKeys(store: string, limit: number): { key: string; hits: number; bytes: number; ageMs: number }[] {
    return [...this.entries.values()]
      .filter(({ call }) => call.store === store)
      .sort((a, b) => b.hits - a.hits)
      .slice(0, limit)
      .map(({ call, hits, answer }) => ({ key: call.key, hits, bytes: answer.json.length, ageMs: answer.ageMs }));
  }

  private current(key: string): MemoryEntry | undefined {
    const entry = this.entries.get(key);
    return entry && this.isCurrent(entry) ? entry : undefined;
  }

  private markPopular(key: string): void {
    this.popular.add(key);
    const [oldest] = this.popular;
    if (oldest !== undefined && this.popular.size > MOST_POPULAR) this.popular.delete(oldest);
  }

  private isCurrent({ call, since }: MemoryEntry): boolean {
    return this.epochs.isCurrent(call.store, call.tags, since);
  }

  private validity(entry: MemoryEntry): { lifeMs: number; freshUntil: number; staleUntil: number } {
    const { ttlMs, staleMs } = entry.call;
    const freshUntil = expiryOf(entry);
    const staleUntil = freshUntil + staleMs;
    if (!this.redis.configured || this.redis.up) return { lifeMs: ttlMs, freshUntil, staleUntil };
    const unheardUntil = Math.max(entry.storedAt, this.redis.downSince) + UNHEARD_MS;
    return {
      lifeMs: Math.min(ttlMs, UNHEARD_MS),
      freshUntil: Math.min(freshUntil, unheardUntil),
      staleUntil: Math.min(staleUntil, unheardUntil + UNHEARD_MS),
    };
  }
}

/** The clock of who read it may be ahead of this one. */
function expiryOf({ call, answer, storedAt }: MemoryEntry): number {
  return Math.min(answer.generatedAt, storedAt) + call.ttlMs;
}
