import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import type { Logger } from 'pino';
import { LarderConfig } from './config/config.js';
import { ConfigModule } from './config/config.module.js';
import { GlobalExceptionFilter } from './http/filters/global-exception.filter.js';
import { ApprovalsModule } from './modules/approvals/approvals.module.js';
import { AuthModule } from './modules/auth/auth.module.js';
import { CacheAdminModule } from './modules/cache/cache.module.js';
import { CartsModule } from './modules/carts/carts.module.js';
import { CatalogModule } from './modules/catalog/catalog.module.js';
import { DashboardModule } from './modules/dashboard/dashboard.module.js';
import { HealthModule } from './modules/health/health.module.js';
import { InventoryModule } from './modules/inventory/inventory.module.js';
import { JobsAdminModule } from './modules/jobs/jobs.module.js';
import { NotificationsModule } from './modules/notifications/notifications.module.js';
import { OrdersModule } from './modules/orders/orders.module.js';
import { PaymentsModule } from './modules/payments/payments.module.js';
import { PromotionsModule } from './modules/promotions/promotions.module.js';
import { RefundsModule } from './modules/refunds/refunds.module.js';
import { ShippingModule } from './modules/shipping/shipping.module.js';
import { SlotsModule } from './modules/slots/slots.module.js';
import { WalletsModule } from './modules/wallets/wallets.module.js';
import { CacheModule } from './platform/cache/cache.module.js';
import { IdempotencyModule } from './platform/idempotency/idempotency.module.js';
import { JobsModule } from './platform/jobs/jobs.module.js';
import { LoggingModule } from './platform/logging/logging.module.js';
import { OutboxModule } from './platform/outbox/outbox.module.js';
import { PrismaModule } from './platform/prisma/prisma.module.js';
import { RedisModule } from './platform/redis/redis.module.js';

@Module({})
export class AppModule {
  static of(config: LarderConfig, logger: Logger): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.of(config),
        LoggingModule.of(logger),
        PrismaModule,
        RedisModule,
        CacheModule,
        IdempotencyModule,
        JobsModule,
        OutboxModule,
        AuthModule,
        ApprovalsModule,
        CatalogModule,
        InventoryModule,
        WalletsModule,
        PaymentsModule,
        SlotsModule,
        PromotionsModule,
        CartsModule,
        OrdersModule,
        RefundsModule,
        ShippingModule,
        DashboardModule,
        NotificationsModule,
        JobsAdminModule,
        CacheAdminModule,
        HealthModule,
      ],
      providers: [{ provide: APP_FILTER, useClass: GlobalExceptionFilter }],
    };
  }
}
