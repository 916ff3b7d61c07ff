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
  /** By store, YYYY-MM-DD. A thousand who ask at once are one statement. */
  private readonly known: LRUCache<string, string>;

  constructor(database: Database) {
    this.known = new LRUCache({
      max: MOST_STORES,
      fetchMethod: async (_store, _before, { options }) => {
        const [row] = await database.query<TodayRow>(todayOfStore());
        if (!row) throw new Error('The store in context does not exist');
        options.ttl = Math.max(1, Math.min(KEEP_MS, row.left_ms));
        return row.today;
      },
    });
  }

  /** YYYY-MM-DD */
  today(): Promise<string> {
    return this.known.forceFetch(currentStore());
  }

  /** @throws RANGE_INVALID */
  async range(query: DaysQuery): Promise<DatedRange> {
    return readDays(query, await this.today());
  }

  /** The last so many days, today among them. */
  async last(count: number): Promise<DatedRange> {
    const today = await this.today();
    return { from: daysBefore(today, count - 1), to: today, today };
  }
}
