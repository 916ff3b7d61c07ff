import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiNoContentResponse, ApiTags } from '@nestjs/swagger';
import { Roles } from '../../http/access.js';
import { CacheService } from '../../platform/cache/cache.service.js';
import { CacheInvalidation } from '../../platform/cache/invalidation/cache-invalidation.js';
import { CacheStatsResponse, InvalidateCacheDto } from './dto/cache.dto.js';

@ApiTags('operations')
@ApiBearerAuth()
@Controller('api/admin/cache')
export class CacheController {
  constructor(
    private readonly cache: CacheService,
    private readonly invalidation: CacheInvalidation,
  ) {}

  /** What the cache of the instance that answers has done since its start. Keys are those of the own store. */
  @Roles('ADMIN')
  @Get('stats')
  stats(): CacheStatsResponse {
    return this.cache.stats();
  }

  /** Everything of a category that is cached for the own store is read anew, on all instances. */
  @Roles('ADMIN')
  @ApiNoContentResponse()
  @HttpCode(204)
  @Post('invalidate')
  invalidate(@Body() { category }: InvalidateCacheDto): void {
    this.invalidation.invalidateNow(`${category}:*`);
  }
}
