import { Injectable } from '@nestjs/common';
import { failure } from '../../common/exceptions/failure.js';
import { newId } from '../../common/ids.js';
import { CacheInvalidation } from '../../platform/cache/invalidation/cache-invalidation.js';
import { InvalidateCache } from '../../platform/cache/invalidation/invalidate-cache.decorator.js';
import { Database } from '../../platform/prisma/database.js';
import { nameTheConflict } from './catalog.conflicts.js';
import type { NewVariantDto, VariantChangesDto } from './dto/variants.dto.js';
import { variantById } from './products.queries.js';
import type { DocumentRow } from '../../common/pagination.js';
import { requireStoreCurrency } from './store-currency.js';
import { insertVariant } from './variants.queries.js';

@Injectable()
export class VariantsService {
  constructor(
    private readonly database: Database,
    readonly cacheInvalidation: CacheInvalidation,
  ) {}

  /** @throws NOT_FOUND, CONFLICT, CURRENCY_MISMATCH */
  @InvalidateCache('catalog')
  async add(productId: string, { sku, name = '', price }: NewVariantDto): Promise<string> {
    await requireStoreCurrency(this.database, [price]);
    const id = newId();
    const variant = { id, productId, sku, name, price: price.amount, currency: price.currency };
    const added = await this.database.query(insertVariant(variant)).catch((error: unknown) => {
      throw nameTheConflict(error);
    });
    if (added.length === 0) throw failure('NOT_FOUND');
    return this.get(productId, id);
  }

  /** @throws NOT_FOUND, CURRENCY_MISMATCH */
  @InvalidateCache('catalog')
  async change(productId: string, id: string, { name, price }: VariantChangesDto): Promise<string> {
    if (price) await requireStoreCurrency(this.database, [price]);
    const { count } = await this.database.prisma.variant.updateMany({
      where: { id, productId, archivedAt: null },
      data: { name, price: price && BigInt(price.amount) },
    });
    if (count === 0) throw failure('NOT_FOUND');
    return this.get(productId, id);
  }

  /** Takes a variant out of the catalog for good; its SKU is free again. @throws NOT_FOUND */
  @InvalidateCache('catalog')
  async archive(productId: string, id: string): Promise<void> {
    const { count } = await this.database.prisma.variant.updateMany({
      where: { id, productId, archivedAt: null },
      data: { archivedAt: new Date() },
    });
    if (count === 0) throw failure('NOT_FOUND');
  }

  private async get(productId: string, id: string): Promise<string> {
    const [row] = await this.database.query<DocumentRow>(variantById(productId, id));
    if (!row) throw failure('NOT_FOUND');
    return row.document;
  }
}
