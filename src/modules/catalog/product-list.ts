import { Injectable } from '@nestjs/common';
import { decodeCursor, type DocumentRow, toDocumentPage, UUID_CURSOR } from '../../common/pagination.js';
import { Answer } from '../../platform/cache/answer.js';
import { CacheService } from '../../platform/cache/cache.service.js';
import { Cached } from '../../platform/cache/cached.decorator.js';
import { defineCache } from '../../platform/cache/define-cache.js';
import type { Tag } from '../../platform/cache/invalidation/tags.js';
import { Database } from '../../platform/prisma/database.js';
import type { ProductPage, ProductsQuery } from './dto/products.dto.js';
import { productsPage, type ProductsWanted, type Shelf } from './products.queries.js';
import { SearchProducts } from './search-products.js';
import { seesUnpublished } from './shelf.js';

type FirstPage = Shelf & Pick<ProductsWanted, 'limit'>;

/** What a shop opens with. `available` is in it, so it changes with the stock too. */
const FIRST_PAGES = defineCache({
  name: 'catalog.first-pages',
  category: 'catalog',
  ttlMs: 60_000,
  staleMs: 30_000,
  tags: (_page: FirstPage): Tag[] => ['catalog', 'inventory'],
});

/** Products to look at. Nothing decides by them: prices and stock are read anew when somebody orders. */
@Injectable()
export class ProductList {
  constructor(
    readonly cache: CacheService,
    private readonly database: Database,
    private readonly searchProducts: SearchProducts,
  ) {}

  /**
   * A page as JSON text: newest first, what is searched for best first. Customers see what is published, staff everything.
   * First pages come from the cache. @throws INVALID_CURSOR
   */
  async page({ limit, cursor, search, category }: ProductsQuery): Promise<string> {
    const withUnpublished = seesUnpublished();
    if (search) return this.searchProducts.page({ search, category, withUnpublished, limit, cursor });
    if (cursor === undefined) return (await this.first({ limit, category, withUnpublished })).json;
    return this.read({ limit, category, withUnpublished, after: decodeCursor('products', cursor, UUID_CURSOR) });
  }

  @Cached(FIRST_PAGES)
  private async first(page: FirstPage): Promise<Answer<ProductPage>> {
    return Answer.ofJson(await this.read({ ...page, after: null }));
  }

  private async read(wanted: ProductsWanted): Promise<string> {
    const rows = await this.database.query<DocumentRow>(productsPage(wanted));
    return toDocumentPage('products', rows, wanted.limit);
  }
}
