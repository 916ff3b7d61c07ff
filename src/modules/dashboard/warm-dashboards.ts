import { Injectable, type OnModuleInit } from '@nestjs/common';
import { newId } from '../../common/ids.js';
import { runInContext } from '../../common/request-context.js';
import { CacheService } from '../../platform/cache/cache.service.js';
import { storesAfter, type StoreRow } from '../../platform/jobs/jobs.queries.js';
import { Database } from '../../platform/prisma/database.js';
import { DeliveryDashboards } from './delivery-dashboards.js';
import { AgentBoardQuery, LowStockQuery, TopProductsQuery } from './dto/days-query.dto.js';
import { LiveDashboards } from './live-dashboards.js';
import { SELLING_DAYS } from './low-stock.queries.js';
import { MoneyDashboards } from './money-dashboards.js';
import { SalesDashboards } from './sales-dashboards.js';
import { StoreDays } from './store-days.js';

/** The others are warmed by whoever looks first. */
const MOST_STORES = 20;

/** Has the dashboards that people open first, with nothing said, in the cache when an instance starts. */
@Injectable()
export class WarmDashboards implements OnModuleInit {
  constructor(
    private readonly cache: CacheService,
    private readonly database: Database,
    private readonly days: StoreDays,
    private readonly sales: SalesDashboards,
    private readonly deliveries: DeliveryDashboards,
    private readonly money: MoneyDashboards,
    private readonly live: LiveDashboards,
  ) {}

  onModuleInit(): void {
    this.cache.warmAtStart(async () => {
      const stores = await this.database.query<StoreRow>(storesAfter(undefined, MOST_STORES));
      return stores.flatMap(({ id: storeId }) =>
        this.reads().map((read) => () => runInContext({ requestId: newId(), storeId }, read)),
      );
    });
  }

  private reads(): (() => Promise<unknown>)[] {
    const range = () => this.days.range({});
    const top = new TopProductsQuery();
    const board = new AgentBoardQuery();
    const shelf = new LowStockQuery();
    return [
      async () => this.live.overview(await this.days.today()),
      async () => this.live.mobile(await this.days.today()),
      () => this.live.activity(),
      async () => this.sales.orderTrends(await range()),
      async () => this.sales.byStatus(await range()),
      async () => this.sales.byPaymentMethod(await range()),
      async () => this.sales.topProducts(await range(), top.by, top.limit),
      async () => this.deliveries.fulfilment(await range()),
      async () => this.deliveries.byZip(await range()),
      async () => this.deliveries.agents(await range(), board.limit),
      () => this.money.cashOutstanding(),
      () => this.money.walletLiabilities(),
      async () => this.money.refunds(await range()),
      async () => this.live.lowStock(await this.days.last(SELLING_DAYS), shelf.threshold, shelf.limit),
    ];
  }
}
