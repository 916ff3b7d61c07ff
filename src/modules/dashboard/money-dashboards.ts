import { Injectable } from '@nestjs/common';
import { Answer } from '../../platform/cache/answer.js';
import { CacheService } from '../../platform/cache/cache.service.js';
import { Cached } from '../../platform/cache/cached.decorator.js';
import { CASH_OUTSTANDING, REFUNDS, WALLET_LIABILITIES } from './dashboard.caches.js';
import { DashboardReader } from './dashboard-reader.js';
import type { DatedRange } from './day-range.js';
import { cashOutstanding, refundFigures, walletLiabilities } from './money-owed.queries.js';

/** What is owed to the store and by it, and what was given back. See docs/metrics.md. */
@Injectable()
export class MoneyDashboards {
  constructor(
    readonly cache: CacheService,
    private readonly reader: DashboardReader,
  ) {}

  @Cached(CASH_OUTSTANDING)
  cashOutstanding(): Promise<Answer<object>> {
    return this.reader.read(cashOutstanding());
  }

  @Cached(WALLET_LIABILITIES)
  walletLiabilities(): Promise<Answer<object>> {
    return this.reader.read(walletLiabilities());
  }

  @Cached(REFUNDS)
  refunds(range: DatedRange): Promise<Answer<object>> {
    return this.reader.read(refundFigures(range));
  }
}
