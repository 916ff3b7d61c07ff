import { MoneyDto } from '../../../http/money.dto.js';
import { RangedResponse, RateDto } from './dashboard.dto.js';

/** Of the orders placed on a day, as they stand now. */
export class TrendDto {
  placed: number;
  /** Totals of what is sold, less what was given back of it. */
  revenue: MoneyDto;
  delivered: number;
  /** Cancelled, or never paid. */
  cancelled: number;
  returned: number;
}

export class TrendDayDto extends TrendDto {
  day: string;
}

export class OrderTrendsResponse extends RangedResponse {
  total: TrendDto;
  days: TrendDayDto[];
}

export class StatusSalesDto {
  status: string;
  orders: RateDto;
  total: MoneyDto;
}

export class SalesByStatusResponse extends RangedResponse {
  orders: number;
  total: MoneyDto;
  items: StatusSalesDto[];
}

export class MethodSalesDto {
  paymentMethod: string;
  orders: RateDto;
  revenue: MoneyDto;
  averageOrder: MoneyDto;
}

export class SalesByPaymentMethodResponse extends RangedResponse {
  orders: number;
  revenue: MoneyDto;
  items: MethodSalesDto[];
}

export class ProductSalesDto {
  variantId: string;
  productId: string;
  sku: string;
  name: string;
  units: number;
  /** Of the goods: less discount, without delivery. */
  revenue: MoneyDto;
}

export class TopProductsResponse extends RangedResponse {
  items: ProductSalesDto[];
}
