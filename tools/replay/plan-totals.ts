import type { Totals } from './file-sums.ts';
import type { Plan } from './plan.ts';

/** What Larder's tables should say after the plan: for a dry run, which has no Larder to ask. */
export function planTotals({ orders, cancellations, returns }: Plan): Totals {
  const byStockCode: Totals['byStockCode'] = new Map();
  const cancelled = new Set(cancellations.flatMap((cancellation) => cancellation.orders));
  const sumsOf = (stockCode: string) => {
    const sums = byStockCode.get(stockCode) ?? { sold: 0n, revenue: 0n, returned: 0n };
    byStockCode.set(stockCode, sums);
    return sums;
  };
  for (const order of orders) {
    if (cancelled.has(order)) continue;
    for (const { variant, quantity } of order.lines) {
      const sums = sumsOf(variant.stockCode);
      sums.sold += BigInt(quantity);
      sums.revenue += BigInt(quantity) * BigInt(variant.price);
    }
  }
  for (const { line } of returns) sumsOf(line.variant.stockCode).returned += BigInt(line.quantity);
  return { orders: orders.length, cancelled: cancelled.size, byStockCode };
}
