import { cpus } from 'node:os';
import { type Answered, look, order, READ_MIX, type Shop } from './dashboard-client.ts';
import { type LarderCounters, larderCounters } from './larder-counters.ts';
import { pick } from './scene.ts';

export interface Load {
  readers: number;
  /** Of all readers together; 0: nobody looks. */
  looksPerSecond: number;
  ordersPerSecond: number;
  seconds: number;
}

/** Of the requests of one kind; latencies in ms from the moment that each was due. */
export interface Answers {
  perSecond: number;
  p50: number;
  p99: number;
  /** How many, by the error's code: `503 POOL_TIMEOUT`. */
  failed: Map<string, number>;
}

export interface LoadFigures {
  looks: Answers;
  orders: Answers;
  /** A second: statements of the looks, loads of the cache and what they took, added up. */
  readStatements: number;
  loads: number;
  loadSeconds: number;
  /** The part of the looks that waited for no load, of those that asked the cache. */
  hitRate: number;
  /** CPU cores that were busy: with the database, with Larder, with this client; and the machine's, whatever was done. */
  cores: { database: number; larder: number; client: number; machine: number };
}

type Timed = Pick<Answered, 'status' | 'ms'> & { code?: string };

/**
 * People who look at dashboards, each again after a while, and orders that come by themselves: both at random moments (Poisson)
 * that are set beforehand, however long the answers take. A latency counts from the moment that was set, so that a server which
 * makes everybody wait doesn't look quick because nobody asks it any more.
 */
export async function measureLoad(
  url: string,
  shop: Shop,
  databaseCpu: () => Promise<number>,
  { readers, looksPerSecond, ordersPerSecond, seconds }: Load,
): Promise<LoadFigures> {
  const before = await used(url, databaseCpu);
  const started = performance.now();
  const end = started + seconds * 1000;
  const [looks, orders] = await Promise.all([
    Promise.all(
      Array.from({ length: readers }, () =>
        inTurn(moments(looksPerSecond / readers, started, end), end, () => look(url, shop, pick(READ_MIX))),
      ),
    ),
    atOnce(moments(ordersPerSecond, started, end), () => order(url, shop)),
  ]);
  const lasted = (performance.now() - started) / 1000;
  const after = await used(url, databaseCpu);
  const perSecond = (of: (counted: Used) => number): number => (of(after) - of(before)) / lasted;
  const asked = perSecond(({ larder }) => larder.cacheReads);
  return {
    looks: answers(looks.flat(), seconds),
    orders: answers(orders, seconds),
    readStatements: perSecond(({ larder }) => larder.readStatements),
    loads: perSecond(({ larder }) => larder.loads),
    loadSeconds: perSecond(({ larder }) => larder.loadSeconds),
    hitRate: asked > 0 ? perSecond(({ larder }) => larder.cacheHits) / asked : Number.NaN,
    cores: {
      database: perSecond(({ database }) => database),
      larder: perSecond(({ larder }) => larder.cpuSeconds),
      client: perSecond(({ client }) => client),
      machine: perSecond(({ machine }) => machine),
    },
  };
}

interface Used {
  larder: LarderCounters;
  database: number;
  client: number;
  machine: number;
}

async function used(url: string, databaseCpu: () => Promise<number>): Promise<Used> {
  const larder = await larderCounters(url);
  const database = await databaseCpu();
  const { user, system } = process.cpuUsage();
  const machine = cpus().reduce((sum, { times }) => sum + times.user + times.sys + times.nice + times.irq, 0) / 1000;
  return { larder, database, client: (user + system) / 1e6, machine };
}

/** When each is due: so many a second, at random. */
function* moments(perSecond: number, started: number, end: number): Generator<number> {
  const next = () => (-Math.log(1 - Math.random()) * 1000) / perSecond;
  if (perSecond === 0) return;
  for (let due = started + next(); due < end; due += next()) yield due;
}

/** One after the other: who still waits when the next is due is late for it; a second after the end, too late. */
async function inTurn(due: Iterable<number>, end: number, act: () => Promise<Answered>): Promise<Timed[]> {
  const done: Timed[] = [];
  for (const moment of due) {
    if (performance.now() > end + 1000) {
      done.push({ status: 0, ms: performance.now() - moment, code: 'never asked' });
      continue;
    }
    await until(moment);
    const late = performance.now() - moment;
    done.push(timed(await act(), late));
  }
  return done;
}

async function atOnce(due: Iterable<number>, act: () => Promise<Answered>): Promise<Timed[]> {
  const running: Promise<Timed>[] = [];
  for (const moment of due) {
    await until(moment);
    const late = performance.now() - moment;
    running.push(act().then((answer) => timed(answer, late)));
  }
  return Promise.all(running);
}

function timed({ status, ms, body }: Answered, late: number): Timed {
  if (status >= 200 && status < 300) return { status, ms: ms + late };
  const code = /"code":"(\w+)"/.exec(body)?.[1] ?? 'no answer';
  return { status, ms: ms + late, code: `${status} ${code}` };
}

async function until(due: number): Promise<void> {
  const ms = due - performance.now();
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
}

function answers(all: Timed[], seconds: number): Answers {
  const sorted = all.map(({ ms }) => ms).sort((a, b) => a - b);
  const failed = new Map<string, number>();
  for (const { code } of all) if (code !== undefined) failed.set(code, (failed.get(code) ?? 0) + 1);
  const count = [...failed.values()].reduce((sum, n) => sum + n, 0);
  return { perSecond: (all.length - count) / seconds, p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), failed };
}

export function quantile(sorted: number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
