import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { newId } from '../../common/ids.js';
import { runInContext } from '../../common/request-context.js';
import type { LarderLogger } from '../logging/larder-logger.js';
import { jobMetrics } from '../metrics/jobs.metrics.js';
import { describeFailure } from './job-failure.js';
import type { Jobs } from './jobs.service.js';
import { claimSchedules, type DueRow, finishSchedule, registerSchedules } from './worker.queries.js';
import { withinTime } from './within-time.js';

/** How late a tick may be, at most, in a worker that has nothing else to do. */
const LOOK_EVERY_MS = 500;
/** A run of a schedule may take so long; meanwhile nobody else runs it. */
const TIMEOUT_MS = 300_000;

/** Runs the schedules that are due and that no other worker has taken. */
export class JobTicker {
  private readonly running = new Map<string, Promise<void>>();
  private readonly stopping = new AbortController();
  private readonly looking: Promise<void>;

  constructor(
    private readonly worker: string,
    private readonly jobs: Jobs,
    private readonly pool: pg.Pool,
    private readonly logger: LarderLogger,
    /** Aborts when what still runs should end. */
    private readonly hurry: AbortSignal,
  ) {
    this.looking = this.lookOnAndOn();
  }

  /** Takes no more; resolves when what runs has ended. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.looking;
    await Promise.all(this.running.values());
  }

  private async lookOnAndOn(): Promise<void> {
    const { signal } = this.stopping;
    let registered = false;
    while (!signal.aborted) {
      try {
        if (!registered) await this.pool.query(registerSchedules(this.jobs.schedules));
        registered = true;
        await this.look();
      } catch {
        // The database is away, which others tell; what is due stays due.
      }
      await sleep(LOOK_EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  private async look(): Promise<void> {
    const names = [...this.jobs.schedules.keys()];
    const claim = claimSchedules(this.worker, names, [...this.running.keys()]);
    const { rows } = await this.pool.query<DueRow>(claim);
    for (const row of rows) {
      const run = this.run(row).finally(() => this.running.delete(row.name));
      this.running.set(row.name, run);
    }
  }

  /** Never rejects. */
  private async run({ name, tick }: DueRow): Promise<void> {
    const schedule = this.jobs.schedules.get(name);
    if (!schedule) return;
    const started = performance.now();
    const outcome = await runInContext({ requestId: newId() }, () =>
      withinTime(TIMEOUT_MS, this.hurry, (signal) => schedule.handler({ at: tick, signal })).then(
        () => 'completed',
        (error: unknown) => {
          this.logger.error({ event: 'job_schedule_failed', job: name, ...describeFailure(error) });
          return 'failed';
        },
      ),
    );
    jobMetrics.runs.inc({ job: name, outcome });
    jobMetrics.duration.observe({ job: name }, (performance.now() - started) / 1000);
    // Where the database is away, the next look finds the schedule with this worker and not running.
    await this.pool.query(finishSchedule(this.worker, name)).catch(() => undefined);
  }
}
