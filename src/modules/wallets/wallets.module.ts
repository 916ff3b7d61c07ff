import { Module } from '@nestjs/common';
import { ApprovalsModule } from '../approvals/approvals.module.js';
import { AdjustmentsController } from './adjustments.controller.js';
import { AdjustmentsService } from './adjustments.service.js';
import { LedgerWatch } from './ledger-watch.js';
import { MoveMoney } from './move-money.js';
import { WalletsController } from './wallets.controller.js';
import { WalletsService } from './wallets.service.js';
import { WithdrawalsService } from './withdrawals.service.js';

@Module({
  imports: [ApprovalsModule],
  controllers: [AdjustmentsController, WalletsController],
  providers: [WalletsService, MoveMoney, WithdrawalsService, AdjustmentsService, LedgerWatch],
  exports: [WalletsService],
})
export class WalletsModule {}
