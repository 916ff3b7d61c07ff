import { Injectable } from '@nestjs/common';
import type { Job, JobHelpers, TaskList } from 'graphile-worker';
import { newId } from '../../common/ids.js';
import { runInContext } from '../../common/request-context.js';
import { LarderLogger } from '../logging/larder-logger.js';
import { jobMetrics } from '../metrics/jobs.metrics.js';
import { Database, type Transaction } from '../prisma/database.js';
import { codeOf, describeFailure, JobPostponed, JobTakenError } from './job-failure.js';
import { finishJob, postponeJob } from './jobs.queries.js';
import { type JobRun, Jobs, type RegisteredJob } from './jobs.service.js';
import { withinTime } from './within-time.js';

/** What every job carries (enqueue_job). */
interface Envelope {
  store: string;
  request: string | null;
  data: object;
}

/** Runs handlers as the tasks of graphile-worker: in their store's context, within their time, told and counted. */
@Injectable()
export class JobRunner {
  constructor(
    private readonly jobs: Jobs,
    private readonly database: Database,
    private readonly logger: LarderLogger,
  ) {}

  /** @param hurry aborts when what still runs should end */
  tasks(hurry: AbortSignal): TaskList {
    const entries = [...this.jobs.handlers].map(([name, registered]) => [
      name,
      (payload: unknown, helpers: JobHelpers) => this.run(name, registered, payload as Envelope, helpers.job, hurry),
    ]);
    return Object.fromEntries(entries) as TaskList;
  }

  /** @throws Error whose message is a code: the library keeps it with the job. */
  private async run(
    name: string,
    { handler, timeoutMs }: RegisteredJob,
    { store, request, data }: Envelope,
    job: Job,
    hurry: AbortSignal,
  ): Promise<void> {
    const started = performance.now();
    await runInContext({ requestId: request ?? newId(), storeId: store }, async () => {
      const tell = (outcome: string): { job: string; jobId: string; attempt: number; duration: number } => {
        const duration = Math.round(performance.now() - started);
        jobMetrics.runs.inc({ job: name, outcome });
        jobMetrics.duration.observe({ job: name }, duration / 1000);
        return { job: name, jobId: job.id, attempt: job.attempts, duration };
      };
      try {
        await withinTime(timeoutMs, hurry, (signal) => handler(data, this.runOf(job, signal)));
        this.logger.info({ event: 'job_run_completed', ...tell('completed') });
      } catch (error) {
        const returned = error instanceof JobPostponed || (hurry.aborted && (await this.giveBack(job)));
        if (returned) tell('postponed');
        else this.tellFailure(job, error, tell);
        throw new Error(codeOf(error), { cause: error });
      }
    });
  }

  private tellFailure(job: Job, error: unknown, tell: (outcome: string) => object): void {
    const isLast = job.attempts >= job.max_attempts;
    const entry = { ...describeFailure(error), ...tell(isLast ? 'dead' : 'failed'), maxAttempts: job.max_attempts };
    if (isLast) this.logger.error({ event: 'job_run_failed', ...entry });
    else this.logger.warn({ event: 'job_run_retry', ...entry });
  }

  private runOf(job: Job, signal: AbortSignal): JobRun {
    const worker = job.locked_by ?? '';
    return {
      id: job.id,
      attempt: job.attempts,
      key: job.key,
      worker,
      signal,
      commitWith: <T>(effect: (tx: Transaction) => Promise<T>) =>
        this.database.transaction(async (tx) => {
          const result = await effect(tx);
          // Last, so that nobody who adds a job of this key while he holds what the effect wants waits for us in a circle.
          const [row] = await tx.$queryRaw<{ finished: boolean }[]>(finishJob(job.id, worker));
          if (!row?.finished) throw new JobTakenError('Another worker has this job');
          return result;
        }),
      postpone: async (delayMs) => {
        await this.database.query(postponeJob(job.id, worker, delayMs));
        throw new JobPostponed();
      },
    };
  }

  /** A handler that stopped because the worker has to: nobody's failure. False when it can't be told to the database. */
  private async giveBack(job: Job): Promise<boolean> {
    return this.database.query(postponeJob(job.id, job.locked_by ?? '', 0)).then(
      () => true,
      () => false,
    );
  }
}
