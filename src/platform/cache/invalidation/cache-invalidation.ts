import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { currentStore } from '../../../common/request-context.js';
import { cacheMetrics } from '../../metrics/cache.metrics.js';
import { afterCommit } from '../../prisma/after-commit.js';
import { RedisClient } from '../../redis/redis.client.js';
import { Epochs } from './epochs.js';
import { InvalidationBus } from './invalidation-bus.js';
import { StormLimiter } from './storm-limiter.js';
import { categoryOf, type Tag } from './tags.js';

type Kind = 'applied' | 'merged' | 'heard';

/** The side of the cache that those who write know: what has changed is told here, after its commit. */
@Injectable()
export class CacheInvalidation implements BeforeApplicationShutdown {
  readonly counts = { applied: 0, merged: 0, heard: 0 };
  private readonly waiting = new WeakMap<object, Set<Tag>>();
  private readonly storms = new StormLimiter();
  private readonly listeners: (() => void)[] = [];

  constructor(
    private readonly epochs: Epochs,
    private readonly bus: InvalidationBus,
    redis: RedisClient,
  ) {
    bus.listen((store, tags) => this.apply(store, tags, 'heard'));
    // What the others told meanwhile was missed: what is in memory has to be compared with Redis.
    redis.onUp(() => {
      epochs.invalidateAll();
      this.tellListeners();
    });
  }

  /**
   * Entries of the current store with one of the tags are gone: whoever reads from now on gets figures from after the
   * change (in a storm half a second later, five at most). After the commit, never inside a transaction. Returns at once, never throws.
   */
  invalidate(...tags: Tag[]): void {
    const store = currentStore();
    const now = tags.filter((tag) => this.storms.admit(`${store} ${tag}`, () => this.applyAndTell(store, [tag])));
    const merged = tags.filter((tag) => !now.includes(tag));
    this.count(merged, 'merged');
    if (now.length > 0) this.applyAndTell(store, now);
  }

  /** The same when this transaction has been committed, each tag once; nothing when it hasn't. */
  invalidateAfter(transaction: object, ...tags: Tag[]): void {
    const waiting = this.waiting.get(transaction);
    const all = waiting ?? new Set<Tag>();
    for (const tag of tags) all.add(tag);
    if (waiting) return;
    this.waiting.set(transaction, all);
    afterCommit(transaction, () => this.invalidate(...all));
  }

  /** The same at once, storm or not: for people. */
  invalidateNow(...tags: Tag[]): void {
    this.applyAndTell(currentStore(), tags);
  }

  /** What a load took that an invalidation may have made necessary: the more it is, the fewer of a storm are applied. */
  loadTook(ms: number): void {
    this.storms.read(ms);
  }

  /** Called after each invalidation of this process or heard from another. */
  onInvalidated(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** The other instances must not keep for minutes what would have been told half a second later. */
  async beforeApplicationShutdown(): Promise<void> {
    this.storms.flush();
    await this.bus.settled();
  }

  private applyAndTell(store: string, tags: Tag[]): void {
    this.apply(store, tags, 'applied');
    this.bus.tell(store, tags);
  }

  private apply(store: string, tags: Tag[], kind: Kind): void {
    for (const tag of tags) this.epochs.invalidate(store, tag);
    this.count(tags, kind);
    this.tellListeners();
  }

  private count(tags: Tag[], kind: Kind): void {
    this.counts[kind] += tags.length;
    for (const tag of tags) cacheMetrics.invalidations.inc({ category: categoryOf(tag), kind });
  }

  private tellListeners(): void {
    for (const listener of this.listeners) listener();
  }
}
