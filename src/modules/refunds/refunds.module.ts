import { Module } from '@nestjs/common';
import { ApprovalsModule } from '../approvals/approvals.module.js';
import { PaymentsModule } from '../payments/payments.module.js';
import { RefundsController } from './refunds.controller.js';
import { RefundsService } from './refunds.service.js';

@Module({
  imports: [ApprovalsModule, PaymentsModule],
  controllers: [RefundsController],
  providers: [RefundsService],
})
export class RefundsModule {}
