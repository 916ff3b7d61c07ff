import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger, runTaskList, type WorkerEvents, type WorkerPool } from 'graphile-worker';
import type pg from 'pg';
import type { LarderLogger } from '../logging/larder-logger.js';
import { jobMetrics } from '../metrics/jobs.metrics.js';
import type { JobRunner } from './job-runner.js';
import { JobTicker } from './job-ticker.js';
import type { Jobs } from './jobs.service.js';
import { beat, type BuriedRow, buryJobs, buryWorkers, leave } from './worker.queries.js';

/** For jobs whose time has come; new ones are told by NOTIFY. */
const POLL_MS = 1000;
/** So many may be missed before a worker counts as dead. */
const BEATS_BEFORE_LOST = 5;
/** The library tells of a job's last failure before it has written it; the first look may come too early. */
const LOOKS_FOR_DEAD = 2;
/** For handlers that watch their signal, once patience has ended. */
const HURRY_MS = 250;
const SETTLE_MS = 500;
/** The library's own end of patience; stop() has a better one. */
const NEVER_MS = 2 ** 31 - 1;

export interface SessionSettings {
  atOnce: number;
  lostMs: number;
}

/**
 * A worker under one id, from its first sign of life to the end of its last job. It ends by itself when it can't tell the
 * database what became of a job; whoever keeps it starts another one then.
 */
export class WorkerSession {
  /** Resolves, and never rejects, when all that was begun has ended and nothing more is taken. */
  readonly ended: Promise<void>;
  private readonly hurrying = new AbortController();
  private silence = new AbortController();
  private beating: Promise<void>;
  private readonly workers: WorkerPool;
  private readonly ticker: JobTicker;
  /** Beats that still look for dead jobs. */
  private looksForDead = LOOKS_FOR_DEAD;

  constructor(
    jobs: Jobs,
    runner: JobRunner,
    private readonly pool: pg.Pool,
    private readonly settings: SessionSettings,
    private readonly logger: LarderLogger,
  ) {
    const events = new EventEmitter() as WorkerEvents;
    const options = {
      preset: {
        plugins: [
          { name: 'larder', version: '1', worker: { hooks: { startWorker: beatFirst(pool, settings.lostMs) } } },
        ],
        // Below 0 nobody waits for these statements, and one that fails would end the process.
        worker: { completeJobBatchDelay: 0, failJobBatchDelay: 0 },
      },
      events,
      logger: libraryLogger(logger),
      concurrency: settings.atOnce,
      pollInterval: POLL_MS,
      noHandleSignals: true,
      gracefulShutdownAbortTimeout: NEVER_MS,
    };
    this.workers = runTaskList(options, runner.tasks(this.hurrying.signal), pool);
    events.on('job:failed', () => (this.looksForDead = LOOKS_FOR_DEAD));
    endWhenUnableToBegin(events, this.workers);
    this.ticker = new JobTicker(this.workers.id, jobs, pool, logger, this.hurrying.signal);
    this.ended = workEnded(events, this.workers).then(() => this.ticker.stop());
    this.beating = this.beatOnAndOn();
  }

  get id(): string {
    return this.workers.id;
  }

  /**
   * Takes nothing more, gives what runs so long to end, and returns the rest to the queue as if it had never been taken.
   * @returns how many jobs that were
   */
  async stop(graceMs: number): Promise<number> {
    void Promise.resolve(this.workers.gracefulShutdown('Larder stops')).catch(() => undefined);
    const ended = Promise.all([this.ended, this.ticker.stop()]);
    const inTime = await Promise.race([ended.then(() => true), sleep(graceMs, false, { ref: false })]);
    if (!inTime) {
      this.hurrying.abort();
      await Promise.race([ended, sleep(HURRY_MS)]);
    }
    const returned = await this.leave();
    // Nothing is the worker's any more; this only ends the library's own waiting.
    if (!inTime) await Promise.resolve(this.workers.forcefulShutdown('Larder stops')).catch(() => undefined);
    return returned;
  }

  /** Takes the worker's name off everything. What it had taken and not finished is anybody's. */
  async leave(): Promise<number> {
    this.silence.abort();
    await this.beating;
    try {
      const { rows } = await this.pool.query<{ returned: number }>(leave(this.id));
      return rows[0]?.returned ?? 0;
    } catch (error) {
      // Still there: nobody should have to find out.
      this.silence = new AbortController();
      this.beating = this.beatOnAndOn();
      throw error;
    }
  }

  private async beatOnAndOn(): Promise<void> {
    const { signal } = this.silence;
    const pause = this.settings.lostMs / BEATS_BEFORE_LOST;
    while (!signal.aborted) {
      // A database that is away is told by others; a worker that it is away from must not be louder than they.
      await this.beat().catch(() => undefined);
      await sleep(pause, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  private async beat(): Promise<void> {
    const { lostMs } = this.settings;
    const { rows } = await this.pool.query<{ lost: number }>(beat(this.id, lostMs));
    if (rows[0]?.lost) await this.buryWorkers();
    if (this.looksForDead === 0) return;
    this.looksForDead -= 1;
    await this.pool.query(buryJobs());
  }

  private async buryWorkers(): Promise<void> {
    const { rows } = await this.pool.query<BuriedRow>(buryWorkers(this.settings.lostMs));
    const [buried] = rows;
    if (!buried || buried.workers.length === 0) return;
    // One of the jobs may have had its last attempt.
    this.looksForDead = LOOKS_FOR_DEAD;
    jobMetrics.workersLost.inc(buried.workers.length);
    this.logger.warn({ event: 'job_worker_lost_detected', workers: buried.workers, jobs: buried.jobs });
  }
}

/** A worker that is not known to live would not be missed when it dies: it is told of before it takes its first job. */
function beatFirst(pool: pg.Pool, lostMs: number) {
  return async (_context: unknown, { worker }: { worker: { workerPool: WorkerPool } }): Promise<void> => {
    await pool.query(beat(worker.workerPool.id, lostMs));
  };
}

/** The library remembers for ever that it could not read its tasks: such a worker would take nothing, ever. */
function endWhenUnableToBegin(events: WorkerEvents, workers: WorkerPool): void {
  let begun = false;
  events.on('job:start', () => (begun = true));
  events.on('worker:getJob:empty', () => (begun = true));
  events.on('worker:getJob:error', () => {
    if (begun) return;
    begun = true;
    void Promise.resolve(workers.gracefulShutdown('The worker could not begin')).catch(() => undefined);
  });
}

/**
 * Never rejects: why it ended is told by the library's logger. The library's own promise hangs when two of its statements have
 * failed (it waits for them to be fewer than none), so the end of its shutdown counts too, and a moment for what it still writes.
 */
async function workEnded(events: WorkerEvents, workers: WorkerPool): Promise<void> {
  const shutDown = new Promise<void>((resolve) => {
    events.on('pool:gracefulShutdown:complete', () => resolve());
    events.on('pool:forcefulShutdown:complete', () => resolve());
    events.on('pool:forcefulShutdown:error', () => resolve());
  });
  await Promise.race([
    workers.promise.catch(() => undefined),
    shutDown.then(() => sleep(SETTLE_MS, undefined, { ref: false })),
  ]);
}

/** The library's trouble with the database. What it says of jobs holds their payload; JobRunner tells of them. */
function libraryLogger(logger: LarderLogger): Logger {
  return new Logger(() => (level, message, meta) => {
    if (level !== 'error' && level !== 'warning') return;
    if (meta && 'job' in meta) return;
    logger.warn({ event: 'job_library_failed', error: message });
  });
}
