import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Roles } from '../../http/access.js';
import { type Actor, CurrentActor } from '../../http/actor.js';
import { IdPipe } from '../../http/id.pipe.js';
import { AgentMetricsService } from './agent-metrics.service.js';
import { AgentMetricsResponse, LeaderboardQuery, LeaderboardResponse } from './dto/agent-metrics.dto.js';
import { RangeQuery } from './dto/range.dto.js';

@ApiTags('shipping')
@ApiBearerAuth()
@Controller('api/shipping/agents')
export class AgentMetricsController {
  constructor(private readonly metrics: AgentMetricsService) {}

  /** The agents with the most deliveries in a range. */
  @Roles('SUPPORT', 'MANAGER', 'ADMIN')
  @Get('leaderboard')
  leaderboard(@Query() query: LeaderboardQuery): Promise<LeaderboardResponse> {
    return this.metrics.leaderboard(query);
  }

  /** Acceptance, speed, punctuality and first attempts in a range; his own for an agent. */
  @Roles('AGENT', 'SUPPORT', 'MANAGER', 'ADMIN')
  @Get(':id/metrics')
  find(
    @Param('id', IdPipe) id: string,
    @Query() query: RangeQuery,
    @CurrentActor() actor: Actor,
  ): Promise<AgentMetricsResponse> {
    return this.metrics.find(id, query, actor);
  }
}
