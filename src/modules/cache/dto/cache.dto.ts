import { IsIn } from 'class-validator';
import { CACHE_CATEGORIES, type CacheCategory } from '../../../platform/cache/invalidation/tags.js';

export class InvalidateCacheDto {
  @IsIn(CACHE_CATEGORIES)
  category: CacheCategory;
}

/** Parts of the reads, 0 to 1. */
export class HitRatesResponse {
  memory: number;
  redis: number;
  /** Expired, and served while it was read anew. */
  stale: number;
  /** All that waited for no load. */
  all: number;
}

/** Reads by where the answer came from. */
export class CacheReadsResponse {
  memory: number;
  redis: number;
  stale: number;
  /** From a load that somebody else had begun. */
  joined: number;
  loaded: number;
  failed: number;
}

export class CacheCategoryResponse {
  category: string;
  reads: CacheReadsResponse;
  hitRates: HitRatesResponse;
}

export class CacheMemoryResponse {
  entries: number;
  bytes: number;
  limitBytes: number;
}

export class CacheLoadsResponse {
  /** For somebody who waited. */
  read: number;
  /** In the background, of what was or would soon be expired. */
  refresh: number;
  /** In the background, of what was popular when it was invalidated. */
  invalidated: number;
  failed: number;
}

export class CacheInvalidationsResponse {
  applied: number;
  /** Put off for half a second, for five at most, as there were too many at once. */
  merged: number;
  /** From other instances. */
  heard: number;
}

export class CacheKeyResponse {
  key: string;
  /** Since it was read last. */
  hits: number;
  bytes: number;
  ageMs: number;
}

export class CacheStatsResponse {
  /** none: this instance was given no Redis; down: it does not answer and is left alone until it does. */
  redis: 'none' | 'up' | 'down';
  memory: CacheMemoryResponse;
  hitRates: HitRatesResponse;
  categories: CacheCategoryResponse[];
  loads: CacheLoadsResponse;
  /** The part, 0 to 1, of those who found nothing that did not load themselves, as somebody else did already. */
  dedupRatio: number;
  invalidations: CacheInvalidationsResponse;
  topKeys: CacheKeyResponse[];
}
