import { Controller, Get, Param } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Roles } from '../../http/access.js';
import { type Actor, CurrentActor } from '../../http/actor.js';
import { IdPipe } from '../../http/id.pipe.js';
import { PaymentResponse } from './dto/payment.dto.js';
import { PaymentsService } from './payments.service.js';

@ApiTags('payments')
@ApiBearerAuth()
@Controller('api/payments')
export class PaymentsController {
  constructor(private readonly payments: PaymentsService) {}

  /** A payment of one's own order; staff see all. */
  @Roles('CUSTOMER', 'SUPPORT', 'MANAGER', 'ADMIN')
  @Get(':id')
  find(@Param('id', IdPipe) id: string, @CurrentActor() actor: Actor): Promise<PaymentResponse> {
    return this.payments.find(id, actor);
  }
}
