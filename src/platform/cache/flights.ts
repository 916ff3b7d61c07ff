import { failure } from '../../common/exceptions/failure.js';

/** A load that hangs for so long is given up, so that the next call begins anew. */
const LONGEST_FLIGHT_MS = 30_000;
const MOST_AT_ONCE = 2;

interface Flight<T> {
  /** Epochs.now() from before it began. */
  since: number;
  landing: Promise<T>;
}

interface Lane<T> {
  flying: Flight<T>[];
  next?: Promise<T>;
}

/**
 * Single-flight: who asks while the same is being read waits for that. Unless it was invalidated meanwhile: then the flight under
 * way is too old, and a second one begins. Two of a key at once, and one that waits for them, whatever comes.
 */
export class Flights<T> {
  private readonly lanes = new Map<string, Lane<T>>();

  /**
   * @param isCurrent whether what was begun at that epoch still counts
   * @param begin reads; called now, later, or never
   */
  join(
    key: string,
    now: () => number,
    isCurrent: (since: number) => boolean,
    begin: (since: number) => Promise<T>,
  ): { landing: Promise<T>; joined: boolean } {
    const lane = this.lanes.get(key) ?? { flying: [] };
    this.lanes.set(key, lane);
    const latest = lane.flying.at(-1);
    if (latest && isCurrent(latest.since)) return { landing: latest.landing, joined: true };
    const start = (): Promise<T> => this.start(key, lane, now(), begin);
    if (lane.flying.length < MOST_AT_ONCE) return { landing: start(), joined: false };
    if (lane.next) return { landing: lane.next, joined: true };
    lane.next = Promise.race(lane.flying.map(({ landing }) => landing.catch(() => undefined))).then(() => {
      lane.next = undefined;
      return start();
    });
    return { landing: lane.next, joined: false };
  }

  private start(key: string, lane: Lane<T>, since: number, begin: (since: number) => Promise<T>): Promise<T> {
    const landing = within(LONGEST_FLIGHT_MS, begin(since)).finally(() => {
      lane.flying = lane.flying.filter((flight) => flight !== mine);
      if (lane.flying.length === 0 && !lane.next) this.lanes.delete(key);
    });
    const mine = { since, landing };
    lane.flying.push(mine);
    return landing;
  }
}

/** Leaves at its own time; what it has waited for goes on for the others. @throws CACHE_LOAD_TIMEOUT */
export async function within<T>(ms: number, landing: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(failure('CACHE_LOAD_TIMEOUT')), ms).unref();
  });
  try {
    return await Promise.race([landing, late]);
  } finally {
    clearTimeout(timer);
  }
}
