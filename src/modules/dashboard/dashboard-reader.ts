import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { currentStore } from '../../common/request-context.js';
import { failure } from '../../common/exceptions/failure.js';
import { LarderConfig } from '../../config/config.js';
import { Answer } from '../../platform/cache/answer.js';
import { readDatabaseError } from '../../platform/prisma/database-error.js';
import { Database } from '../../platform/prisma/database.js';
import { FewAtOnce } from '../../platform/prisma/few-at-once.js';

/** What took too long is not begun again for so long, whoever asks: it took a core for as long as a statement may. */
const REST_MS = 30_000;
const MOST_KNOWN = 1000;
/**
 * So much of the pool is for dashboards. With all of it, 50 looks a second at cold dashboards beside 200 orders a second made a
 * busy machine refuse a quarter of the orders, which waited a second for a connection.
 */
const SHARE_OF_POOL = 0.2;

/** Reads a dashboard as JSON that PostgreSQL has written. */
@Injectable()
export class DashboardReader {
  private readonly tooLong = new LRUCache<string, true>({ max: MOST_KNOWN, ttl: REST_MS });
  private readonly turns: FewAtOnce;

  constructor(
    private readonly database: Database,
    { POOL_SIZE, STATEMENT_TIMEOUT_MS }: LarderConfig,
  ) {
    this.turns = new FewAtOnce(Math.max(1, Math.floor(POOL_SIZE * SHARE_OF_POOL)), STATEMENT_TIMEOUT_MS);
  }

  /**
   * Planned anew each time: how many days have to be counted in the base tables decides, and a read is rare.
   * @throws FIGURES_NOT_READY, DATABASE_BUSY when it has waited for its turn as long as a statement may take
   */
  async read(sql: Parameters<Database['query']>[0]): Promise<Answer<object>> {
    const asked = JSON.stringify([currentStore(), sql.text, sql.values]);
    if (this.tooLong.has(asked)) throw failure('FIGURES_NOT_READY');
    try {
      const [row] = await this.turns.run(() => this.database.query<{ document: string }>(sql, 'anew'));
      if (!row) throw new Error('A dashboard is one row');
      return Answer.ofJson<object>(row.document);
    } catch (error) {
      if (readDatabaseError(error)?.failure !== 'STATEMENT_TIMEOUT') throw error;
      this.tooLong.set(asked, true);
      throw failure('FIGURES_NOT_READY');
    }
  }
}
