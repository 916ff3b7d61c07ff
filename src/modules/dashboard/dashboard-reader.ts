import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { currentStore } from '../../common/request-context.js';
import { failure } from '../../common/exceptions/failure.js';
import { Answer } from '../../platform/cache/answer.js';
import { readDatabaseError } from '../../platform/prisma/database-error.js';
import { Database } from '../../platform/prisma/database.js';

/** What took too long is not begun again for so long, whoever asks: it took a core for as long as a statement may. */
const REST_MS = 30_000;
const MOST_KNOWN = 1000;

/** Reads a dashboard as JSON that PostgreSQL has written. */
@Injectable()
export class DashboardReader {
  private readonly tooLong = new LRUCache<string, true>({ max: MOST_KNOWN, ttl: REST_MS });

  constructor(private readonly database: Database) {}

  /**
   * Planned anew each time: how many days have to be counted in the base tables decides, and a read is rare.
   * @throws FIGURES_NOT_READY
   */
  async read(sql: Parameters<Database['query']>[0]): Promise<Answer<object>> {
    const asked = JSON.stringify([currentStore(), sql.text, sql.values]);
    if (this.tooLong.has(asked)) throw failure('FIGURES_NOT_READY');
    try {
      const [row] = await this.database.query<{ document: string }>(sql, 'anew');
      if (!row) throw new Error('A dashboard is one row');
      return Answer.ofJson<object>(row.document);
    } catch (error) {
      if (readDatabaseError(error)?.failure !== 'STATEMENT_TIMEOUT') throw error;
      this.tooLong.set(asked, true);
      throw failure('FIGURES_NOT_READY');
    }
  }
}
