/**
 * What a read may wait for Redis in all, however many commands it takes; a command goes on after nobody waits for it. Time in
 * which this process was busy is not taken off: when a thousand ask at once, Redis has answered long before that is read.
 */
export class TimeBudget {
  constructor(private leftMs: number) {}

  /** Undefined when the time is up, and from then on. */
  async spend<T>(ask: () => Promise<T | undefined>): Promise<T | undefined> {
    if (this.leftMs <= 0) return undefined;
    const { idle } = performance.eventLoopUtilization();
    let timer: NodeJS.Timeout | undefined;
    const up = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => setImmediate(resolve, undefined), this.leftMs).unref();
    });
    const answer = await Promise.race([ask(), up]);
    clearTimeout(timer);
    this.leftMs = answer === undefined ? 0 : this.leftMs - (performance.eventLoopUtilization().idle - idle);
    return answer;
  }
}
