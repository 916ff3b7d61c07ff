import { Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Roles } from '../../http/access.js';
import { IdPipe } from '../../http/id.pipe.js';
import { PageQuery } from '../../http/page.dto.js';
import { DeadJobPage } from './dto/dead-jobs.dto.js';
import { DeadJobs } from './jobs.service.js';

@ApiTags('operations')
@ApiBearerAuth()
@Controller('api/admin/jobs')
export class JobsController {
  constructor(private readonly deadJobs: DeadJobs) {}

  /** Background jobs of the store that failed for good, newest first. */
  @Roles('ADMIN')
  @Get('dead')
  list(@Query() query: PageQuery): Promise<DeadJobPage> {
    return this.deadJobs.list(query);
  }

  /** Tries a failed job again, from its first attempt. */
  @Roles('ADMIN')
  @ApiAcceptedResponse()
  @HttpCode(202)
  @Post('dead/:id/replay')
  replay(@Param('id', IdPipe) id: string): Promise<void> {
    return this.deadJobs.replay(id);
  }
}
