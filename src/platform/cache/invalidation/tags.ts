/** What cached figures are about. A label in Prometheus, and what an administrator can invalidate. */
export const CACHE_CATEGORIES = [
  'orders',
  'payments',
  'shipping',
  'inventory',
  'wallets',
  'refunds',
  'catalog',
  'slots',
  'approvals',
] as const;
export type CacheCategory = (typeof CACHE_CATEGORIES)[number];

/**
 * What an entry depends on, and what an invalidation names: an entry is gone when one of its tags is invalidated.
 * `orders` is what changes with every order; `orders:past` what only a change of an order of an earlier day concerns.
 * `*` is a whole category: every entry with a tag of the category carries it by itself, and people invalidate by it.
 */
export type Tag = CacheCategory | 'orders:past' | `${CacheCategory}:*`;

export function categoryOf(tag: Tag): CacheCategory {
  return tag.split(':', 1)[0] as CacheCategory;
}

/** The tags of an entry, with the whole categories that they belong to. */
export function withCategories(tags: readonly Tag[]): Tag[] {
  return [...new Set(tags.flatMap((tag): Tag[] => [tag, `${categoryOf(tag)}:*`]))];
}
