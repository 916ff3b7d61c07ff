import { LRUCache } from 'lru-cache';

interface Bucket {
  tokens: number;
  filledAt: number;
  waiting?: { timer: NodeJS.Timeout; later: () => void };
}

const BURST = 20;
const PER_SECOND = 2;
const MERGED_AFTER_MS = 500;
const MOST_BUCKETS = 10_000;

/**
 * A person's change is applied at once. When changes of the same thing come in a storm, after 20 of them they are merged into
 * two a second, so that 200 orders a second cause two reloads and not 200.
 */
export class StormLimiter {
  private readonly buckets = new LRUCache<string, Bucket>({
    max: MOST_BUCKETS,
    dispose: (bucket) => applyWaiting(bucket),
  });

  /** True: apply it now. False: `later` is called for it and those that come until then, in half a second at most. */
  admit(key: string, later: () => void): boolean {
    const bucket = this.filled(key);
    if (bucket.waiting) return false;
    bucket.tokens -= 1;
    if (bucket.tokens >= 0) return true;
    bucket.waiting = { timer: setTimeout(() => applyWaiting(bucket), MERGED_AFTER_MS).unref(), later };
    return false;
  }

  /** Applies what waits: at the end of the process. */
  flush(): void {
    for (const bucket of this.buckets.values()) applyWaiting(bucket);
  }

  private filled(key: string): Bucket {
    const now = performance.now();
    const known = this.buckets.get(key);
    if (!known) {
      const bucket = { tokens: BURST, filledAt: now };
      this.buckets.set(key, bucket);
      return bucket;
    }
    known.tokens = Math.min(BURST, known.tokens + ((now - known.filledAt) / 1000) * PER_SECOND);
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
