import { Body, Controller, Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiBearerAuth, ApiHeader, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Roles } from '../../http/access.js';
import { type Actor, CurrentActor } from '../../http/actor.js';
import { CurrentVisitor, type Visitor } from '../../http/guest.js';
import { IdPipe } from '../../http/id.pipe.js';
import { Idempotent } from '../../http/idempotent-request.js';
import { sendAnswer } from '../../http/send-answer.js';
import type { IdempotentRequest } from '../../platform/idempotency/idempotency.service.js';
import { CapturePayment } from './capture-payment.js';
import { ConfirmPayment } from './confirm-payment.js';
import { ConfirmedPaymentResponse, ConfirmPaymentDto, PaymentResponse, VoidPaymentDto } from './dto/payment.dto.js';
import { PaymentsService } from './payments.service.js';

const KEY = { name: 'Idempotency-Key', required: true, description: '16 to 255 visible characters' };

@ApiTags('payments')
@ApiBearerAuth()
@Controller('api/payments')
export class PaymentsController {
  constructor(
    private readonly payments: PaymentsService,
    private readonly confirming: ConfirmPayment,
    private readonly capturing: CapturePayment,
  ) {}

  /** A payment of one's own order; staff see all. */
  @Roles('CUSTOMER', 'SUPPORT', 'MANAGER', 'ADMIN')
  @Get(':id')
  find(@Param('id', IdPipe) id: string, @CurrentActor() actor: Actor): Promise<PaymentResponse> {
    return this.payments.find(id, actor);
  }

  /** Pays an order by card. 202: the bank has not answered yet; the same request tells later. Guests send X-Cart-Token. */
  @Roles('CUSTOMER', 'GUEST')
  @ApiHeader(KEY)
  @ApiOkResponse({ type: ConfirmedPaymentResponse })
  @ApiAcceptedResponse({ type: ConfirmedPaymentResponse })
  @HttpCode(200)
  @Post(':id/confirm')
  async confirm(
    @Param('id', IdPipe) id: string,
    @Body() { source }: ConfirmPaymentDto,
    @CurrentVisitor() visitor: Visitor,
    @Idempotent() request: IdempotentRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    return sendAnswer(reply, await this.confirming.confirm(id, source, visitor, request));
  }

  /** Takes the money that is held on a card. 202: the provider has not answered yet; the same request tells later. */
  @Roles('MANAGER', 'ADMIN')
  @ApiHeader(KEY)
  @ApiOkResponse({ type: PaymentResponse })
  @ApiAcceptedResponse({ type: PaymentResponse })
  @HttpCode(200)
  @Post(':id/capture')
  async capture(
    @Param('id', IdPipe) id: string,
    @CurrentActor() actor: Actor,
    @Idempotent() request: IdempotentRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    return sendAnswer(reply, await this.capturing.capture(id, actor, request));
  }

  /** Lets the money of a card go that is not taken yet. Its order is cancelled. */
  @Roles('MANAGER', 'ADMIN')
  @ApiHeader(KEY)
  @ApiOkResponse({ type: PaymentResponse })
  @HttpCode(200)
  @Post(':id/void')
  async void(
    @Param('id', IdPipe) id: string,
    @Body() { reason }: VoidPaymentDto,
    @CurrentActor() actor: Actor,
    @Idempotent() request: IdempotentRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    return sendAnswer(reply, await this.capturing.void(id, actor, reason, request));
  }
}
