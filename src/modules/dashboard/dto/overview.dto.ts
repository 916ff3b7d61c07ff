import { MoneyDto } from '../../../http/money.dto.js';
import { DashboardResponse } from './dashboard.dto.js';

/** Of a day up to now, or of another one up to the same time of it. */
export class DaySalesDto {
  placed: number;
  /** Of these, sold. */
  orders: number;
  revenue: MoneyDto;
  averageOrder: MoneyDto | null;
}

export class OpenOrdersDto {
  PENDING: number;
  CONFIRMED: number;
  PREPARING: number;
  SHIPPING: number;
}

export class OverviewResponse extends DashboardResponse {
  today: DaySalesDto;
  yesterday: DaySalesDto;
  /** The same day of last week. */
  lastWeek: DaySalesDto;
  openOrders: OpenOrdersDto;
  /** Parcels that an agent has accepted or picked up. */
  underWay: number;
  /** Open orders past the time promised to the customer. */
  late: number;
  pendingApprovals: number;
  agentsOnline: number;
  /** Variants on sale of which five or fewer are left. */
  lowStock: number;
  /** In agents' hands. */
  cashOutstanding: MoneyDto;
}

export class MobileResponse extends DashboardResponse {
  today: DaySalesDto;
  yesterday: DaySalesDto;
  open: number;
  underWay: number;
  late: number;
  pendingApprovals: number;
  agentsOnline: number;
  lowStock: number;
}

export class LowStockItemDto {
  variantId: string;
  productId: string;
  sku: string;
  name: string;
  onHand: number;
  reserved: number;
  available: number;
  /** In the last seven days, today among them. */
  unitsSold: number;
  /** How many days they last at that pace, to one place; null when nothing was sold. */
  daysOfCover: number | null;
}

export class LowStockResponse extends DashboardResponse {
  threshold: number;
  /** All that are low, shown or not. */
  count: number;
  items: LowStockItemDto[];
}

export class ActivityByDto {
  id: string | null;
  name: string | null;
  role: string | null;
}

export class ActivityItemDto {
  id: string;
  at: string;
  type: string;
  subjectId: string;
  orderId: string | null;
  orderNumber: string | null;
  amount: MoneyDto | null;
  by: ActivityByDto | null;
}

export class ActivityResponse extends DashboardResponse {
  items: ActivityItemDto[];
}
