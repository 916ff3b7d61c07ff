import { Body, Controller, Get, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiHeader, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Roles } from '../../http/access.js';
import { type Actor, CurrentActor } from '../../http/actor.js';
import { IdPipe } from '../../http/id.pipe.js';
import { Idempotent } from '../../http/idempotent-request.js';
import { PageQuery } from '../../http/page.dto.js';
import { sendAnswer } from '../../http/send-answer.js';
import { WrittenJson } from '../../http/written-json.js';
import type { IdempotentRequest } from '../../platform/idempotency/idempotency.service.js';
import { RefundDto, RefundPageResponse, RefundResponse } from './dto/refund.dto.js';
import { RefundsService } from './refunds.service.js';

@ApiTags('refunds')
@ApiBearerAuth()
@Controller('api')
export class RefundsController {
  constructor(private readonly refunds: RefundsService) {}

  /** Gives money back: for lines, an amount, or all that is left. Above the store's threshold it waits for approval. */
  @Roles('SUPPORT', 'MANAGER', 'ADMIN')
  @ApiHeader({ name: 'Idempotency-Key', required: true, description: '16 to 255 visible characters' })
  @ApiCreatedResponse({ type: RefundResponse })
  @Post('orders/:id/refunds')
  async request(
    @Param('id', IdPipe) orderId: string,
    @CurrentActor() actor: Actor,
    @Body() body: RefundDto,
    @Idempotent() request: IdempotentRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    return sendAnswer(reply, await this.refunds.request(actor.id, orderId, body, request));
  }

  /** Of one's own order, newest first; of any for staff. */
  @Roles('CUSTOMER', 'SUPPORT', 'MANAGER', 'ADMIN')
  @ApiOkResponse({ type: RefundPageResponse })
  @WrittenJson()
  @Get('orders/:id/refunds')
  list(@Param('id', IdPipe) orderId: string, @Query() query: PageQuery, @CurrentActor() actor: Actor): Promise<string> {
    return this.refunds.page(orderId, query, actor);
  }

  @Roles('CUSTOMER', 'SUPPORT', 'MANAGER', 'ADMIN')
  @ApiOkResponse({ type: RefundResponse })
  @WrittenJson()
  @Get('refunds/:id')
  find(@Param('id', IdPipe) id: string, @CurrentActor() actor: Actor): Promise<string> {
    return this.refunds.document(id, actor);
  }
}
