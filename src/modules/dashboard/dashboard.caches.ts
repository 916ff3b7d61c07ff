import { defineCache } from '../../platform/cache/define-cache.js';
import type { Tag } from '../../platform/cache/invalidation/tags.js';
import type { DatedRange } from './day-range.js';
import type { ProductOrder } from './dto/days-query.dto.js';

const MINUTE_MS = 60_000;
const CHART = { ttlMs: 10 * MINUTE_MS, staleMs: 10 * MINUTE_MS };

/** Orders count on the day that they were placed on: those of today change nothing of a range that ended before. */
const placedIn = ({ to, today }: DatedRange): Tag[] => (to < today ? ['orders:past'] : ['orders', 'orders:past']);
/** What ended on a day stays as it ended: of a range of the past only people may have something read anew. */
const endedIn = ({ to, today }: DatedRange): Tag[] => (to < today ? ['shipping:*'] : ['shipping']);

const LIVE: Tag[] = [
  'orders',
  'orders:past',
  'payments',
  'refunds',
  'shipping',
  'inventory',
  'catalog',
  'wallets',
  'approvals',
];

export const OVERVIEW = defineCache({
  name: 'dashboard.overview',
  category: 'orders',
  ttlMs: 5 * MINUTE_MS,
  staleMs: 5 * MINUTE_MS,
  tags: (_today: string) => LIVE,
});
export const MOBILE = defineCache({
  name: 'dashboard.mobile',
  category: 'orders',
  ttlMs: 3 * MINUTE_MS,
  staleMs: 3 * MINUTE_MS,
  tags: (_today: string) => LIVE,
});
export const ACTIVITY = defineCache({
  name: 'dashboard.activity',
  category: 'orders',
  ttlMs: MINUTE_MS,
  staleMs: MINUTE_MS,
  tags: () => ['orders', 'payments', 'refunds', 'shipping', 'wallets', 'approvals'],
});
export const ORDER_TRENDS = defineCache({
  ...CHART,
  name: 'dashboard.order-trends',
  category: 'orders',
  tags: (range: DatedRange) => [...placedIn(range), 'refunds'],
});
export const SALES_BY_STATUS = defineCache({
  ...CHART,
  name: 'dashboard.sales-by-status',
  category: 'orders',
  tags: placedIn,
});
export const SALES_BY_PAYMENT_METHOD = defineCache({
  ...CHART,
  name: 'dashboard.sales-by-payment-method',
  category: 'orders',
  tags: (range: DatedRange) => [...placedIn(range), 'refunds'],
});
export const TOP_PRODUCTS = defineCache({
  ...CHART,
  name: 'dashboard.top-products',
  category: 'orders',
  tags: (range: DatedRange, _by: ProductOrder, _limit: number) => [...placedIn(range), 'catalog'],
});
export const FULFILMENT = defineCache({
  ...CHART,
  name: 'dashboard.fulfilment',
  category: 'shipping',
  tags: endedIn,
});
export const DELIVERY_BY_ZIP = defineCache({
  ...CHART,
  name: 'dashboard.delivery-by-zip',
  category: 'shipping',
  tags: endedIn,
});
export const AGENT_LEADERBOARD = defineCache({
  ...CHART,
  name: 'dashboard.agent-leaderboard',
  category: 'shipping',
  tags: (_range: DatedRange, _limit: number) => ['shipping', 'wallets'],
});
export const CASH_OUTSTANDING = defineCache({
  ...CHART,
  name: 'dashboard.cash-outstanding',
  category: 'wallets',
  tags: () => ['shipping', 'wallets', 'payments'],
});
export const WALLET_LIABILITIES = defineCache({
  ...CHART,
  name: 'dashboard.wallet-liabilities',
  category: 'wallets',
  tags: () => ['wallets'],
});
export const REFUNDS = defineCache({
  ...CHART,
  name: 'dashboard.refunds',
  category: 'refunds',
  tags: (range: DatedRange) => [...placedIn(range), 'refunds'],
});
export const LOW_STOCK = defineCache({
  ...CHART,
  name: 'dashboard.low-stock',
  category: 'inventory',
  tags: (_range: DatedRange, _threshold: number, _limit: number) => ['inventory', 'orders', 'orders:past', 'catalog'],
});
