import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Jobs } from '../../platform/jobs/jobs.service.js';
import { Database } from '../../platform/prisma/database.js';
import { forgetGuesses } from './coupons.queries.js';

const EVERY_S = 3600;
const BATCH = 1000;

/** Forgets who guessed at coupons longer ago than counts. */
@Injectable()
export class GuessesCleanup implements OnModuleInit {
  constructor(
    private readonly jobs: Jobs,
    private readonly database: Database,
  ) {}

  onModuleInit(): void {
    this.jobs.schedule('promotions.clean', EVERY_S, ({ signal }) => this.jobs.eachStore(() => this.clean(signal)));
  }

  private async clean(signal: AbortSignal): Promise<void> {
    for (let full = true; full && !signal.aborted;) {
      const [row] = await this.database.query<{ forgotten: number }>(forgetGuesses(BATCH));
      full = row?.forgotten === BATCH;
    }
  }
}
