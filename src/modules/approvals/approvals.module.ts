import { Module } from '@nestjs/common';
import { ApprovalsController } from './approvals.controller.js';
import { ApprovalsService } from './approvals.service.js';
import { DecideApproval } from './decide-approval.js';

@Module({
  controllers: [ApprovalsController],
  providers: [ApprovalsService, DecideApproval],
  exports: [ApprovalsService],
})
export class ApprovalsModule {}
