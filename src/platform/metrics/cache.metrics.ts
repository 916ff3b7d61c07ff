import { Counter, Gauge, Histogram } from 'prom-client';
import { registry } from './registry.js';

const registers = [registry];

let measureMemory: (() => { entries: number; bytes: number }) | undefined;

/** How the memory is measured at a scrape. */
export function observeCacheMemory(measure: typeof measureMemory): void {
  measureMemory = measure;
}

const memoryBytes = new Gauge({ name: 'larder_cache_memory_bytes', help: 'Answers in memory, about', registers });

/** The cache, by category; keys and stores are never labels. */
export const cacheMetrics = {
  reads: new Counter({
    name: 'larder_cache_reads_total',
    help: 'Reads, by where the answer came from: memory, redis, stale, joined (somebody else loaded it), loaded, failed',
    labelNames: ['category', 'source'] as const,
    registers,
  }),
  loads: new Counter({
    name: 'larder_cache_loads_total',
    help: 'Loads, by why and how they ended',
    labelNames: ['category', 'reason', 'outcome'] as const,
    registers,
  }),
  loadDuration: new Histogram({
    name: 'larder_cache_load_duration_seconds',
    help: 'Time of a load',
    labelNames: ['category'] as const,
    buckets: [0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5],
    registers,
  }),
  invalidations: new Counter({
    name: 'larder_cache_invalidations_total',
    help: 'Invalidations of tags: applied, merged into one that comes in half a second to five, heard from another instance',
    labelNames: ['category', 'kind'] as const,
    registers,
  }),
  memoryEntries: new Gauge({
    name: 'larder_cache_memory_entries',
    help: 'Answers in memory',
    registers,
    collect() {
      const measured = measureMemory?.();
      if (!measured) return;
      this.set(measured.entries);
      memoryBytes.set(measured.bytes);
    },
  }),
};

/** Redis as this process sees it. */
export const redisMetrics = {
  up: new Gauge({
    name: 'larder_redis_up',
    help: '1 while Redis is used, 0 while it is left alone because it does not answer; absent without REDIS_URL',
    registers,
  }),
  duration: new Histogram({
    name: 'larder_redis_duration_seconds',
    help: 'Time of a command that was answered',
    labelNames: ['operation'] as const,
    buckets: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5],
    registers,
  }),
  failures: new Counter({
    name: 'larder_redis_failures_total',
    help: 'Commands without a good answer, by reason: timeout, closed, full, foreign, refused',
    labelNames: ['operation', 'reason'] as const,
    registers,
  }),
};
// A gauge without labels begins with 0: who has no Redis would be told that it is gone.
redisMetrics.up.remove();
