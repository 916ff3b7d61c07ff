import type { Answer } from './answer.js';
import type { CacheService } from './cache.service.js';
import type { CacheDefinition } from './define-cache.js';

interface Caches {
  readonly cache: CacheService;
}

/**
 * The method's answers are cached; its parameters have to be those of the definition. The method runs in the store's context
 * and without the caller's: whoever asks gets the same, so nothing but the arguments and the store may decide.
 */
export function Cached<Args extends unknown[]>(definition: CacheDefinition<Args>) {
  return <This extends Caches, T>(
    _target: This,
    _name: string,
    descriptor: TypedPropertyDescriptor<(...args: Args) => Promise<Answer<T>>>,
  ): void => {
    const load = descriptor.value;
    if (!load) throw new Error('@Cached is for methods');
    descriptor.value = function (this: This, ...args: Args): Promise<Answer<T>> {
      return this.cache.read(definition, args, () => load.apply(this, args));
    };
  };
}
