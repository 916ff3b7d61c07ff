import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { OrdersModule } from '../orders/orders.module.js';
import { WalletsModule } from '../wallets/wallets.module.js';
import { AgentsController } from './agents.controller.js';
import { AgentsService } from './agents.service.js';
import { AssignmentsController } from './assignments.controller.js';
import { AssignmentsService } from './assignments.service.js';
import { CarryParcel } from './carry-parcel.js';

@Module({
  imports: [AuthModule, OrdersModule, WalletsModule],
  controllers: [AgentsController, AssignmentsController],
  providers: [AgentsService, AssignmentsService, CarryParcel],
})
export class ShippingModule {}
