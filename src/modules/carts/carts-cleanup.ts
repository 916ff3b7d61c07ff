import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Jobs } from '../../platform/jobs/jobs.service.js';
import { LarderLogger } from '../../platform/logging/larder-logger.js';
import { Database } from '../../platform/prisma/database.js';
import { removeIdleCarts } from './carts.queries.js';

const EVERY_S = 3600;
const KEEP_DAYS = 30;
const BATCH = 500;

/** Removes what guests left behind: carts that were never ordered and that nobody has touched for 30 days. */
@Injectable()
export class CartsCleanup implements OnModuleInit {
  constructor(
    private readonly jobs: Jobs,
    private readonly database: Database,
    private readonly logger: LarderLogger,
  ) {}

  onModuleInit(): void {
    this.jobs.schedule('cart.clean', EVERY_S, ({ signal }) => this.jobs.eachStore(() => this.clean(signal)));
  }

  private async clean(signal: AbortSignal): Promise<void> {
    let removed = 0;
    for (let full = true; full && !signal.aborted;) {
      const [row] = await this.database.query<{ removed: number }>(removeIdleCarts(KEEP_DAYS, BATCH));
      full = row?.removed === BATCH;
      removed += row?.removed ?? 0;
    }
    if (removed > 0) this.logger.info({ event: 'cart_cleanup_completed', removed });
  }
}
