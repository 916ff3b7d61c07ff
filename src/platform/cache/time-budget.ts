/**
 * What a read may wait for Redis in all, however many commands it takes. With less than half of it left none is begun: it would
 * only fail for lack of time, and be counted against Redis.
 */
export class TimeBudget {
  private leftMs: number;

  constructor(private readonly totalMs: number) {
    this.leftMs = totalMs;
  }

  /** Undefined when too little is left. */
  async spend<T>(ask: (ms: number) => Promise<T | undefined>): Promise<T | undefined> {
    if (this.leftMs < this.totalMs / 2) return undefined;
    const started = performance.now();
    const answer = await ask(this.leftMs);
    this.leftMs -= performance.now() - started;
    return answer;
  }
}
