import { Module } from '@nestjs/common';
import { DashboardController } from './dashboard.controller.js';
import { DashboardReader } from './dashboard-reader.js';
import { DeliveryDashboards } from './delivery-dashboards.js';
import { FoldDays } from './fold-days.js';
import { LiveDashboards } from './live-dashboards.js';
import { MoneyDashboards } from './money-dashboards.js';
import { SalesDashboards } from './sales-dashboards.js';
import { StoreDays } from './store-days.js';
import { WarmDashboards } from './warm-dashboards.js';

@Module({
  controllers: [DashboardController],
  providers: [
    StoreDays,
    DashboardReader,
    SalesDashboards,
    DeliveryDashboards,
    MoneyDashboards,
    LiveDashboards,
    FoldDays,
    WarmDashboards,
  ],
})
export class DashboardModule {}
