import { Controller, Get, Header } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Operations } from '../../http/access.js';
import { HealthResponse, PoolResponse } from './dto/health.dto.js';
import { HealthService } from './health.service.js';

const uncached = Header('cache-control', 'no-store');

@ApiTags('operations')
@Operations()
@Controller('health')
export class HealthController {
  constructor(private readonly health: HealthService) {}

  /** Liveness: the event loop answers. Looks at nothing else, so that a lost database restarts no instance. */
  @uncached
  @Get('live')
  live(): HealthResponse {
    return this.health.alive();
  }

  /** Readiness: send requests here, or 503. */
  @uncached
  @Get('ready')
  ready(): Promise<HealthResponse> {
    return this.health.ready();
  }

  /** Startup: the database was reached once and has all migrations. */
  @uncached
  @Get('startup')
  startup(): Promise<HealthResponse> {
    return this.health.started();
  }

  /** Asks the database and tells within a second. */
  @uncached
  @Get('db')
  db(): Promise<HealthResponse> {
    return this.health.askDatabase();
  }

  /** The connection pool as it is at this moment. */
  @uncached
  @Get('pool')
  pool(): PoolResponse {
    return this.health.pool();
  }
}
