import { Injectable, OnModuleInit } from '@nestjs/common';
import { Jobs } from '../../platform/jobs/jobs.service.js';
import { Database } from '../../platform/prisma/database.js';
import { deleteExpired } from './refresh-tokens.queries.js';

const EVERY_S = 3600;
const BATCH = 1000;

/** Forgets refresh tokens that nobody can use any more. */
@Injectable()
export class RefreshTokenCleanup implements OnModuleInit {
  constructor(
    private readonly jobs: Jobs,
    private readonly database: Database,
  ) {}

  onModuleInit(): void {
    this.jobs.schedule('auth.clean', EVERY_S, ({ signal }) => this.jobs.eachStore(() => this.clean(signal)));
  }

  private async clean(signal: AbortSignal): Promise<void> {
    for (let full = true; full && !signal.aborted;) {
      const [row] = await this.database.query<{ deleted: number }>(deleteExpired(BATCH));
      full = row?.deleted === BATCH;
    }
  }
}
