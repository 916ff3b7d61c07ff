import { Injectable, OnModuleInit } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { LarderConfig } from '../../config/config.js';
import { LarderLogger } from '../logging/larder-logger.js';
import { type Backlog, observeBacklog } from '../metrics/jobs.metrics.js';
import { Database } from '../prisma/database.js';
import { type BacklogRow, countBacklog, releaseOrphans } from './jobs.queries.js';
import { Jobs } from './jobs.service.js';

const TIDY_EVERY_S = 60;
/** However many scrape. */
const COUNT_EVERY_MS = 5000;
/** A scrape waits no longer for a database that may be frozen; it has the figures of the last one then. */
const SCRAPE_WAITS_MS = 100;

/** What has to be looked at now and then, whatever workers say of themselves; and how much there is to do. */
@Injectable()
export class JobUpkeep implements OnModuleInit {
  private countedAt = -Infinity;
  private counting: Promise<unknown> = Promise.resolve();
  private counted?: Backlog;

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

  private async backlog(): Promise<Backlog | undefined> {
    const now = performance.now();
    if (now - this.countedAt > COUNT_EVERY_MS) {
      this.countedAt = now;
      this.counting = this.database.query<BacklogRow>(countBacklog()).then(
        ([row]) => (this.counted = row),
        () => (this.counted = undefined),
      );
    }
    await Promise.race([this.counting, sleep(SCRAPE_WAITS_MS, undefined, { ref: false })]);
    return this.counted;
  }
}
