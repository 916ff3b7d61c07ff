import { Injectable } from '@nestjs/common';
import { Answer } from '../../platform/cache/answer.js';
import { CacheService } from '../../platform/cache/cache.service.js';
import { Cached } from '../../platform/cache/cached.decorator.js';
import { AGENT_LEADERBOARD, DELIVERY_BY_ZIP, FULFILMENT } from './dashboard.caches.js';
import { DashboardReader } from './dashboard-reader.js';
import type { DatedRange } from './day-range.js';
import { agentLeaderboard, deliveryByZip, fulfilment } from './deliveries.queries.js';

/** How parcels got to the door: an attempt counts on the day of the store that it ended on. See docs/metrics.md. */
@Injectable()
export class DeliveryDashboards {
  constructor(
    readonly cache: CacheService,
    private readonly reader: DashboardReader,
  ) {}

  @Cached(FULFILMENT)
  fulfilment(range: DatedRange): Promise<Answer<object>> {
    return this.reader.read(fulfilment(range));
  }

  @Cached(DELIVERY_BY_ZIP)
  byZip(range: DatedRange): Promise<Answer<object>> {
    return this.reader.read(deliveryByZip(range));
  }

  @Cached(AGENT_LEADERBOARD)
  agents(range: DatedRange, limit: number): Promise<Answer<object>> {
    return this.reader.read(agentLeaderboard(range, limit));
  }
}
