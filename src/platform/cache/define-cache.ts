import { createHash } from 'node:crypto';
import type { CacheCategory, Tag } from './invalidation/tags.js';

/** One kind of cached answer. Its arguments are the key: everything that the answer depends on but the store. */
export interface CacheDefinition<Args extends unknown[]> {
  /** Unique; a part of keys and of statistics: `dashboard.overview`. */
  name: string;
  category: CacheCategory;
  /** After so long it is expired. */
  ttlMs: number;
  /** So long after that it may still be served, while it is read anew. Invalidated is gone all the same. */
  staleMs: number;
  tags: (...args: Args) => readonly Tag[];
}

const LONGEST_READABLE = 120;

export function defineCache<Args extends unknown[]>(definition: CacheDefinition<Args>): CacheDefinition<Args> {
  return definition;
}

/** The arguments as a part of a key: the same whatever the order of their fields, a hash where they are long. */
export function argumentsKey(args: unknown[]): string {
  const text = JSON.stringify(args, (_name, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
  return text.length <= LONGEST_READABLE ? text : createHash('sha256').update(text).digest('base64url');
}
