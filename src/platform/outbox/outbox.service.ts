import { Injectable } from '@nestjs/common';
import { type JobRun, Jobs } from '../jobs/jobs.service.js';
import { Database } from '../prisma/database.js';
import { hasEarlier, passTurn } from './outbox.queries.js';

/** What happened, as the transaction that made it happen wrote it. */
export interface OutboxEvent<Payload extends object = Record<string, unknown>> {
  id: number;
  type: string;
  aggregateType: string;
  aggregateId: string;
  payload: Payload;
  /** ISO 8601. */
  createdAt: string;
}

export type OutboxHandler<Payload extends object> = (event: OutboxEvent<Payload>, job: JobRun) => Promise<void>;

const NAME = /^[a-z]+(-[a-z]+)*$/;
const EVENTS = /^(\*|[a-z]+(_[a-z]+)*\.(\*|[a-z]+(_[a-z]+)*))$/;
/** How soon an event looks again whether the one before it is done with, should that not wake it. */
const TURN_MS = 1000;

/** Who wants to know what happened: each subscriber gets a job for each event, in the context of its store. */
@Injectable()
export class Outbox {
  readonly subscribers = new Map<string, string[]>();

  constructor(
    private readonly jobs: Jobs,
    private readonly database: Database,
  ) {}

  /**
   * @param name of the subscriber; its jobs are called outbox.<name>. It must not change, or what is on its way is lost to it
   * @param events types ('order.placed'), all of an aggregate ('order.*'), or all ('*')
   * @param handler gets each event at least once: its effect belongs into job.commitWith, or bears being repeated
   * @param ordered an event waits until those of the same aggregate before it are done with, or dead. Without it events
   *   come about in order, and side by side
   */
  subscribe<Payload extends object>(
    name: string,
    events: string[],
    handler: OutboxHandler<Payload>,
    { ordered = false, timeoutMs }: { ordered?: boolean; timeoutMs?: number } = {},
  ): void {
    if (!NAME.test(name)) throw new Error(`${name} is no name for a subscriber`);
    for (const event of events) if (!EVENTS.test(event)) throw new Error(`${event} names no events`);
    this.subscribers.set(name, events);
    this.jobs.handle<OutboxEvent<Payload>>(
      `outbox.${name}`,
      async (event, job) => {
        if (ordered) await this.waitForTurn(job);
        await handler(event, job);
        if (ordered) await this.database.query(passTurn(job.key ?? '', job.worker));
      },
      { timeoutMs },
    );
  }

  private async waitForTurn(job: JobRun): Promise<void> {
    const [row] = await this.database.query<{ earlier: boolean }>(hasEarlier(job.key ?? ''));
    if (row?.earlier) await job.postpone(TURN_MS);
  }
}
