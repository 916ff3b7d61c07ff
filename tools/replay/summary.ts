import type { PlacedOrders } from './place-orders.ts';
import type { Plan } from './plan.ts';
import type { RejectedLines } from './rejected-lines.ts';
import type { Undone } from './undo-orders.ts';

const MOST_REFUSALS_SHOWN = 20;

export function planText(plan: Plan, rejected: RejectedLines): string {
  const variants = plan.products.reduce((sum, { variants }) => sum + variants.size, 0);
  const reasons = [...rejected.countByReason].sort(([, a], [, b]) => b - a);
  return [
    `Run ${plan.run}: ${plan.lineCount} lines, ${plan.orders.length} orders, ${plan.products.length} products at ` +
      `${variants} prices, ${plan.cancellations.length} whole invoices cancelled, ${plan.returns.length} lines returned`,
    `${rejected.count} lines can not be used; each with its reason in ${rejected.path}`,
    ...reasons.map(([reason, count]) => `  ${String(count).padStart(6)}  ${reason}`),
  ].join('\n');
}

export function placedText(orders: PlacedOrders, undone: Undone, retries: number): string {
  const { placed, alreadyThere, durationMs, latenciesMs } = orders;
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => percentile(sorted, share).toFixed(1));
  return [
    `Orders placed: ${placed} in ${(durationMs / 1000).toFixed(2)} s; there already: ${alreadyThere}`,
    ...(placed > 0
      ? [
          `  ${(placed / (durationMs / 1000)).toFixed(1)} orders/s`,
          `  latency p50 ${p50} ms, p95 ${p95} ms, p99 ${p99} ms (each order to its answer, repeated attempts included)`,
        ]
      : []),
    `Cancelled: ${undone.cancelled} orders; returned: ${undone.returned} lines; done already: ${undone.alreadyDone}`,
    `Attempts repeated: ${retries}`,
  ].join('\n');
}

export function refusalsText(refusals: string[]): string {
  const more = refusals.length - MOST_REFUSALS_SHOWN;
  return [
    `Larder refused ${refusals.length}:`,
    ...refusals.slice(0, MOST_REFUSALS_SHOWN).map((refusal) => `  ${refusal}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ].join('\n');
}

/** Nearest rank, of sorted values. */
function percentile(sorted: number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}
