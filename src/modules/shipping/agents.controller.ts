import { Body, Controller, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Roles } from '../../http/access.js';
import { type Actor, CurrentActor } from '../../http/actor.js';
import { IdPipe } from '../../http/id.pipe.js';
import { PageQuery } from '../../http/page.dto.js';
import { AgentsService } from './agents.service.js';
import { AgentPageResponse, AgentResponse, CreateAgentDto, UpdateAgentDto } from './dto/agent.dto.js';

@ApiTags('shipping')
@ApiBearerAuth()
@Controller('api/shipping/agents')
export class AgentsController {
  constructor(private readonly agents: AgentsService) {}

  @Roles('SUPPORT', 'MANAGER', 'ADMIN')
  @Get()
  list(@Query() query: PageQuery): Promise<AgentPageResponse> {
    return this.agents.page(query);
  }

  /** A new account with the role AGENT; goes ONLINE by himself. */
  @Roles('MANAGER', 'ADMIN')
  @Post()
  create(@Body() body: CreateAgentDto): Promise<AgentResponse> {
    return this.agents.create(body);
  }

  @Roles('AGENT')
  @Get('me')
  me(@CurrentActor() actor: Actor): Promise<AgentResponse> {
    return this.agents.find(actor.id);
  }

  /** Starts or ends taking offers, or says where. */
  @Roles('AGENT')
  @Patch('me')
  update(@Body() body: UpdateAgentDto, @CurrentActor() actor: Actor): Promise<AgentResponse> {
    return this.agents.update(actor.id, body);
  }

  @Roles('SUPPORT', 'MANAGER', 'ADMIN')
  @Get(':id')
  find(@Param('id', IdPipe) id: string): Promise<AgentResponse> {
    return this.agents.find(id);
  }
}
