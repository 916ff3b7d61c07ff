import { Injectable } from '@nestjs/common';
import { cacheMetrics } from '../metrics/cache.metrics.js';
import type { CacheCategory } from './invalidation/tags.js';

/** Where an answer came from; `joined`: from a load that somebody else had begun. */
export type ReadSource = 'memory' | 'redis' | 'stale' | 'joined' | 'loaded' | 'failed';

/** Somebody waits for it; it is or will soon be expired; it was popular when it was invalidated. */
export type LoadReason = 'read' | 'refresh' | 'invalidated';

export type ReadCounts = Record<ReadSource, number>;

/** What the cache of this process has done, for people; Prometheus is told the same. */
@Injectable()
export class CacheStatistics {
  readonly reads = new Map<CacheCategory, ReadCounts>();
  readonly loads = { read: 0, refresh: 0, invalidated: 0, failed: 0 };

  read(category: CacheCategory, source: ReadSource): void {
    let counts = this.reads.get(category);
    if (!counts) {
      counts = { memory: 0, redis: 0, stale: 0, joined: 0, loaded: 0, failed: 0 };
      this.reads.set(category, counts);
    }
    counts[source] += 1;
    cacheMetrics.reads.inc({ category, source });
  }

  loaded(category: CacheCategory, reason: LoadReason, seconds: number): void {
    this.loads[reason] += 1;
    cacheMetrics.loads.inc({ category, reason, outcome: 'completed' });
    cacheMetrics.loadDuration.observe({ category }, seconds);
  }

  loadFailed(category: CacheCategory, reason: LoadReason): void {
    this.loads.failed += 1;
    cacheMetrics.loads.inc({ category, reason, outcome: 'failed' });
  }
}
