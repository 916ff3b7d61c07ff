import { LRUCache } from 'lru-cache';

interface Bucket {
  tokens: number;
  filledAt: number;
  waiting?: { timer: NodeJS.Timeout; later: () => void };
}

const BURST = 20;
/** Of a storm, one invalidation is applied in so long, */
const LEAST_PAUSE_MS = 500;
/** or more seldom, where reading anew what they take away would keep the database busy for more than this share of the time. */
const MOST_READING = 1 / 3;
const MOST_PAUSE_MS = 5000;
const MOST_BUCKETS = 10_000;

/**
 * A person's change is applied at once. When changes of the same thing come in a storm, after 20 of them they are merged into
 * two a second, so that 200 orders a second cause two reloads and not 200; into fewer while reloads take long.
 */
export class StormLimiter {
  private readonly buckets = new LRUCache<string, Bucket>({
    max: MOST_BUCKETS,
    dispose: (bucket) => applyWaiting(bucket),
  });
  private pauseMs = LEAST_PAUSE_MS;
  /** What reading has taken since pauseMs was set. */
  private readingMs = 0;
  private setAt = performance.now();

  /** True: apply it now. False: `later` is called for it and those that come until then, after the pause of now. */
  admit(key: string, later: () => void): boolean {
    this.setPause();
    const bucket = this.filled(key);
    if (bucket.waiting) return false;
    bucket.tokens -= 1;
    if (bucket.tokens >= 0) return true;
    bucket.waiting = { timer: setTimeout(() => applyWaiting(bucket), this.pauseMs).unref(), later };
    return false;
  }

  /** A read took so long. */
  read(ms: number): void {
    this.readingMs += ms;
  }

  /** Applies what waits: at the end of the process. */
  flush(): void {
    for (const bucket of this.buckets.values()) applyWaiting(bucket);
  }

  private setPause(): void {
    const now = performance.now();
    const lasted = now - this.setAt;
    if (lasted < this.pauseMs) return;
    const wanted = (this.pauseMs * this.readingMs) / lasted / MOST_READING;
    this.pauseMs = Math.min(MOST_PAUSE_MS, Math.max(LEAST_PAUSE_MS, wanted));
    this.readingMs = 0;
    this.setAt = now;
  }

  private filled(key: string): Bucket {
    const now = performance.now();
    const known = this.buckets.get(key);
    if (!known) {
      const bucket = { tokens: BURST, filledAt: now };
      this.buckets.set(key, bucket);
      return bucket;
    }
    known.tokens = Math.min(BURST, known.tokens + (now - known.filledAt) / this.pauseMs);
    known.filledAt = now;
    return known;
  }
}

function applyWaiting(bucket: Bucket): void {
  const { waiting } = bucket;
  if (!waiting) return;
  clearTimeout(waiting.timer);
  bucket.waiting = undefined;
  waiting.later();
}
