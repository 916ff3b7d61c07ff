import type { Answer } from './answer.js';
import { argumentsKey, type CacheDefinition } from './define-cache.js';
import { type CacheCategory, type Tag, withCategories } from './invalidation/tags.js';

/** A call whose answer is cached: what it is called, what it depends on, and how it is answered anew. */
export interface CachedCall {
  store: string;
  /** The store is in it by construction. In braces, so that a cluster keeps what is asked together on one node. */
  key: string;
  category: CacheCategory;
  tags: readonly Tag[];
  ttlMs: number;
  staleMs: number;
  load: () => Promise<Answer>;
}

export function cachedCall<Args extends unknown[]>(
  store: string,
  { name, category, ttlMs, staleMs, tags }: CacheDefinition<Args>,
  args: Args,
  load: () => Promise<Answer>,
): CachedCall {
  const key = `larder:{${store}}:${name}:${argumentsKey(args)}`;
  return { store, key, category, tags: withCategories(tags(...args)), ttlMs, staleMs, load };
}
