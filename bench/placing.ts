/** What windows, coupons, taxes and cards cost whoever places an order: today's statement against the one of before. */
import { headings, median, medianRound, row } from './figures.ts';
import { type Figures, measure, type Operation } from './load.ts';
import type { Served } from './processes.ts';
import { place, type Scene } from './scene.ts';

/** Enough to keep two cores busy, and none that waits for its turn. */
const CONNECTIONS = 8;
const AIM = 1.15;
/** Orders placed for counting their statements. */
const COUNTED = 200;
const WIDTH = 28;

export interface Placers {
  /** The statement of before, behind the bare server. */
  before: Served;
  bare: Served;
  larder: Served;
  /** A whole Larder of before, with goods and customers of its own. */
  larderBefore?: { served: Served; scene: Scene };
}

interface Contestant {
  name: string;
  served: Served;
  operation: Operation;
  /** Where it differs. */
  scene?: Scene;
  /** What it is compared with. */
  before?: string;
}

export async function comparePlacing(
  { before, bare, larder, larderBefore }: Placers,
  scene: Scene,
  { rounds, seconds }: { rounds: number; seconds: number },
): Promise<void> {
  const [plain, booked] = ['place an order', 'place an order with window and coupon'] as const;
  const contestants: Contestant[] = [
    { name: 'before', served: before, operation: plain },
    { name: 'today, plain', served: bare, operation: plain, before: 'before' },
    { name: 'today, window and coupon', served: bare, operation: booked, before: 'before' },
    ...(larderBefore ? [{ name: 'larder of before', operation: plain, ...larderBefore }] : []),
    { name: 'larder, plain', served: larder, operation: plain, before: 'larder of before' },
    { name: 'larder, window and coupon', served: larder, operation: booked, before: 'larder of before' },
  ];
  const measured = contestants.map(() => [] as Figures[]);
  // Turn and turn about: each is compared with what ran within the same half minute.
  for (let round = 0; round < rounds; round++) {
    for (const [n, contestant] of contestants.entries()) {
      const { served, operation } = contestant;
      measured[n]?.push(
        await measure(served, operation, contestant.scene ?? scene, { connections: CONNECTIONS, seconds }),
      );
    }
  }
  console.log(
    `\nplacing an order, the statement of before and today's, ${CONNECTIONS} connections, medians of ${rounds}`,
  );
  console.log(headings(WIDTH));
  for (const [n, { name }] of contestants.entries()) console.log(row(name, WIDTH, medianRound(measured[n] ?? [])));
  console.log(`\n  times what it took before; aim for the time: <= ${AIM}`);
  for (const [n, { name, before: other }] of contestants.entries()) {
    const old = measured[contestants.findIndex((contestant) => contestant.name === other)];
    if (old) console.log(verdict(name, old, measured[n] ?? []));
  }
  for (const booked of [false, true]) {
    const statements = await countStatements(larder, scene, booked);
    console.log(`  ${COUNTED} orders${booked ? ' with window and coupon' : ''}, one by one: ${statements} statements`);
  }
  const failed = measured.flat().reduce((sum, figures) => sum + figures.failed, 0);
  if (failed > 0) console.log(`  failed: ${failed}`);
}

/** Under load, what is on its way when a round ends is counted as a statement and as no answer. */
async function countStatements(larder: Served, scene: Scene, booked: boolean): Promise<number> {
  const before = await larder.statements();
  for (let n = 0; n < COUNTED; n++) await place(larder.url, scene, booked);
  return (await larder.statements()) - before;
}

function verdict(name: string, before: Figures[], today: Figures[]): string {
  const ratioOf = (cost: (figures: Figures) => number): number =>
    median(today.flatMap((figures, round) => (before[round] ? [cost(figures) / cost(before[round])] : [])));
  const time = ratioOf(({ perSecond }) => 1 / perSecond);
  const backend = ratioOf(({ backendMsPerRequest }) => backendMsPerRequest);
  const told = `${time.toFixed(2)} ${time <= AIM ? 'met' : 'NOT met'}`;
  return `  ${name.padEnd(WIDTH)}time ${told}; CPU of PostgreSQL ${Number.isNaN(backend) ? 'not known' : backend.toFixed(2)}`;
}
