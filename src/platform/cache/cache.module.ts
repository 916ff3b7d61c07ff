import { Global, Module } from '@nestjs/common';
import { AnswerSource } from './answer-source.js';
import { CacheStatistics } from './cache-statistics.js';
import { CacheService } from './cache.service.js';
import { Flights } from './flights.js';
import { CacheInvalidation } from './invalidation/cache-invalidation.js';
import { Epochs } from './invalidation/epochs.js';
import { InvalidationBus } from './invalidation/invalidation-bus.js';
import { MemoryTier } from './memory-tier.js';
import { RedisTier } from './redis-tier.js';
import { Refresher } from './refresher.js';
import { WarmUp } from './warm-up.js';

@Global()
@Module({
  providers: [
    CacheService,
    CacheInvalidation,
    InvalidationBus,
    Epochs,
    MemoryTier,
    RedisTier,
    Flights,
    AnswerSource,
    Refresher,
    WarmUp,
    CacheStatistics,
  ],
  exports: [CacheService, CacheInvalidation],
})
export class CacheModule {}
