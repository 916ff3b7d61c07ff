import { Injectable } from '@nestjs/common';
import { Answer } from '../../platform/cache/answer.js';
import { CacheService } from '../../platform/cache/cache.service.js';
import { Cached } from '../../platform/cache/cached.decorator.js';
import { activity } from './activity.queries.js';
import { ACTIVITY, LOW_STOCK, MOBILE, OVERVIEW } from './dashboard.caches.js';
import { DashboardReader } from './dashboard-reader.js';
import type { DatedRange } from './day-range.js';
import { lowStock } from './low-stock.queries.js';
import { mobile, overview } from './overview.queries.js';

/** How the shop stands now. See docs/metrics.md. */
@Injectable()
export class LiveDashboards {
  constructor(
    readonly cache: CacheService,
    private readonly reader: DashboardReader,
  ) {}

  /** @param _today of the store, YYYY-MM-DD: at midnight there is another answer */
  @Cached(OVERVIEW)
  overview(_today: string): Promise<Answer<object>> {
    return this.reader.read(overview());
  }

  /** @param _today as for the overview */
  @Cached(MOBILE)
  mobile(_today: string): Promise<Answer<object>> {
    return this.reader.read(mobile());
  }

  /** @param sellingDays whose sales say how long goods will last */
  @Cached(LOW_STOCK)
  lowStock(sellingDays: DatedRange, threshold: number, limit: number): Promise<Answer<object>> {
    return this.reader.read(lowStock(sellingDays, threshold, limit));
  }

  @Cached(ACTIVITY)
  activity(): Promise<Answer<object>> {
    return this.reader.read(activity());
  }
}
