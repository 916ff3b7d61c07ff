import { Injectable, OnModuleInit } from '@nestjs/common';
import { LarderConfig } from '../../config/config.js';
import { LarderLogger } from '../logging/larder-logger.js';
import { type Backlog, observeBacklog } from '../metrics/jobs.metrics.js';
import { Database } from '../prisma/database.js';
import { type BacklogRow, countBacklog, releaseOrphans } from './jobs.queries.js';
import { Jobs } from './jobs.service.js';

const TIDY_EVERY_S = 60;
/** However many scrape. */
const COUNT_EVERY_MS = 5000;

/** What has to be looked at now and then, whatever workers say of themselves; and how much there is to do. */
@Injectable()
export class JobUpkeep implements OnModuleInit {
  private counted?: { at: number; backlog: Promise<Backlog | undefined> };

  constructor(
    private readonly jobs: Jobs,
    private readonly database: Database,
    private readonly config: LarderConfig,
    private readonly logger: LarderLogger,
  ) {}

  onModuleInit(): void {
    // What `npm run jobs -- check` adds, to see that somebody works.
    this.jobs.handle('jobs.check', () => Promise.resolve());
    this.jobs.schedule('jobs.tidy', TIDY_EVERY_S, () => this.tidy());
    observeBacklog(() => this.backlog());
  }

  private async tidy(): Promise<void> {
    const [row] = await this.database.query<{ released: number; buried: number }>(
      releaseOrphans(this.config.JOBS_WORKER_LOST_MS),
    );
    if (row && row.released + row.buried > 0) this.logger.warn({ event: 'job_tidy_completed', ...row });
  }

  private backlog(): Promise<Backlog | undefined> {
    const now = performance.now();
    if (!this.counted || now - this.counted.at > COUNT_EVERY_MS) {
      const backlog = this.database.query<BacklogRow>(countBacklog()).then(
        ([row]) => row,
        () => undefined,
      );
      this.counted = { at: now, backlog };
    }
    return this.counted.backlog;
  }
}
