import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Roles } from '../../http/access.js';
import { type Actor, CurrentActor } from '../../http/actor.js';
import { IdPipe } from '../../http/id.pipe.js';
import { ApprovalsService } from './approvals.service.js';
import { DecideApproval } from './decide-approval.js';
import { ApprovalDetailResponse, ApprovalPageResponse, ApprovalsQuery, DecisionDto } from './dto/approval.dto.js';

@ApiTags('approvals')
@ApiBearerAuth()
@Roles('MANAGER', 'ADMIN')
@Controller('api/approvals')
export class ApprovalsController {
  constructor(
    private readonly approvals: ApprovalsService,
    private readonly deciding: DecideApproval,
  ) {}

  /** What waits for a decision, and what was decided; newest first. */
  @Get()
  list(@Query() query: ApprovalsQuery): Promise<ApprovalPageResponse> {
    return this.approvals.page(query);
  }

  @Get(':id')
  find(@Param('id', IdPipe) id: string): Promise<ApprovalDetailResponse> {
    return this.approvals.find(id);
  }

  /** Agrees to somebody else's request. With the last approval that it takes, what it was asked for happens. */
  @HttpCode(200)
  @Post(':id/approve')
  approve(
    @Param('id', IdPipe) id: string,
    @CurrentActor() actor: Actor,
    @Body() body: DecisionDto,
  ): Promise<ApprovalDetailResponse> {
    return this.deciding.decide(id, actor, 'APPROVED', body.comment);
  }

  /** One rejection ends the request. */
  @HttpCode(200)
  @Post(':id/reject')
  reject(
    @Param('id', IdPipe) id: string,
    @CurrentActor() actor: Actor,
    @Body() body: DecisionDto,
  ): Promise<ApprovalDetailResponse> {
    return this.deciding.decide(id, actor, 'REJECTED', body.comment);
  }
}
