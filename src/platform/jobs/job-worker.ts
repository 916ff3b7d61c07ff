import { BeforeApplicationShutdown, Injectable, OnApplicationBootstrap } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { LarderConfig } from '../../config/config.js';
import { LarderLogger } from '../logging/larder-logger.js';
import { pendingMigrations } from '../prisma/migrations.js';
import { createPool } from '../prisma/pool.js';
import { QueryObserver } from '../prisma/query-observer.js';
import { JobRunner } from './job-runner.js';
import { Jobs } from './jobs.service.js';
import { WorkerSession } from './worker-session.js';

const RESTART_MS = 1000;
/** One listens for new jobs; the others take and finish them, and tell that the worker lives. */
const CONNECTIONS = 5;
const ACQUIRE_MS = 5000;

/**
 * Keeps a worker session alive for as long as the process is to work: from the moment the database has all migrations, and
 * again after each trouble with it. Does nothing in the role of an API.
 */
@Injectable()
export class JobWorker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly stopping = new AbortController();
  private keeping?: Promise<void>;
  private session?: WorkerSession;
  private pool?: pg.Pool;

  constructor(
    private readonly jobs: Jobs,
    private readonly runner: JobRunner,
    private readonly config: LarderConfig,
    private readonly logger: LarderLogger,
  ) {}

  onApplicationBootstrap(): void {
    if (this.config.LARDER_ROLE === 'api') return;
    this.pool = this.openPool();
    this.keeping = this.keep(this.pool);
  }

  /** Where nobody has stopped it before: tests, commands. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.stop(this.config.SHUTDOWN_DRAIN_MS);
  }

  /** Takes no more jobs; resolves when what ran has ended, or gone back to the queue after so long. */
  async stop(graceMs: number): Promise<void> {
    if (this.stopping.signal.aborted || !this.pool) return;
    this.stopping.abort();
    const returned = await this.session?.stop(graceMs).catch(() => undefined);
    await this.keeping;
    await this.pool.end();
    this.logger.info({ event: 'job_worker_stopped', worker: this.session?.id, returned });
  }

  private async keep(pool: pg.Pool): Promise<void> {
    const { signal } = this.stopping;
    let healthy = true;
    while (!signal.aborted) {
      try {
        await this.work(pool);
        healthy = true;
      } catch (error) {
        // One line for each trouble, not for each try.
        if (healthy) this.logger.warn({ event: 'job_worker_failed', error: String(error) });
        healthy = false;
      }
      await sleep(RESTART_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** One session, to its end. */
  private async work(pool: pg.Pool): Promise<void> {
    const { stopping, config, session: before } = this;
    if ((await pendingMigrations(pool)).length > 0) return;
    // Not to be taken for dead first, and its jobs for unlucky.
    await before?.leave();
    if (stopping.signal.aborted) return;
    const settings = { atOnce: config.JOBS_AT_ONCE, lostMs: config.JOBS_WORKER_LOST_MS };
    const session = new WorkerSession(this.jobs, this.runner, pool, settings, this.logger);
    this.session = session;
    this.logger.info({ event: 'job_worker_started', worker: session.id, jobs: this.jobs.handlers.size });
    await session.ended;
  }

  /** Of its own: a worker that waits for a connection behind requests would be taken for dead. */
  private openPool(): pg.Pool {
    const { config, logger } = this;
    const observer = new QueryObserver({ logMs: config.SLOW_QUERY_LOG_MS, warnMs: config.SLOW_QUERY_WARN_MS }, logger);
    const settings = { ...config, POOL_SIZE: CONNECTIONS, POOL_ACQUIRE_TIMEOUT_MS: ACQUIRE_MS };
    return createPool(settings, observer, 'larder-jobs');
  }
}
