import { BeforeApplicationShutdown, Injectable, OnApplicationBootstrap } from '@nestjs/common';
import { LarderLogger } from '../../platform/logging/larder-logger.js';
import { Database } from '../../platform/prisma/database.js';
import { pendingMigrations } from '../../platform/prisma/migrations.js';
import { DatabaseProbe } from './database-probe.js';

const EVERY_MS = 1000;
/** Two checks in a row may fail before the database counts as gone. */
const LATELY_MS = 3000;

/** Looks at the database in the background, so that a readiness probe costs nothing and can't hang. */
@Injectable()
export class DatabaseWatch implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private firstLook: Promise<void> = Promise.resolve();
  private timer?: NodeJS.Timeout;
  private answeredAt = -Infinity;
  private answering = true;
  private migrationsComplete = false;
  private stopped = false;

  constructor(
    private readonly database: Database,
    private readonly probe: DatabaseProbe,
    private readonly logger: LarderLogger,
  ) {}

  onApplicationBootstrap(): void {
    this.firstLook = this.look();
  }

  beforeApplicationShutdown(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  async answeredLately(): Promise<boolean> {
    await this.firstLook;
    return performance.now() - this.answeredAt <= LATELY_MS;
  }

  /** Once they are, they stay so: a later Larder's migrations are compatible with this one. */
  async isMigrated(): Promise<boolean> {
    await this.firstLook;
    return this.migrationsComplete;
  }

  private async look(): Promise<void> {
    try {
      await this.probe.ask();
      this.answeredAt = performance.now();
      this.tell(true);
      this.migrationsComplete ||= (await pendingMigrations(this.database.pool)).length === 0;
    } catch (error) {
      this.tell(false, error);
    }
    if (!this.stopped) this.timer = setTimeout(() => void this.look(), EVERY_MS).unref();
  }

  /** One line for each change, not for each look. */
  private tell(answering: boolean, error?: unknown): void {
    if (answering === this.answering) return;
    this.answering = answering;
    if (answering) this.logger.info({ event: 'health_database_completed' });
    else
      this.logger.warn({ event: 'health_database_failed', error: error instanceof Error ? error.message : undefined });
  }
}
