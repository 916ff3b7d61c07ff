import { Injectable } from '@nestjs/common';
import { failure } from '../../common/exceptions/failure.js';
import { newId } from '../../common/ids.js';
import { decodeCursor, toPage, UUID_CURSOR } from '../../common/pagination.js';
import { currentStore } from '../../common/request-context.js';
import { PageQuery } from '../../http/page.dto.js';
import { CacheInvalidation } from '../../platform/cache/invalidation/cache-invalidation.js';
import { InvalidateCache } from '../../platform/cache/invalidation/invalidate-cache.decorator.js';
import { Database } from '../../platform/prisma/database.js';
import { readDatabaseError } from '../../platform/prisma/database-error.js';
import { nameTheConflict } from './catalog.conflicts.js';
import type { CategoryChangesDto, CategoryPage, CategoryResponse, NewCategoryDto } from './dto/categories.dto.js';

const COLUMNS = { id: true, slug: true, name: true, taxRatePpm: true } as const;

@Injectable()
export class CategoriesService {
  constructor(
    private readonly database: Database,
    readonly cacheInvalidation: CacheInvalidation,
  ) {}

  /** Newest first. @throws INVALID_CURSOR */
  async list({ limit, cursor }: PageQuery): Promise<CategoryPage> {
    const after = decodeCursor('categories', cursor, UUID_CURSOR);
    const rows = await this.database.prisma.category.findMany({
      where: after === null ? {} : { id: { lt: after } },
      orderBy: { id: 'desc' },
      take: limit + 1,
      select: COLUMNS,
    });
    return toPage('categories', rows, limit, (row) => row.id);
  }

  /** @throws CONFLICT */
  @InvalidateCache('catalog')
  async create({ slug, name, taxRatePpm }: NewCategoryDto): Promise<CategoryResponse> {
    return this.database.prisma.category
      .create({ data: { storeId: currentStore(), id: newId(), slug, name, taxRatePpm }, select: COLUMNS })
      .catch((error: unknown) => {
        throw nameTheConflict(error);
      });
  }

  /** @throws NOT_FOUND, CONFLICT */
  @InvalidateCache('catalog')
  async change(id: string, { slug, name, taxRatePpm }: CategoryChangesDto): Promise<CategoryResponse> {
    const [changed] = await this.database.prisma.category
      .updateManyAndReturn({ where: { id }, data: { slug, name, taxRatePpm }, select: COLUMNS })
      .catch((error: unknown) => {
        throw nameTheConflict(error);
      });
    if (!changed) throw failure('NOT_FOUND');
    return changed;
  }

  /** @throws NOT_FOUND, CATEGORY_IN_USE */
  @InvalidateCache('catalog')
  async remove(id: string): Promise<void> {
    const { count } = await this.database.prisma.category.deleteMany({ where: { id } }).catch((error: unknown) => {
      throw readDatabaseError(error)?.failure === 'FOREIGN_KEY' ? failure('CATEGORY_IN_USE') : error;
    });
    if (count === 0) throw failure('NOT_FOUND');
  }
}
