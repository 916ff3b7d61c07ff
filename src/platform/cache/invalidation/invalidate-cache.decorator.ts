import { mayBeCommitted } from '../../prisma/database-error.js';
import type { CacheInvalidation } from './cache-invalidation.js';
import type { Tag } from './tags.js';

interface Invalidates {
  readonly cacheInvalidation: CacheInvalidation;
}

/**
 * For a method that is a whole use case, so that its promise resolves after the commit: then the tags are invalidated. Not when
 * it is refused; a database that is lost on the way may have committed. Where the tags depend on what has happened, the method calls cacheInvalidation.invalidate() itself.
 */
export function InvalidateCache(...tags: [Tag, ...Tag[]]) {
  return <This extends Invalidates, Args extends unknown[], Result>(
    _target: This,
    _name: string,
    descriptor: TypedPropertyDescriptor<(...args: Args) => Promise<Result>>,
  ): void => {
    const method = descriptor.value;
    if (!method) throw new Error('@InvalidateCache is for methods');
    descriptor.value = async function (this: This, ...args: Args): Promise<Result> {
      try {
        const result = await method.apply(this, args);
        this.cacheInvalidation.invalidate(...tags);
        return result;
      } catch (error) {
        if (mayBeCommitted(error)) this.cacheInvalidation.invalidate(...tags);
        throw error;
      }
    };
  };
}
