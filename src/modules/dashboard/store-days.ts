import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { currentStore } from '../../common/request-context.js';
import { Database } from '../../platform/prisma/database.js';
import { type DatedRange, daysBefore, readDays } from './day-range.js';
import type { DaysQuery } from './dto/days-query.dto.js';
import { type TodayRow, todayOfStore } from './rollups.queries.js';

/** So long a new time zone of a store may go unnoticed. */
const KEEP_MS = 60_000;
const MOST_STORES = 10_000;

/** Which day it is in a store, by PostgreSQL's time zones: asked once a minute and at midnight. */
@Injectable()
export class StoreDays {
  private readonly known = new LRUCache<string, string>({ max: MOST_STORES });

  constructor(private readonly database: Database) {}

  /** @throws RANGE_INVALID */
  async range(query: DaysQuery): Promise<DatedRange> {
    return readDays(query, await this.today());
  }

  /** The last so many days, today among them. */
  async last(count: number): Promise<DatedRange> {
    const today = await this.today();
    return { from: daysBefore(today, count - 1), to: today, today };
  }

  /** YYYY-MM-DD */
  private async today(): Promise<string> {
    const store = currentStore();
    const known = this.known.get(store);
    if (known) return known;
    const [row] = await this.database.query<TodayRow>(todayOfStore());
    if (!row) throw new Error('The store in context does not exist');
    this.known.set(store, row.today, { ttl: Math.max(1, Math.min(KEEP_MS, row.left_ms)) });
    return row.today;
  }
}
