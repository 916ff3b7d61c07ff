import { cpus } from 'node:os';
import { enterShopToOrder, type Shop } from './dashboard-client.ts';
import { type Answers, type Load, type LoadFigures, measureLoad } from './dashboard-load.ts';
import { aimed, printTable } from './dashboard-table.ts';
import type { Served } from './processes.ts';
import { RedisProcess } from './redis-process.ts';

const FROZEN_AIM_MS = 100;
/** Until the code is warm; figures of this time count nowhere. */
const WARM_UP_S = 5;
/** Twice as many looks a second again and again, for so long each, until one in a hundred takes this long or one fails. */
const CEILING_STEP_S = 5;
const CEILING_P99_MS = 1000;
const MOST_LOOKS_PER_SECOND = 3200;

interface Phase {
  name: string;
  figures: LoadFigures;
}

/**
 * The same load with nobody looking, without the cache, with memory alone, with Redis, and with a Redis that is frozen: in this
 * order, as each phase leaves more orders of today behind that the next has to count. Then the most that can be looked.
 */
export async function measurePhases(
  start: (environment: Record<string, string>) => Promise<Served>,
  databaseCpu: () => Promise<number>,
  slug: string,
  load: Load,
): Promise<void> {
  const redis = await RedisProcess.start();
  const servers: Served[] = [];
  const serve = async (environment: Record<string, string>): Promise<Served> => {
    const served = await start(environment);
    servers.push(served);
    return served;
  };
  try {
    const withoutCache = await serve({ CACHE: 'off' });
    const inMemory = await serve({});
    const withRedis = await serve({ REDIS_URL: redis.url });
    const shop = await enterShopToOrder(withoutCache.url, slug);
    const warmUp = ({ url }: Served) => measureLoad(url, shop, databaseCpu, { ...load, seconds: WARM_UP_S });
    const phase = async (name: string, { url }: Served, changed: Partial<Load> = {}): Promise<Phase> => {
      return { name, figures: await measureLoad(url, shop, databaseCpu, { ...load, ...changed }) };
    };
    await warmUp(withoutCache);
    const alone = await phase('orders alone', withoutCache, { looksPerSecond: 0 });
    const without = await phase('without the cache', withoutCache);
    await warmUp(inMemory);
    const memory = await phase('in memory', inMemory);
    await warmUp(withRedis);
    const well = await phase('with Redis', withRedis);
    redis.freeze();
    const frozen = await phase('Redis frozen from here', withRedis);
    printPhases(load, [alone, without, memory, well, frozen]);
    printSaved(alone.figures, without.figures, [memory, well]);
    printFrozen(well.figures, frozen.figures);
    console.log('\nlooks a second beside the orders, none failed and p99 within a second');
    for (const [name, served] of [
      ['without the cache', withoutCache],
      ['in memory', inMemory],
    ] as const) {
      console.log(`  ${name}: ${await ceiling(served.url, shop, databaseCpu, load)}`);
    }
  } finally {
    for (const served of servers) await served.stop();
    await redis.stop();
  }
}

const failures = ({ failed }: Answers): number => [...failed.values()].reduce((sum, count) => sum + count, 0);

function printPhases({ readers, looksPerSecond, ordersPerSecond, seconds }: Load, phases: Phase[]): void {
  const of = (answers: Answers) => [answers.perSecond, answers.p50, answers.p99, failures(answers)];
  printTable(
    `${readers} readers, ${looksPerSecond} looks and ${ordersPerSecond} orders a second, each phase ${seconds} s`,
    ['looks/s', 'p50 ms', 'p99 ms', 'failed', 'orders/s', 'p50 ms', 'p99 ms', 'failed'],
    phases.map(({ name, figures }) => ({ name, cells: [...of(figures.looks), ...of(figures.orders)] })),
  );
  for (const { name, figures } of phases) {
    for (const kind of ['looks', 'orders'] as const) {
      const codes = [...figures[kind].failed].map(([code, count]) => `${code}: ${count}`);
      if (codes.length > 0) console.log(`  ${name}, ${kind} failed: ${codes.join(', ')}`);
    }
  }
  printTable(
    `what that takes: statements of the looks, hits of those who asked the cache, CPU cores of ${cpus().length}`,
    ['SQL/s', 'loads/s', 'ms/load', 'hits %', 'database', 'Larder', 'client', 'machine'],
    phases.map(({ name, figures: { cores, ...figures } }) => ({
      name,
      cells: [
        figures.readStatements,
        figures.loads,
        (figures.loadSeconds * 1000) / figures.loads,
        figures.hitRate * 100,
        cores.database,
        cores.larder,
        cores.client,
        cores.machine,
      ],
    })),
    2,
  );
}

/** Per look, as the looks of two phases are never just as many. */
function printSaved(alone: LoadFigures, without: LoadFigures, cached: Phase[]): void {
  const perLook = ({ readStatements, looks }: LoadFigures) => readStatements / looks.perSecond;
  const forLooks = ({ cores }: LoadFigures) => Math.max(0, cores.database - alone.cores.database);
  for (const { name, figures } of cached) {
    const saved = (perLook(without) - perLook(figures)) * figures.looks.perSecond;
    const all = saved + figures.readStatements;
    console.log(
      `  ${name}: ${saved.toFixed(1)} of ${all.toFixed(1)} queries a second saved, ${((saved / all) * 100).toFixed(0)} %; ` +
        `${forLooks(figures).toFixed(2)} cores of the database for looks, without the cache ${forLooks(without).toFixed(2)}`,
    );
  }
}

function printFrozen(well: LoadFigures, frozen: LoadFigures): void {
  for (const kind of ['looks', 'orders'] as const) {
    const added = Math.max(0, frozen[kind].p99 - well[kind].p99);
    console.log(
      `  a frozen Redis adds to the p99 of ${kind}: ${aimed(added, FROZEN_AIM_MS)}; ${failures(frozen[kind])} failed (aim: 0)`,
    );
  }
}

/** Between the most that went well and the first that didn't. */
async function ceiling(url: string, shop: Shop, databaseCpu: () => Promise<number>, load: Load): Promise<string> {
  let borne = 0;
  for (let looksPerSecond = load.looksPerSecond; looksPerSecond <= MOST_LOOKS_PER_SECOND; looksPerSecond *= 2) {
    const step = { ...load, looksPerSecond, seconds: CEILING_STEP_S };
    const { looks, orders } = await measureLoad(url, shop, databaseCpu, step);
    const tooMuch = failures(looks) + failures(orders) > 0 || Math.max(looks.p99, orders.p99) > CEILING_P99_MS;
    if (tooMuch)
      return `${borne}, not ${looksPerSecond} (p99 of looks ${looks.p99.toFixed(0)} ms, ${failures(looks)} failed; of orders ${orders.p99.toFixed(0)} ms, ${failures(orders)} failed)`;
    borne = looksPerSecond;
  }
  return `${borne} and more`;
}
