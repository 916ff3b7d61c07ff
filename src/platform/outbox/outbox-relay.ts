import { Injectable, OnApplicationBootstrap, OnModuleInit } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { LarderConfig } from '../../config/config.js';
import { Jobs } from '../jobs/jobs.service.js';
import { LarderLogger } from '../logging/larder-logger.js';
import { jobMetrics } from '../metrics/jobs.metrics.js';
import { Database } from '../prisma/database.js';
import { Outbox } from './outbox.service.js';
import {
  deletePublished,
  forgetSubscribers,
  registerSubscribers,
  relayOutbox,
  type RelayedRow,
} from './outbox.queries.js';

const RELAY_EVERY_S = 1;
const BATCH = 500;
const CLEAN_EVERY_S = 3600;
const REGISTER_AGAIN_MS = 2000;

/** Hands events to their subscribers, a job each, and deletes them when they have been kept long enough. */
@Injectable()
export class OutboxRelay implements OnModuleInit, OnApplicationBootstrap {
  private registering = true;

  constructor(
    private readonly outbox: Outbox,
    private readonly jobs: Jobs,
    private readonly database: Database,
    private readonly config: LarderConfig,
    private readonly logger: LarderLogger,
  ) {}

  onModuleInit(): void {
    this.jobs.schedule('outbox.relay', RELAY_EVERY_S, ({ signal }) => this.relay(signal));
    this.jobs.schedule('outbox.clean', CLEAN_EVERY_S, ({ signal }) => this.clean(signal));
  }

  /** In every role: what this instance makes happen must find its subscribers, whoever relays it. */
  onApplicationBootstrap(): void {
    void this.register();
  }

  beforeApplicationShutdown(): void {
    this.registering = false;
  }

  private async register(): Promise<void> {
    while (this.registering) {
      try {
        await this.database.query(registerSubscribers(this.outbox.subscribers));
        return;
      } catch {
        // No database yet, or not yet migrated.
        await sleep(REGISTER_AGAIN_MS, undefined, { ref: false });
      }
    }
  }

  private async relay(signal: AbortSignal): Promise<void> {
    for (let full = true; full && !signal.aborted;) {
      const [relayed] = await this.database.query<RelayedRow>(relayOutbox(BATCH));
      const events = relayed?.events ?? 0;
      jobMetrics.relayed.inc(events);
      full = events === BATCH;
    }
  }

  private async clean(signal: AbortSignal): Promise<void> {
    await this.database.query(registerSubscribers(this.outbox.subscribers));
    await this.database.query(forgetSubscribers());
    let deleted = 0;
    for (let more = true; more && !signal.aborted;) {
      const [row] = await this.database.query<{ deleted: number }>(
        deletePublished(this.config.OUTBOX_KEEP_DAYS, BATCH),
      );
      deleted += row?.deleted ?? 0;
      more = row !== undefined && row.deleted > 0;
    }
    if (deleted > 0) this.logger.info({ event: 'job_clean_completed', table: 'outbox_events', deleted });
  }
}
