import { expect, it } from '@jest/globals';
import { failure } from '../../src/common/exceptions/failure.js';
import { Answer } from '../../src/platform/cache/answer.js';
import { Cached } from '../../src/platform/cache/cached.decorator.js';
import type { CacheService } from '../../src/platform/cache/cache.service.js';
import { argumentsKey, defineCache } from '../../src/platform/cache/define-cache.js';
import type { CacheInvalidation } from '../../src/platform/cache/invalidation/cache-invalidation.js';
import { InvalidateCache } from '../../src/platform/cache/invalidation/invalidate-cache.decorator.js';

interface Range {
  from: string;
  to: string;
}

const TRENDS = defineCache({
  name: 'test.trends',
  category: 'orders',
  ttlMs: 1000,
  staleMs: 1000,
  tags: (range: Range) => (range.to < '2026-01-01' ? ['orders:past'] : ['orders', 'orders:past']),
});

defineCache({
  name: 'test.weather',
  // @ts-expect-error -- there is no such category
  category: 'weather',
  ttlMs: 1000,
  staleMs: 0,
  // @ts-expect-error -- nor such a tag
  tags: () => ['weather'],
});

/** Not meant to run: that it compiles as it is, `npm run typecheck` says. */
class Reports {
  constructor(
    readonly cache: CacheService,
    readonly cacheInvalidation: CacheInvalidation,
  ) {}

  @Cached(TRENDS)
  trends({ from, to }: Range): Promise<Answer<Range>> {
    return Promise.resolve(Answer.of({ from, to }));
  }

  // @ts-expect-error -- the key of TRENDS is a range
  @Cached(TRENDS)
  ofStatus(status: string): Promise<Answer<string>> {
    return Promise.resolve(Answer.of(status));
  }

  // @ts-expect-error -- a parameter that is not in the key
  @Cached(TRENDS)
  ofUser({ from, to }: Range, user: string): Promise<Answer<unknown>> {
    return Promise.resolve(Answer.of([from, to, user]));
  }

  @InvalidateCache('orders', 'payments')
  async place(order: string): Promise<string> {
    return Promise.resolve(order);
  }

  // @ts-expect-error -- there is no such category
  @InvalidateCache('weather')
  async rain(): Promise<void> {
    await Promise.resolve();
  }

  // @ts-expect-error -- nothing to invalidate
  @InvalidateCache()
  async nothing(): Promise<void> {
    await Promise.resolve();
  }
}

class Bare {
  // @ts-expect-error -- nowhere to cache it
  @Cached(TRENDS)
  trends({ from, to }: Range): Promise<Answer<Range>> {
    return Promise.resolve(Answer.of({ from, to }));
  }
}

it('invalidates what may have been committed, and nothing that was refused', async () => {
  const invalidated: string[][] = [];
  const told = { invalidate: (...tags: string[]) => void invalidated.push(tags) } as unknown as CacheInvalidation;
  class Orders {
    readonly cacheInvalidation = told;
    @InvalidateCache('orders', 'payments')
    place(outcome: Promise<string>): Promise<string> {
      return outcome;
    }
  }
  const orders = new Orders();
  expect(await orders.place(Promise.resolve('placed'))).toBe('placed');
  expect(invalidated).toEqual([['orders', 'payments']]);
  const refused = failure('INSUFFICIENT_STOCK');
  await expect(orders.place(Promise.reject(refused))).rejects.toBe(refused);
  expect(invalidated).toHaveLength(1);
  const lost = Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' });
  await expect(orders.place(Promise.reject(lost))).rejects.toBe(lost);
  expect(invalidated).toHaveLength(2);
});

it('tells keys by what the arguments say, not by the order of their fields', () => {
  expect([Reports, Bare]).toBeDefined();
  expect(argumentsKey([{ from: 'a', to: 'b' }, undefined])).toBe(argumentsKey([{ to: 'b', from: 'a' }, undefined]));
  expect(argumentsKey([{ from: 'a', to: 'b' }])).not.toBe(argumentsKey([{ from: 'b', to: 'a' }]));
  expect(argumentsKey(['x'.repeat(5000)])).toHaveLength(43);
});
