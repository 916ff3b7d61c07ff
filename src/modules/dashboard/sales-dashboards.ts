import { Injectable } from '@nestjs/common';
import { Answer } from '../../platform/cache/answer.js';
import { CacheService } from '../../platform/cache/cache.service.js';
import { Cached } from '../../platform/cache/cached.decorator.js';
import { ORDER_TRENDS, SALES_BY_PAYMENT_METHOD, SALES_BY_STATUS, TOP_PRODUCTS } from './dashboard.caches.js';
import { DashboardReader } from './dashboard-reader.js';
import type { DatedRange } from './day-range.js';
import type { ProductOrder } from './dto/days-query.dto.js';
import { orderTrends, salesByPaymentMethod, salesByStatus, topProducts } from './sales.queries.js';

/** What was sold: figures of orders count on the day of the store that they were placed on. See docs/metrics.md. */
@Injectable()
export class SalesDashboards {
  constructor(
    readonly cache: CacheService,
    private readonly reader: DashboardReader,
  ) {}

  @Cached(ORDER_TRENDS)
  orderTrends(range: DatedRange): Promise<Answer<object>> {
    return this.reader.read(orderTrends(range));
  }

  @Cached(SALES_BY_STATUS)
  byStatus(range: DatedRange): Promise<Answer<object>> {
    return this.reader.read(salesByStatus(range));
  }

  @Cached(SALES_BY_PAYMENT_METHOD)
  byPaymentMethod(range: DatedRange): Promise<Answer<object>> {
    return this.reader.read(salesByPaymentMethod(range));
  }

  @Cached(TOP_PRODUCTS)
  topProducts(range: DatedRange, by: ProductOrder, limit: number): Promise<Answer<object>> {
    return this.reader.read(topProducts(range, by, limit));
  }
}
