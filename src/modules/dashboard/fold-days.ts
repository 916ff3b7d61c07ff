import { Injectable, type OnModuleInit } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { Jobs } from '../../platform/jobs/jobs.service.js';
import { LarderLogger } from '../../platform/logging/larder-logger.js';
import { Database } from '../../platform/prisma/database.js';
import {
  acrossStoresEnded,
  acrossStoresHorizon,
  type DayToFoldRow,
  daysToFold,
  foldDay,
  type HorizonRow,
} from './fold-days.queries.js';

const EVERY_S = 60;
/** Of one store in one run: a year, in a minute or two at 3,000 orders a day. The next run goes on. */
const MOST_DAYS = 400;
const WAIT_MS = 10_000;
const LOOK_EVERY_MS = 50;

/** Adds days of the past up into the rollups of the dashboards: once, and again when something of them was changed later. */
@Injectable()
export class FoldDays implements OnModuleInit {
  constructor(
    private readonly jobs: Jobs,
    private readonly database: Database,
    private readonly logger: LarderLogger,
  ) {}

  onModuleInit(): void {
    this.jobs.schedule('dashboard.fold', EVERY_S, ({ signal }) => this.foldAll(signal));
  }

  /** Nothing is folded while somebody still writes who began to before: it may be of a day that is to be folded, unmarked. */
  async foldAll(signal?: AbortSignal): Promise<void> {
    const [begun] = await this.database.query<HorizonRow>(acrossStoresHorizon());
    if (!begun || !(await this.hasPassed(begun.horizon, signal))) return;
    await this.jobs.eachStore(() => this.fold(begun.at, signal));
  }

  /** One transaction for each day. @param at of the horizon, by the database's clock */
  private async fold(at: string, signal?: AbortSignal): Promise<void> {
    const days = await this.database.query<DayToFoldRow>(daysToFold(at, MOST_DAYS));
    for (const { day } of days) {
      if (signal?.aborted) return;
      await this.database.transaction((tx) => tx.$executeRaw(foldDay(day)), 'RepeatableRead');
    }
    if (days.length > 0) this.logger.info({ event: 'dashboard_fold_completed', days: days.length });
  }

  private async hasPassed(horizon: string, signal?: AbortSignal): Promise<boolean> {
    for (const started = performance.now(); performance.now() - started < WAIT_MS && !signal?.aborted;) {
      const [row] = await this.database.query<{ past: boolean }>(acrossStoresEnded(horizon));
      if (row?.past) return true;
      await sleep(LOOK_EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
    return false;
  }
}
