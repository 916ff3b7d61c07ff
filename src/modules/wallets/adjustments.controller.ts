import { Body, Controller, Post, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiHeader, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Roles } from '../../http/access.js';
import { type Actor, CurrentActor } from '../../http/actor.js';
import { Idempotent } from '../../http/idempotent-request.js';
import { sendAnswer } from '../../http/send-answer.js';
import type { IdempotentRequest } from '../../platform/idempotency/idempotency.service.js';
import { AdjustmentsService } from './adjustments.service.js';
import { LedgerAdjustmentDto, LedgerAdjustmentResponse } from './dto/adjustments.dto.js';

@ApiTags('wallets')
@ApiBearerAuth()
@Roles('MANAGER', 'ADMIN')
@Controller('api/wallets/adjustments')
export class AdjustmentsController {
  constructor(private readonly adjustments: AdjustmentsService) {}

  /** Asks for a correction of the books, between any two wallets. Posted when somebody else has approved it. */
  @ApiHeader({ name: 'Idempotency-Key', required: true, description: '16 to 255 visible characters' })
  @ApiCreatedResponse({ type: LedgerAdjustmentResponse })
  @Post()
  async request(
    @CurrentActor() actor: Actor,
    @Body() body: LedgerAdjustmentDto,
    @Idempotent() request: IdempotentRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    return sendAnswer(reply, await this.adjustments.request(actor.id, body, request));
  }
}
