import { type Answered, look, order, READ_MIX, type Shop } from './dashboard-client.ts';
import type { Served } from './processes.ts';
import { pick } from './scene.ts';

/** Of the requests of one kind. */
export interface Latencies {
  perSecond: number;
  p50: number;
  p99: number;
  failed: number;
}

export interface LoadFigures {
  reads: Latencies;
  orders: Latencies;
  /** Statements that Larder sent, a second. */
  statements: number;
  /** CPU cores that were busy: of the database's processes, of Larder's. */
  databaseCores: number;
  larderCores: number;
}

export interface Load {
  readers: number;
  ordersPerSecond: number;
  seconds: number;
}

/** Between two looks of a reader. */
const LOOK_EVERY_MS = 1000;

/**
 * People who look at one dashboard a second each, and orders that come at their own pace, however long the ones before take: a
 * latency counts from the moment at which the request should have gone out.
 */
export async function measureLoad(
  served: Served,
  shop: Shop,
  databaseCpu: () => Promise<number>,
  { readers, ordersPerSecond, seconds }: Load,
): Promise<LoadFigures> {
  const used = async () => [await databaseCpu(), await served.cpuSeconds(), await served.statements()] as const;
  const before = await used();
  const started = performance.now();
  const end = started + seconds * 1000;
  const [reads, orders] = await Promise.all([
    Promise.all(
      Array.from({ length: readers }, (_, n) => read(served, shop, started + (n * LOOK_EVERY_MS) / readers, end)),
    ),
    at(ordersPerSecond, end, () => order(served.url, shop)),
  ]);
  const after = await used();
  const lasted = (performance.now() - started) / 1000;
  const perSecond = (index: 0 | 1 | 2): number => (after[index] - before[index]) / lasted;
  return {
    reads: latencies(reads.flat(), lasted, [200]),
    orders: latencies(orders, lasted, [201]),
    databaseCores: perSecond(0),
    larderCores: perSecond(1),
    statements: perSecond(2),
  };
}

async function read(served: Served, shop: Shop, first: number, end: number): Promise<Answered[]> {
  const answers: Answered[] = [];
  for (let due = first; due < end; due = Math.max(due + LOOK_EVERY_MS, performance.now())) {
    await until(due);
    answers.push(await look(served.url, shop, pick(READ_MIX)));
  }
  return answers;
}

async function at(perSecond: number, end: number, act: () => Promise<Answered>): Promise<Answered[]> {
  const running: Promise<Answered>[] = [];
  for (let due = performance.now(); due < end; due += 1000 / perSecond) {
    await until(due);
    const late = performance.now() - due;
    running.push(act().then((answer) => ({ ...answer, ms: answer.ms + late })));
  }
  return Promise.all(running);
}

async function until(due: number): Promise<void> {
  const ms = due - performance.now();
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
}

function latencies(answers: Answered[], seconds: number, good: number[]): Latencies {
  const sorted = answers.map(({ ms }) => ms).sort((a, b) => a - b);
  return {
    perSecond: answers.length / seconds,
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
    failed: answers.filter(({ status }) => !good.includes(status)).length,
  };
}

export function quantile(sorted: number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
