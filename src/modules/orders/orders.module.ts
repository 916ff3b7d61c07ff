import { Module } from '@nestjs/common';
import { CartsModule } from '../carts/carts.module.js';
import { InventoryModule } from '../inventory/inventory.module.js';
import { PaymentsModule } from '../payments/payments.module.js';
import { ChangeOrderStatus } from './change-order-status.js';
import { ExpireOrders } from './expire-orders.js';
import { OrdersController } from './orders.controller.js';
import { OrdersService } from './orders.service.js';
import { PaidOrders } from './paid-orders.js';
import { PlaceOrder } from './place-order.js';

@Module({
  imports: [CartsModule, InventoryModule, PaymentsModule],
  controllers: [OrdersController],
  providers: [OrdersService, PlaceOrder, ChangeOrderStatus, PaidOrders, ExpireOrders],
  exports: [ChangeOrderStatus],
})
export class OrdersModule {}
