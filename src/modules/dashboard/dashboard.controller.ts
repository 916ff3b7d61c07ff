import { Controller, Get, Query, UseInterceptors } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Roles } from '../../http/access.js';
import { CachedAnswerInterceptor } from '../../http/cached-answer.js';
import type { Answer } from '../../platform/cache/answer.js';
import { DeliveryDashboards } from './delivery-dashboards.js';
import { AgentBoardQuery, DaysQuery, LowStockQuery, TopProductsQuery } from './dto/days-query.dto.js';
import { AgentLeaderboardResponse, DeliveryByZipResponse, FulfilmentResponse } from './dto/deliveries.dto.js';
import { CashOutstandingResponse, RefundsDashboardResponse, WalletLiabilitiesResponse } from './dto/money-owed.dto.js';
import { ActivityResponse, LowStockResponse, MobileResponse, OverviewResponse } from './dto/overview.dto.js';
import {
  OrderTrendsResponse,
  SalesByPaymentMethodResponse,
  SalesByStatusResponse,
  TopProductsResponse,
} from './dto/sales.dto.js';
import { LiveDashboards } from './live-dashboards.js';
import { SELLING_DAYS } from './low-stock.queries.js';
import { MoneyDashboards } from './money-dashboards.js';
import { SalesDashboards } from './sales-dashboards.js';
import { StoreDays } from './store-days.js';

/** How the shop is doing. Days are the store's, in its time zone; docs/metrics.md defines each figure. */
@ApiTags('dashboard')
@ApiBearerAuth()
@Roles('SUPPORT', 'MANAGER', 'ADMIN')
@UseInterceptors(CachedAnswerInterceptor)
@Controller('api/dashboard')
export class DashboardController {
  constructor(
    private readonly days: StoreDays,
    private readonly sales: SalesDashboards,
    private readonly deliveries: DeliveryDashboards,
    private readonly money: MoneyDashboards,
    private readonly live: LiveDashboards,
  ) {}

  /** Today against yesterday and last week, and what is open now. */
  @ApiOkResponse({ type: OverviewResponse })
  @Get('overview')
  async overview(): Promise<Answer<object>> {
    return this.live.overview(await this.days.today());
  }

  /** Orders and revenue of each day. */
  @ApiOkResponse({ type: OrderTrendsResponse })
  @Get('order-trends')
  async orderTrends(@Query() query: DaysQuery): Promise<Answer<object>> {
    return this.sales.orderTrends(await this.days.range(query));
  }

  /** What became of the orders of a range. */
  @ApiOkResponse({ type: SalesByStatusResponse })
  @Get('sales-by-status')
  async salesByStatus(@Query() query: DaysQuery): Promise<Answer<object>> {
    return this.sales.byStatus(await this.days.range(query));
  }

  /** How what was sold is paid. */
  @ApiOkResponse({ type: SalesByPaymentMethodResponse })
  @Get('sales-by-payment-method')
  async salesByPaymentMethod(@Query() query: DaysQuery): Promise<Answer<object>> {
    return this.sales.byPaymentMethod(await this.days.range(query));
  }

  /** The goods that sell best. */
  @ApiOkResponse({ type: TopProductsResponse })
  @Get('top-products')
  async topProducts(@Query() query: TopProductsQuery): Promise<Answer<object>> {
    return this.sales.topProducts(await this.days.range(query), query.by, query.limit);
  }

  /** How fast, how punctual, and how often at the first attempt. */
  @ApiOkResponse({ type: FulfilmentResponse })
  @Get('fulfilment')
  async fulfilment(@Query() query: DaysQuery): Promise<Answer<object>> {
    return this.deliveries.fulfilment(await this.days.range(query));
  }

  /** The same by where parcels went; at most 100 zip codes. */
  @ApiOkResponse({ type: DeliveryByZipResponse })
  @Get('delivery-by-zip')
  async deliveryByZip(@Query() query: DaysQuery): Promise<Answer<object>> {
    return this.deliveries.byZip(await this.days.range(query));
  }

  /** The agents with the most deliveries. */
  @ApiOkResponse({ type: AgentLeaderboardResponse })
  @Get('agent-leaderboard')
  async agentLeaderboard(@Query() query: AgentBoardQuery): Promise<Answer<object>> {
    return this.deliveries.agents(await this.days.range(query), query.limit);
  }

  /** Cash that agents hold and that customers owe. */
  @ApiOkResponse({ type: CashOutstandingResponse })
  @Get('cash-outstanding')
  cashOutstanding(): Promise<Answer<object>> {
    return this.money.cashOutstanding();
  }

  /** What the store owes to customers and agents. */
  @ApiOkResponse({ type: WalletLiabilitiesResponse })
  @Get('wallet-liabilities')
  walletLiabilities(): Promise<Answer<object>> {
    return this.money.walletLiabilities();
  }

  /** What was given back, how, and why. */
  @ApiOkResponse({ type: RefundsDashboardResponse })
  @Get('refunds')
  async refunds(@Query() query: DaysQuery): Promise<Answer<object>> {
    return this.money.refunds(await this.days.range(query));
  }

  /** Goods that are about to run out. */
  @ApiOkResponse({ type: LowStockResponse })
  @Get('low-stock')
  async lowStock(@Query() query: LowStockQuery): Promise<Answer<object>> {
    return this.live.lowStock(await this.days.last(SELLING_DAYS), query.threshold, query.limit);
  }

  /** The last 50 things that happened, and who did them. */
  @ApiOkResponse({ type: ActivityResponse })
  @Get('activity')
  activity(): Promise<Answer<object>> {
    return this.live.activity();
  }

  /** The overview on one small screen. */
  @ApiOkResponse({ type: MobileResponse })
  @Get('mobile')
  async mobile(): Promise<Answer<object>> {
    return this.live.mobile(await this.days.today());
  }
}
