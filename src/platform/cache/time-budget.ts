/** What a read may wait for Redis in all, however many commands it takes; a command goes on after nobody waits for it. */
export class TimeBudget {
  constructor(private leftMs: number) {}

  /** Undefined when the time is up. */
  async spend<T>(ask: () => Promise<T | undefined>): Promise<T | undefined> {
    if (this.leftMs <= 0) return undefined;
    const started = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const up = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => setImmediate(resolve, undefined), this.leftMs).unref();
    });
    const answer = await Promise.race([ask(), up]);
    clearTimeout(timer);
    this.leftMs -= performance.now() - started;
    return answer;
  }
}
