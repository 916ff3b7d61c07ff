import { Injectable } from '@nestjs/common';
import { Answer } from '../../platform/cache/answer.js';
import { CacheService } from '../../platform/cache/cache.service.js';
import { Cached } from '../../platform/cache/cached.decorator.js';
import { Database } from '../../platform/prisma/database.js';
import { CASH_OUTSTANDING, REFUNDS, WALLET_LIABILITIES } from './dashboard.caches.js';
import type { DatedRange } from './day-range.js';
import { cashOutstanding, refundFigures, walletLiabilities } from './money-owed.queries.js';
import { readDocument } from './read-document.js';

/** What is owed to the store and by it, and what was given back. See docs/metrics.md. */
@Injectable()
export class MoneyDashboards {
  constructor(
    readonly cache: CacheService,
    private readonly database: Database,
  ) {}

  @Cached(CASH_OUTSTANDING)
  cashOutstanding(): Promise<Answer<object>> {
    return readDocument(this.database, cashOutstanding());
  }

  @Cached(WALLET_LIABILITIES)
  walletLiabilities(): Promise<Answer<object>> {
    return readDocument(this.database, walletLiabilities());
  }

  @Cached(REFUNDS)
  refunds(range: DatedRange): Promise<Answer<object>> {
    return readDocument(this.database, refundFigures(range));
  }
}
