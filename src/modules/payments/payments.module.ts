import { Module } from '@nestjs/common';
import { WalletsModule } from '../wallets/wallets.module.js';
import { PaymentsController } from './payments.controller.js';
import { PaymentsService } from './payments.service.js';
import { RefundPayment } from './refund-payment.js';

@Module({
  imports: [WalletsModule],
  controllers: [PaymentsController],
  providers: [PaymentsService, RefundPayment],
  exports: [PaymentsService, RefundPayment],
})
export class PaymentsModule {}
