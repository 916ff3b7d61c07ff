import { DASHBOARDS, enterShop, look, type Shop } from './dashboard-client.ts';
import { quantile } from './dashboard-load.ts';
import { aimed, printTable, type Row } from './dashboard-table.ts';
import type { Served } from './processes.ts';

const COLD_AIM_MS = 200;
const WARM_AIM_MS = 5;
const COLD_LOOKS = 9;
const WARM_LOOKS = 100;
const DAY_MS = 86_400_000;
const HEADINGS = ['cold p50', 'max', '366 d p50', 'max', 'warm p50', 'max'];

/** Each dashboard: of the last 30 days and of 366, read from the database; and from memory. */
export async function measureLatencies(
  { withoutCache, withCache }: { withoutCache: Served; withCache: Served },
  slug: string,
  orders: number,
): Promise<void> {
  const shop = await enterShop(withoutCache.url, slug);
  const rows: Row[] = [];
  for (const { name, ranged } of DASHBOARDS) {
    const cold = await looks(withoutCache, shop, name, '', COLD_LOOKS);
    const year = ranged ? await looks(withoutCache, shop, name, yearLong(), COLD_LOOKS) : [];
    const warm = await looks(withCache, shop, name, '', WARM_LOOKS);
    rows.push({ name, cells: [cold, year, warm].flatMap((ms) => [quantile(ms, 0.5), quantile(ms, 1)]) });
  }
  printTable(`${orders} orders in a year, ms at the client`, HEADINGS, rows);
  const worst = (columns: number[]) =>
    Math.max(...rows.flatMap(({ cells }) => columns.map((c) => cells[c] ?? 0)).filter((ms) => ms > 0));
  console.log(`  slowest median cold: ${aimed(worst([0, 2]), COLD_AIM_MS)}; warm: ${aimed(worst([4]), WARM_AIM_MS)}`);
}

/** Milliseconds at the client, sorted. The first look is at cold code, and is left out. */
async function looks(served: Served, shop: Shop, name: string, query: string, times: number): Promise<number[]> {
  const ms: number[] = [];
  for (let n = 0; n <= times; n++) {
    const answer = await look(served.url, shop, name, query);
    if (answer.status !== 200) throw new Error(`${name}: ${answer.status} ${answer.body}`);
    if (n > 0) ms.push(answer.ms);
  }
  return ms.sort((a, b) => a - b);
}

const yearLong = (): string => {
  const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  return `?from=${day(Date.now() - 366 * DAY_MS)}&to=${day(Date.now() - DAY_MS)}`;
};
