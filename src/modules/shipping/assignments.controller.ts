import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOkResponse, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Roles } from '../../http/access.js';
import { type Actor, CurrentActor } from '../../http/actor.js';
import { IdPipe } from '../../http/id.pipe.js';
import { OptionalIdempotent } from '../../http/idempotent-request.js';
import { WrittenJson } from '../../http/written-json.js';
import { sendAnswer } from '../../http/send-answer.js';
import type { IdempotentRequest } from '../../platform/idempotency/idempotency.service.js';
import { AssignmentsService } from './assignments.service.js';
import { CarryParcel } from './carry-parcel.js';
import {
  AssignmentPageResponse,
  AssignmentResponse,
  AssignmentsQuery,
  DeliverDto,
  FailDto,
  OfferDto,
} from './dto/assignment.dto.js';

@ApiTags('shipping')
@ApiBearerAuth()
@Controller('api/shipping/assignments')
export class AssignmentsController {
  constructor(
    private readonly assignments: AssignmentsService,
    private readonly carrying: CarryParcel,
  ) {}

  /** An agent's own and the open offers he may take; all for staff. */
  @Roles('AGENT', 'SUPPORT', 'MANAGER', 'ADMIN')
  @ApiOkResponse({ type: AssignmentPageResponse })
  @WrittenJson()
  @Get()
  list(@Query() query: AssignmentsQuery, @CurrentActor() actor: Actor): Promise<string> {
    return this.assignments.page(query, actor);
  }

  @Roles('AGENT', 'SUPPORT', 'MANAGER', 'ADMIN')
  @ApiOkResponse({ type: AssignmentResponse })
  @WrittenJson()
  @Get(':id')
  find(@Param('id', IdPipe) id: string, @CurrentActor() actor: Actor): Promise<string> {
    return this.assignments.document(id, actor);
  }

  /** Offers an order to one agent, or to all eligible ones. */
  @Roles('SUPPORT', 'MANAGER', 'ADMIN')
  @ApiResponse({ status: 201, type: AssignmentResponse })
  @WrittenJson()
  @Post()
  async offer(@Body() body: OfferDto, @CurrentActor() actor: Actor): Promise<string> {
    return this.assignments.document(await this.assignments.offer(body), actor);
  }

  /** Takes an offer. Of all who try at once one wins; the others get 409. */
  @Roles('AGENT')
  @ApiOkResponse({ type: AssignmentResponse })
  @WrittenJson()
  @HttpCode(200)
  @Post(':id/accept')
  accept(@Param('id', IdPipe) id: string, @CurrentActor() actor: Actor): Promise<string> {
    return this.assignments.accept(id, actor);
  }

  @Roles('AGENT')
  @HttpCode(204)
  @Post(':id/reject')
  reject(@Param('id', IdPipe) id: string, @CurrentActor() actor: Actor): Promise<void> {
    return this.carrying.reject(id, actor.id);
  }

  @Roles('AGENT')
  @ApiOkResponse({ type: AssignmentResponse })
  @WrittenJson()
  @HttpCode(200)
  @Post(':id/pickup')
  async pickUp(@Param('id', IdPipe) id: string, @CurrentActor() actor: Actor): Promise<string> {
    await this.carrying.pickUp(id, actor.id);
    return this.assignments.document(id, actor);
  }

  /** At the door: the proof that the store asks for, and the cash that is due. With a key, safe to send again. */
  @Roles('AGENT')
  @ApiHeader({ name: 'Idempotency-Key', required: false, description: '16 to 255 visible characters' })
  @ApiOkResponse({ type: AssignmentResponse })
  @HttpCode(200)
  @Post(':id/deliver')
  async deliver(
    @Param('id', IdPipe) id: string,
    @Body() body: DeliverDto,
    @CurrentActor() actor: Actor,
    @OptionalIdempotent() request: IdempotentRequest | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    return sendAnswer(reply, await this.carrying.deliver(id, actor.id, body, request));
  }

  @Roles('AGENT')
  @ApiOkResponse({ type: AssignmentResponse })
  @WrittenJson()
  @HttpCode(200)
  @Post(':id/fail')
  async fail(@Param('id', IdPipe) id: string, @Body() body: FailDto, @CurrentActor() actor: Actor): Promise<string> {
    await this.carrying.fail(id, actor.id, body.reason);
    return this.assignments.document(id, actor);
  }

  /** Takes an assignment back from its agent, or an offer from all. The order can then be offered again, or ended. */
  @Roles('SUPPORT', 'MANAGER', 'ADMIN')
  @ApiOkResponse({ type: AssignmentResponse })
  @WrittenJson()
  @HttpCode(200)
  @Post(':id/cancel')
  async cancel(@Param('id', IdPipe) id: string, @Body() body: FailDto, @CurrentActor() actor: Actor): Promise<string> {
    await this.assignments.withdraw(id, actor.id, body.reason);
    return this.assignments.document(id, actor);
  }
}
