import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../../platform/prisma/database.js';
import {
  acrossStoresEnded,
  acrossStoresHorizon,
  type DayToFoldRow,
  daysToFold,
  foldDays,
  type HorizonRow,
} from './fold-days.queries.js';

type Statement = Parameters<Database['query']>[0];

/** What days are folded over: the pool of an instance, or the one connection of a command. */
export interface FoldConnection {
  query<Row extends object>(statement: Statement): Promise<Row[]>;
  /** A transaction of its own, REPEATABLE READ; again when another one was in the way. */
  inOneSnapshot(statement: Statement): Promise<void>;
}

export interface Folded {
  days: number;
  /** Nothing is left to fold. */
  done: boolean;
}

/** One after the other they are asked for anew. */
const MOST_DAYS = 1000;
/** Of one transaction: for so long a change of the same days waits at most, and a third of what a statement may take. */
const AIM_MS = 500;
const MOST_AT_ONCE = 31;
const WAIT_MS = 10_000;
const LOOK_EVERY_MS = 50;

/**
 * The moment up to which days may be folded, by the database's clock: who had begun to write by then has ended, so what is not
 * marked is seen. Undefined when somebody takes longer than ten seconds.
 */
export async function settledMoment(over: FoldConnection, isStopped: () => boolean): Promise<string | undefined> {
  const [begun] = await over.query<HorizonRow>(acrossStoresHorizon());
  for (const started = performance.now(); begun && performance.now() - started < WAIT_MS && !isStopped();) {
    const [row] = await over.query<{ past: boolean }>(acrossStoresEnded(begun.horizon));
    if (row?.past) return begun.at;
    await sleep(LOOK_EVERY_MS, undefined, { ref: false });
  }
  return undefined;
}

/**
 * Adds up what is to be added up of the current store, the latest months first, as many at once as there are connections. Each
 * transaction takes as many days as half a second is enough for.
 * @param moment of settledMoment()
 */
export async function foldStore(
  connections: FoldConnection[],
  moment: string,
  isStopped: () => boolean,
): Promise<Folded> {
  for (let folded = 0; ;) {
    const rows = (await connections[0]?.query<DayToFoldRow>(daysToFold(moment, MOST_DAYS))) ?? [];
    const days = await foldMonths(connections, Map.groupBy(rows, ({ day }) => day.slice(0, 7)).values(), isStopped);
    folded += days;
    if (days < rows.length) return { days: folded, done: false };
    if (rows.length < MOST_DAYS) return { days: folded, done: true };
  }
}

/** Answers with how many days were folded. */
async function foldMonths(
  connections: FoldConnection[],
  months: Iterator<DayToFoldRow[]> & Iterable<DayToFoldRow[]>,
  isStopped: () => boolean,
): Promise<number> {
  let folded = 0;
  const work = async (over: FoldConnection): Promise<void> => {
    let atOnce = 1;
    for (const month of months) {
      for (let next = 0; next < month.length;) {
        if (isStopped()) return;
        const days = month.slice(next, next + atOnce).map(({ day }) => day);
        const started = performance.now();
        await over.inOneSnapshot(foldDays(days));
        next += days.length;
        folded += days.length;
        const eachMs = (performance.now() - started) / days.length;
        atOnce = Math.max(1, Math.min(MOST_AT_ONCE, Math.floor(AIM_MS / eachMs)));
      }
    }
  };
  const ends = await Promise.allSettled(connections.map(work));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed) throw failed.reason;
  return folded;
}
