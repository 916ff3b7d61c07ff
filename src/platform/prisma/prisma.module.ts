import { Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { PrismaPg } from '@prisma/adapter-pg';
import { LarderConfig } from '../../config/config.js';
import { PrismaClient } from '../../generated/prisma/client.js';
import { LarderLogger } from '../logging/larder-logger.js';
import { observePool } from '../metrics/database.metrics.js';
import { Database } from './database.js';
import { createPool } from './pool.js';
import { QueryObserver } from './query-observer.js';

function openDatabase(config: LarderConfig, logger: LarderLogger): Database {
  const limits = { logMs: config.SLOW_QUERY_LOG_MS, warnMs: config.SLOW_QUERY_WARN_MS };
  const pool = createPool(config, new QueryObserver(limits, logger));
  observePool(pool);
  const client = new PrismaClient({ adapter: new PrismaPg(pool) });
  return new Database(pool, client, {
    transactionMs: config.TRANSACTION_TIMEOUT_MS,
    acquireMs: config.POOL_ACQUIRE_TIMEOUT_MS,
  });
}

@Global()
@Module({
  providers: [{ provide: Database, useFactory: openDatabase, inject: [LarderConfig, LarderLogger] }],
  exports: [Database],
})
export class PrismaModule implements OnApplicationShutdown {
  constructor(@Inject(Database) private readonly database: Database) {}

  /** Last of all: the server has drained and nothing asks the database any more. */
  async onApplicationShutdown(): Promise<void> {
    await this.database.prisma.$disconnect();
    if (!this.database.pool.ended) await this.database.pool.end();
  }
}
