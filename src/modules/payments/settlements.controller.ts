import { Body, Controller, Param, Post, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Roles } from '../../http/access.js';
import { type Actor, CurrentActor } from '../../http/actor.js';
import { IdPipe } from '../../http/id.pipe.js';
import { Idempotent } from '../../http/idempotent-request.js';
import { sendAnswer } from '../../http/send-answer.js';
import type { IdempotentRequest } from '../../platform/idempotency/idempotency.service.js';
import { SettlementDto, SettlementResponse } from './dto/settlement.dto.js';
import { SettleReceivable } from './settle-receivable.js';

@ApiTags('payments')
@ApiBearerAuth()
@Controller('api/payments/:id/settlements')
export class SettlementsController {
  constructor(private readonly settling: SettleReceivable) {}

  /** Cash at the counter for a parcel that was paid in part at the door. */
  @Roles('MANAGER', 'ADMIN')
  @ApiHeader({ name: 'Idempotency-Key', required: true, description: '16 to 255 visible characters' })
  @ApiResponse({ status: 201, type: SettlementResponse })
  @Post()
  async settle(
    @Param('id', IdPipe) id: string,
    @Body() body: SettlementDto,
    @CurrentActor() actor: Actor,
    @Idempotent() request: IdempotentRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    return sendAnswer(reply, await this.settling.settle(id, actor.id, body, request));
  }
}
