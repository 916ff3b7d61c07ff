import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Jobs } from '../../platform/jobs/jobs.service.js';
import { LarderLogger } from '../../platform/logging/larder-logger.js';
import { Database } from '../../platform/prisma/database.js';
import { type FoldConnection, foldStore, settledMoment } from './fold-store.js';

const EVERY_S = 60;
/** Of one store, then it is the next one's turn. */
const TURN_MS = 10_000;
/** Of all turns of a run: below what a schedule may take. */
const RUN_MS = 240_000;

/** Adds days of the past up into the rollups of the dashboards: once, and again when something of them was changed later. */
@Injectable()
export class FoldDays implements OnModuleInit {
  private readonly connection: FoldConnection;

  constructor(
    private readonly jobs: Jobs,
    private readonly logger: LarderLogger,
    database: Database,
  ) {
    this.connection = {
      query: (statement) => database.query(statement),
      inOneSnapshot: (statement) =>
        database.transaction(async (tx) => void (await tx.$executeRaw(statement)), 'RepeatableRead'),
    };
  }

  onModuleInit(): void {
    this.jobs.schedule('dashboard.fold', EVERY_S, ({ signal }) => this.foldAll(signal));
  }

  /**
   * Turn by turn until nothing is left, over one connection. Nothing is folded while somebody still writes who began to before:
   * it may be of a day that is to be folded, unmarked.
   */
  async foldAll(signal?: AbortSignal): Promise<void> {
    const until = performance.now() + RUN_MS;
    const isStopped = (): boolean => signal?.aborted === true || performance.now() > until;
    for (let done = false; !done && !isStopped();) {
      const moment = await settledMoment(this.connection, isStopped);
      if (moment === undefined) return;
      done = true;
      await this.jobs.eachStore(async () => {
        done = (await this.takeTurn(moment, isStopped)) && done;
      });
    }
  }

  private async takeTurn(moment: string, isStopped: () => boolean): Promise<boolean> {
    const until = performance.now() + TURN_MS;
    const { days, done } = await foldStore([this.connection], moment, () => isStopped() || performance.now() > until);
    if (days > 0) this.logger.info({ event: 'dashboard_fold_completed', days });
    return done;
  }
}
