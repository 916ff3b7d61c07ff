import { Injectable } from '@nestjs/common';
import { currentContext, runInContext } from '../../common/request-context.js';
import { newId } from '../../common/ids.js';
import { LarderLogger } from '../logging/larder-logger.js';
import { Database, type Transaction } from '../prisma/database.js';
import { enqueueJob, storesAfter, type StoreRow } from './jobs.queries.js';
import { describeFailure } from './job-failure.js';

/** A job that runs, as its handler sees it. */
export interface JobRun {
  readonly id: string;
  /** 1 at the first try. */
  readonly attempt: number;
  /** As it stands in the queue: with store and name before it. */
  readonly key: string | null;
  /** Who has it. */
  readonly worker: string;
  /** Aborts when the time is up or the worker has to stop. */
  readonly signal: AbortSignal;
  /**
   * Runs an effect in one transaction that also strikes the job off: however often the job is run, the effect is committed
   * once. Nothing of the job that matters may come after it.
   * @throws JobTakenError, and rolls back, when the worker was taken for dead and another one has the job
   */
  commitWith<T>(effect: (tx: Transaction) => Promise<T>): Promise<T>;
  /** Ends this run; the job comes back after the delay, and no attempt is counted. */
  postpone(delayMs: number): Promise<never>;
}

/** Runs in the context of the job's store. May run more than once, so its effect must not: see docs/jobs.md. */
export type JobHandler<Data extends object> = (data: Data, job: JobRun) => Promise<void>;

/** Runs in no store's context: see Jobs.eachStore. */
export type ScheduleHandler = (tick: { at: Date; signal: AbortSignal }) => Promise<void>;

export interface RegisteredJob {
  handler: JobHandler<object>;
  timeoutMs: number;
}

export interface RegisteredSchedule {
  everySeconds: number;
  handler: ScheduleHandler;
}

export interface EnqueueOptions {
  /** Not before; now where it is missing. */
  runAt?: Date;
  /** One job waits under a key of its name and store: a second one takes its place, payload and time. */
  key?: string;
  /** 25 where it is missing: with a delay of e^attempt seconds (6 h at most) that is four days. */
  maxAttempts?: number;
}

const NAME = /^[a-z]+(-[a-z]+)*(\.[a-z]+(-[a-z]+)*)+$/;
const TIMEOUT_MS = 60_000;
const LONGEST_S = 86_400;
const STORES_AT_ONCE = 500;

/** Where modules say in onModuleInit what they do in the background, and where jobs are added. */
@Injectable()
export class Jobs {
  readonly handlers = new Map<string, RegisteredJob>();
  readonly schedules = new Map<string, RegisteredSchedule>();

  constructor(
    private readonly database: Database,
    private readonly logger: LarderLogger,
  ) {}

  /**
   * Adds a job for the current store in the caller's transaction: it exists when that commits, and never when it doesn't.
   * Not for placing an order: NOTIFY takes a lock at commit, over all stores. What follows an order subscribes to its event.
   * @param data ids, as JSON; no secrets, no personal data
   */
  async enqueue(
    tx: Pick<Transaction, '$queryRaw'>,
    name: string,
    data: object,
    options: EnqueueOptions = {},
  ): Promise<void> {
    if (!this.handlers.has(name)) throw new Error(`No handler for the job ${name}`);
    await tx.$queryRaw(enqueueJob(name, data, options));
  }

  handle<Data extends object>(
    name: string,
    handler: JobHandler<Data>,
    { timeoutMs = TIMEOUT_MS }: { timeoutMs?: number } = {},
  ): void {
    requireNew(this.handlers, name);
    this.handlers.set(name, { handler: handler as JobHandler<object>, timeoutMs });
  }

  /**
   * Runs every so many seconds (at full multiples of them since 1970, UTC), by one worker at a time of however many there are.
   * A run that fails is told and not repeated: the next one is coming. What was missed while no worker lived is not made up for.
   */
  schedule(name: string, everySeconds: number, handler: ScheduleHandler): void {
    requireNew(this.schedules, name);
    if (!Number.isInteger(everySeconds) || everySeconds < 1 || everySeconds > LONGEST_S) {
      throw new Error(`The schedule ${name} must run every 1 to ${LONGEST_S} seconds`);
    }
    this.schedules.set(name, { everySeconds, handler });
  }

  /**
   * One store after the other, each in its own context. A store that fails does not keep the others from their turn.
   * @throws AggregateError at the end when one failed
   */
  async eachStore(run: () => Promise<void>): Promise<void> {
    const requestId = currentContext()?.requestId ?? newId();
    const failures: unknown[] = [];
    let after: string | undefined;
    do {
      const stores: StoreRow[] = await this.database.query<StoreRow>(storesAfter(after, STORES_AT_ONCE));
      for (const { id: storeId } of stores) {
        await runInContext({ requestId, storeId }, run).catch((error: unknown) => {
          failures.push(error);
          this.logger.error({ event: 'job_store_failed', storeId, ...describeFailure(error) });
        });
      }
      after = stores.length === STORES_AT_ONCE ? stores.at(-1)?.id : undefined;
    } while (after);
    if (failures.length > 0) throw new AggregateError(failures, `${failures.length} stores failed`);
  }
}

function requireNew(registered: ReadonlyMap<string, unknown>, name: string): void {
  if (!NAME.test(name)) throw new Error(`${name} is no name for a job: say noun.verb`);
  if (registered.has(name)) throw new Error(`${name} is there twice`);
}
