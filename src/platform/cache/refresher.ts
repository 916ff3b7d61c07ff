import { Injectable } from '@nestjs/common';
import { Answer } from './answer.js';
import { AnswerSource, type Found } from './answer-source.js';
import type { LoadReason } from './cache-statistics.js';
import type { CachedCall } from './cached-call.js';
import { Flights } from './flights.js';
import { CacheInvalidation } from './invalidation/cache-invalidation.js';
import { Epochs } from './invalidation/epochs.js';
import { MemoryTier } from './memory-tier.js';

const AT_ONCE = 4;
/** Beyond it nothing is refreshed ahead of time: the next reader loads. */
const MOST_QUEUED = 200;
/** Invalidations come several at a time. */
const SWEEP_AFTER_MS = 20;
/** After a load that failed the same is left alone for so long. */
const REST_MS = 1000;

interface Refresh {
  call: CachedCall;
  reason: LoadReason;
  newerThan: number;
}

/** Reads anew in the background what people look at, before they have to wait for it. */
@Injectable()
export class Refresher {
  private readonly queue = new Map<string, Refresh>();
  private readonly running = new Set<string>();
  private sweeping?: NodeJS.Timeout;

  constructor(
    private readonly flights: Flights<Found>,
    private readonly source: AnswerSource,
    private readonly memory: MemoryTier,
    private readonly epochs: Epochs,
    invalidation: CacheInvalidation,
  ) {
    invalidation.onInvalidated(() => {
      this.sweeping ??= setTimeout(() => this.sweep(), SWEEP_AFTER_MS).unref();
    });
  }

  /** Of an answer that is or will soon be expired. */
  refresh(call: CachedCall, { generatedAt }: Answer): void {
    this.add({ call, reason: 'refresh', newerThan: generatedAt });
  }

  private sweep(): void {
    this.sweeping = undefined;
    for (const call of this.memory.sweep()) this.add({ call, reason: 'invalidated', newerThan: 0 });
  }

  private add(refresh: Refresh): void {
    const { key } = refresh.call;
    if (this.running.has(key) || this.queue.has(key) || this.queue.size >= MOST_QUEUED) return;
    this.queue.set(key, refresh);
    this.pump();
  }

  private pump(): void {
    while (this.running.size < AT_ONCE) {
      const [next] = this.queue;
      if (!next) return;
      const [key, refresh] = next;
      this.queue.delete(key);
      this.running.add(key);
      void this.run(refresh).finally(() => {
        this.running.delete(key);
        this.pump();
      });
    }
  }

  private async run({ call, reason, newerThan }: Refresh): Promise<void> {
    const { landing } = this.flights.join(
      call.key,
      () => this.epochs.now(),
      (since) => this.epochs.isCurrent(call.store, call.tags, since),
      (since) => this.source.find(call, since, reason, newerThan),
    );
    await landing.catch(() => new Promise((resolve) => setTimeout(resolve, REST_MS).unref()));
  }
}
