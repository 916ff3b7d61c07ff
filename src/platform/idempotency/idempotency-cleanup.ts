import { Injectable, OnModuleInit } from '@nestjs/common';
import { LarderConfig } from '../../config/config.js';
import { Jobs } from '../jobs/jobs.service.js';
import { LarderLogger } from '../logging/larder-logger.js';
import { Database } from '../prisma/database.js';
import { deleteOldKeys } from './idempotency.queries.js';

const EVERY_S = 600;
const BATCH = 1000;

/** Forgets answers that were kept long enough: from then on a key is new again. */
@Injectable()
export class IdempotencyCleanup implements OnModuleInit {
  constructor(
    private readonly jobs: Jobs,
    private readonly database: Database,
    private readonly config: LarderConfig,
    private readonly logger: LarderLogger,
  ) {}

  onModuleInit(): void {
    this.jobs.schedule('idempotency.clean', EVERY_S, ({ signal }) => this.clean(signal));
  }

  private async clean(signal: AbortSignal): Promise<void> {
    let deleted = 0;
    for (let full = true; full && !signal.aborted;) {
      const [row] = await this.database.query<{ deleted: number }>(
        deleteOldKeys(this.config.IDEMPOTENCY_KEEP_H, BATCH),
      );
      deleted += row?.deleted ?? 0;
      full = row?.deleted === BATCH;
    }
    if (deleted > 0) this.logger.info({ event: 'job_clean_completed', table: 'idempotency_keys', deleted });
  }
}
