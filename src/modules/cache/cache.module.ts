import { Module } from '@nestjs/common';
import { CacheController } from './cache.controller.js';
import { InvalidateAll } from './invalidate-all.js';

/** What people see of the cache and do about it; the cache itself is a matter of the platform. */
@Module({ controllers: [CacheController], providers: [InvalidateAll] })
export class CacheAdminModule {}
