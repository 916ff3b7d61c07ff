import { Module } from '@nestjs/common';
import { ApprovalsModule } from '../approvals/approvals.module.js';
import { AuthModule } from '../auth/auth.module.js';
import { OrdersModule } from '../orders/orders.module.js';
import { WalletsModule } from '../wallets/wallets.module.js';
import { AgentMetricsController } from './agent-metrics.controller.js';
import { AgentMetricsService } from './agent-metrics.service.js';
import { AgentsController } from './agents.controller.js';
import { AgentsService } from './agents.service.js';
import { AssignmentsController } from './assignments.controller.js';
import { AssignmentsService } from './assignments.service.js';
import { CarryParcel } from './carry-parcel.js';
import { CashController } from './cash.controller.js';
import { CloseShift } from './close-shift.js';
import { HandInCash } from './hand-in-cash.js';
import { OfferAgain } from './offer-again.js';
import { ShiftsService } from './shifts.service.js';

@Module({
  imports: [ApprovalsModule, AuthModule, OrdersModule, WalletsModule],
  controllers: [AgentMetricsController, AgentsController, AssignmentsController, CashController],
  providers: [
    AgentMetricsService,
    AgentsService,
    AssignmentsService,
    CarryParcel,
    CloseShift,
    HandInCash,
    OfferAgain,
    ShiftsService,
  ],
})
export class ShippingModule {}
