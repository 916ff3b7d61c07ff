import { Module } from '@nestjs/common';
import { WalletsModule } from '../wallets/wallets.module.js';
import { CapturePayment } from './capture-payment.js';
import { ConfirmPayment } from './confirm-payment.js';
import { LookAtPayment } from './look-at-payment.js';
import { OrderSteps } from './order-steps.js';
import { PaymentJobs } from './payment-jobs.js';
import { PaymentWebhooksController } from './payment-webhooks.controller.js';
import { PaymentsController } from './payments.controller.js';
import { PaymentsService } from './payments.service.js';
import { PaymentProviders } from './providers/payment-providers.js';
import { ReceiveEvent } from './receive-event.js';
import { RecordOutcome } from './record-outcome.js';
import { RefundPayment } from './refund-payment.js';
import { ReleasePayment } from './release-payment.js';
import { RunOperation } from './run-operation.js';
import { SettlePayment } from './settle-payment.js';
import { SettleReceivable } from './settle-receivable.js';
import { SettlementsController } from './settlements.controller.js';
import { TestBankController } from './test-bank.controller.js';

@Module({
  imports: [WalletsModule],
  controllers: [PaymentsController, PaymentWebhooksController, SettlementsController, TestBankController],
  providers: [
    PaymentsService,
    ConfirmPayment,
    CapturePayment,
    ReleasePayment,
    RefundPayment,
    RunOperation,
    RecordOutcome,
    SettlePayment,
    SettleReceivable,
    LookAtPayment,
    ReceiveEvent,
    PaymentJobs,
    PaymentProviders,
    OrderSteps,
  ],
  exports: [PaymentsService, RefundPayment, CapturePayment, PaymentProviders, OrderSteps],
})
export class PaymentsModule {}
