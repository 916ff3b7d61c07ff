import { Injectable } from '@nestjs/common';
import { failure } from '../../common/exceptions/failure.js';
import { newId } from '../../common/ids.js';
import { decodeCursor, type Page, toPage, UUID_CURSOR } from '../../common/pagination.js';
import { currentStore } from '../../common/request-context.js';
import type { PageQuery } from '../../http/page.dto.js';
import { CacheInvalidation } from '../../platform/cache/invalidation/cache-invalidation.js';
import { InvalidateCache } from '../../platform/cache/invalidation/invalidate-cache.decorator.js';
import { Database } from '../../platform/prisma/database.js';
import { readDatabaseError, violates } from '../../platform/prisma/database-error.js';
import type { NewZoneDto, ZoneChangesDto, ZoneResponse } from './dto/zone.dto.js';

const COLUMNS = { id: true, name: true, zipCodes: true } as const;

@Injectable()
export class ZonesService {
  constructor(
    private readonly database: Database,
    readonly cacheInvalidation: CacheInvalidation,
  ) {}

  /** Newest first. @throws INVALID_CURSOR */
  async page({ limit, cursor }: PageQuery): Promise<Page<ZoneResponse>> {
    const before = decodeCursor('zones', cursor, UUID_CURSOR);
    const rows = await this.database.prisma.deliveryZone.findMany({
      where: before === null ? {} : { id: { lt: before } },
      orderBy: { id: 'desc' },
      take: limit + 1,
      select: COLUMNS,
    });
    return toPage('zones', rows, limit, ({ id }) => id);
  }

  /** @throws CONFLICT */
  @InvalidateCache('slots')
  async create({ name, zipCodes }: NewZoneDto): Promise<ZoneResponse> {
    return this.database.prisma.deliveryZone
      .create({ data: { storeId: currentStore(), id: newId(), name, zipCodes }, select: COLUMNS })
      .catch((error: unknown) => {
        throw named(error);
      });
  }

  /** Orders that were placed keep their slots. @throws NOT_FOUND, CONFLICT */
  @InvalidateCache('slots')
  async change(id: string, { name, zipCodes }: ZoneChangesDto): Promise<ZoneResponse> {
    const [changed] = await this.database.prisma.deliveryZone
      .updateManyAndReturn({ where: { id }, data: { name, zipCodes }, select: COLUMNS })
      .catch((error: unknown) => {
        throw named(error);
      });
    if (!changed) throw failure('NOT_FOUND');
    return changed;
  }

  /** @throws NOT_FOUND, ZONE_IN_USE */
  @InvalidateCache('slots')
  async remove(id: string): Promise<void> {
    const { count } = await this.database.prisma.deliveryZone.deleteMany({ where: { id } }).catch((error: unknown) => {
      throw readDatabaseError(error)?.failure === 'FOREIGN_KEY' ? failure('ZONE_IN_USE') : error;
    });
    if (count === 0) throw failure('NOT_FOUND');
  }
}

function named(error: unknown): unknown {
  return violates(error, 'delivery_zones_name_key') ? failure('CONFLICT', [{ field: 'name' }]) : error;
}
