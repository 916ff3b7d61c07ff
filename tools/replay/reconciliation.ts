import type { Sums, Totals } from './file-sums.ts';
import type { LarderTotals } from './larder-sums.ts';

const NOTHING: Sums = { sold: 0n, revenue: 0n, returned: 0n };
const MOST_SHOWN = 20;

export interface Difference {
  what: string;
  file: string;
  larder: string;
}

/** Where the two sides differ, by stock code and in the number of orders. Empty when all is well. */
export function differences(file: Totals, larder: LarderTotals): Difference[] {
  const found: Difference[] = [];
  const compare = (what: string, ofFile: bigint | number, ofLarder: bigint | number): void => {
    if (ofFile !== ofLarder) found.push({ what, file: String(ofFile), larder: String(ofLarder) });
  };
  compare('orders', file.orders, larder.orders);
  compare('orders that stand for an invoice twice', 0, larder.doubled);
  compare('cancelled orders', file.cancelled, larder.cancelled);
  for (const code of new Set([...file.byStockCode.keys(), ...larder.byStockCode.keys()])) {
    const ofFile = file.byStockCode.get(code) ?? NOTHING;
    const ofLarder = larder.byStockCode.get(code) ?? NOTHING;
    compare(`${code}: units sold`, ofFile.sold, ofLarder.sold);
    compare(`${code}: revenue`, ofFile.revenue, ofLarder.revenue);
    compare(`${code}: units returned`, ofFile.returned, ofLarder.returned);
  }
  return found;
}

/** The reconciliation for a person. */
export function reconciliationText(file: Totals, larder: LarderTotals, found: Difference[]): string {
  const [ofFile, ofLarder] = [sumOf(file), sumOf(larder)];
  const row = (what: string, fileSide: bigint | number | string, larderSide: bigint | number | string): string =>
    `  ${what.padEnd(18)}${String(fileSide).padStart(16)}${String(larderSide).padStart(16)}`;
  return [
    'Reconciliation',
    row('', 'file', larder.source),
    row('stock codes', file.byStockCode.size, larder.byStockCode.size),
    row('orders', file.orders, larder.orders),
    row('  of them undone', file.cancelled, larder.cancelled),
    row('units sold', ofFile.sold, ofLarder.sold),
    row('revenue', inUnits(ofFile.revenue), inUnits(ofLarder.revenue)),
    row('units returned', ofFile.returned, ofLarder.returned),
    ...found
      .slice(0, MOST_SHOWN)
      .map(({ what, file, larder }) => `  DIFFERS  ${what}: ${file} in the file, ${larder} in Larder`),
    ...(found.length > MOST_SHOWN ? [`  and ${found.length - MOST_SHOWN} more`] : []),
    found.length === 0
      ? '  Equal, for every stock code.'
      : `  NOT EQUAL: ${found.length} ${found.length === 1 ? 'difference' : 'differences'}.`,
  ].join('\n');
}

function sumOf({ byStockCode }: Totals): Sums {
  const total = { ...NOTHING };
  for (const { sold, revenue, returned } of byStockCode.values()) {
    total.sold += sold;
    total.revenue += revenue;
    total.returned += returned;
  }
  return total;
}

function inUnits(minor: bigint): string {
  const digits = String(minor < 0n ? -minor : minor).padStart(3, '0');
  return `${minor < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
