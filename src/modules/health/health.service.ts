import { Injectable, ServiceUnavailableException } from '@nestjs/common';
import {
  HealthCheckService,
  HealthIndicatorFunction,
  HealthIndicatorService,
  HealthCheckResult,
} from '@nestjs/terminus';
import type { ErrorCode } from '../../common/exceptions/catalogue.js';
import { failure } from '../../common/exceptions/failure.js';
import { Database } from '../../platform/prisma/database.js';
import { DatabaseProbe } from './database-probe.js';
import { DatabaseWatch } from './database-watch.js';
import { Draining } from './draining.js';
import type { HealthResponse, PoolResponse } from './dto/health.dto.js';

@Injectable()
export class HealthService {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly probe: DatabaseProbe,
    private readonly watch: DatabaseWatch,
    private readonly draining: Draining,
    private readonly database: Database,
  ) {}

  /** Asks the database now. @throws DATABASE_UNAVAILABLE within a second */
  askDatabase(): Promise<HealthResponse> {
    return this.confirm('DATABASE_UNAVAILABLE', [
      () => this.indicators.check('database').attempt(() => this.probe.ask()),
    ]);
  }

  /** What balancers go by: not on the way out, the database answered lately, migrations complete. @throws NOT_READY */
  ready(): Promise<HealthResponse> {
    return this.confirm('NOT_READY', [
      () => this.indicator('server', !this.draining.begun),
      async () => this.indicator('database', await this.watch.answeredLately()),
      async () => this.indicator('migrations', await this.watch.isMigrated()),
    ]);
  }

  /** The configuration was valid, or nobody would answer; the migrations are told by a query. @throws NOT_READY */
  started(): Promise<HealthResponse> {
    return this.confirm('NOT_READY', [async () => this.indicator('migrations', await this.watch.isMigrated())]);
  }

  pool(): PoolResponse {
    const { totalCount: total, idleCount: idle, waitingCount: waiting } = this.database.pool;
    return {
      status: waiting > 0 ? 'saturated' : 'healthy',
      pool: { active: total - idle, idle, total, waiting },
      timestamp: new Date().toISOString(),
    };
  }

  alive(): HealthResponse {
    return { status: 'healthy', timestamp: new Date().toISOString() };
  }

  private indicator(name: string, up: boolean) {
    const indicator = this.indicators.check(name);
    return up ? indicator.up() : indicator.down();
  }

  private async confirm(code: ErrorCode, checks: HealthIndicatorFunction[]): Promise<HealthResponse> {
    try {
      await this.health.check(checks);
      return this.alive();
    } catch (error) {
      if (!(error instanceof ServiceUnavailableException)) throw error;
      // Which checks failed, not how: their messages name hosts and ports.
      const { error: failed } = error.getResponse() as HealthCheckResult;
      throw failure(
        code,
        Object.keys(failed ?? {}).map((check) => ({ check, status: 'down' })),
      );
    }
  }
}
