import { Injectable } from '@nestjs/common';
import { failure } from '../../common/exceptions/failure.js';
import { newId } from '../../common/ids.js';
import type { DocumentRow } from '../../common/pagination.js';
import { currentStore } from '../../common/request-context.js';
import { CacheInvalidation } from '../../platform/cache/invalidation/cache-invalidation.js';
import { InvalidateCache } from '../../platform/cache/invalidation/invalidate-cache.decorator.js';
import { Database } from '../../platform/prisma/database.js';
import { nameTheConflict } from './catalog.conflicts.js';
import type { NewProductDto, ProductChangesDto } from './dto/products.dto.js';
import { productById } from './products.queries.js';
import { seesUnpublished } from './shelf.js';
import { requireStoreCurrency } from './store-currency.js';

/** Products are answered as the JSON text that the database wrote, see DocumentRow. */
@Injectable()
export class ProductsService {
  constructor(
    private readonly database: Database,
    readonly cacheInvalidation: CacheInvalidation,
  ) {}

  /** @throws NOT_FOUND */
  async get(id: string): Promise<string> {
    const [row] = await this.database.query<DocumentRow>(productById(id, seesUnpublished()));
    if (!row) throw failure('NOT_FOUND');
    return row.document;
  }

  /** A product with its variants, none of them in stock yet. @throws CONFLICT, INVALID_REFERENCE, CURRENCY_MISMATCH */
  @InvalidateCache('catalog')
  async create({ variants, ...product }: NewProductDto): Promise<string> {
    await requireStoreCurrency(
      this.database,
      variants.map((variant) => variant.price),
    );
    const storeId = currentStore();
    const productId = newId();
    // Variants are listed by id: sorted ids keep them in the order they were given in.
    const ids = variants.map(() => newId()).sort();
    const rows = variants.map(({ sku, name, price }, index) => ({
      storeId,
      id: ids[index] ?? newId(),
      productId,
      sku,
      name,
      price: BigInt(price.amount),
      currency: price.currency,
    }));
    try {
      await this.database.transaction(async (tx) => {
        await tx.product.create({ data: { storeId, id: productId, ...columnsOf(product) }, select: { id: true } });
        await tx.variant.createMany({ data: rows });
        await tx.stockLevel.createMany({ data: rows.map(({ id }) => ({ storeId, variantId: id })) });
      });
    } catch (error) {
      throw nameTheConflict(error);
    }
    return this.get(productId);
  }

  /** @throws NOT_FOUND, CONFLICT, INVALID_REFERENCE */
  @InvalidateCache('catalog')
  async change(id: string, changes: ProductChangesDto): Promise<string> {
    try {
      const { count } = await this.database.prisma.product.updateMany({
        where: { id, archivedAt: null },
        data: columnsOf(changes),
      });
      if (count === 0) throw failure('NOT_FOUND');
    } catch (error) {
      throw nameTheConflict(error);
    }
    return this.get(id);
  }

  /**
   * Takes a product and its variants out of the catalog for good; slug, SKUs and category are free again. The product's row
   * is locked before its variants are read, so that none can be added meanwhile. @throws NOT_FOUND
   */
  @InvalidateCache('catalog')
  async archive(id: string): Promise<void> {
    const archivedAt = new Date();
    await this.database.transaction(async (tx) => {
      const { count } = await tx.product.updateMany({
        where: { id, archivedAt: null },
        data: { archivedAt, categoryId: null },
      });
      if (count === 0) throw failure('NOT_FOUND');
      await tx.variant.updateMany({ where: { productId: id, archivedAt: null }, data: { archivedAt } });
    });
  }
}

function columnsOf<Body extends ProductChangesDto>({
  name,
  slug,
  description,
  categoryId,
  imageUrls,
  published,
}: Body) {
  return { name, slug, description, categoryId, imageUrls, published } as Pick<
    Body,
    'name' | 'slug' | 'description' | 'categoryId' | 'imageUrls' | 'published'
  >;
}
