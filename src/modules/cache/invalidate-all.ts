import { Injectable, type OnModuleInit } from '@nestjs/common';
import { CacheInvalidation } from '../../platform/cache/invalidation/cache-invalidation.js';
import { CACHE_CATEGORIES } from '../../platform/cache/invalidation/tags.js';
import { Jobs } from '../../platform/jobs/jobs.service.js';

/** Commands write past the API, and know neither Redis nor its instances: they leave a job, and who runs it tells the others. */
@Injectable()
export class InvalidateAll implements OnModuleInit {
  constructor(
    private readonly jobs: Jobs,
    private readonly invalidation: CacheInvalidation,
  ) {}

  onModuleInit(): void {
    this.jobs.handle('cache.invalidate', () => {
      this.invalidation.invalidateNow(...CACHE_CATEGORIES.map((category) => `${category}:*` as const));
      return Promise.resolve();
    });
  }
}
