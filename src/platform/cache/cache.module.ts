import { Global, Module } from '@nestjs/common';
import { CacheService } from './cache.service.js';
import { CacheInvalidation } from './invalidation/cache-invalidation.js';

@Global()
@Module({ providers: [CacheService, CacheInvalidation], exports: [CacheService, CacheInvalidation] })
export class CacheModule {}
