const FAILURES_IN_A_ROW = 3;

/** Open: nobody asks. It opens after three failures in a row, or when told to; only a probe closes it. */
export class CircuitBreaker {
  private failures = 0;
  private isOpen = true;

  get open(): boolean {
    return this.isOpen;
  }

  succeeded(): void {
    this.failures = 0;
  }

  /** True when this failure has opened it. */
  failed(): boolean {
    this.failures += 1;
    return this.failures >= FAILURES_IN_A_ROW && this.trip();
  }

  /** True when it was closed. */
  trip(): boolean {
    const wasClosed = !this.isOpen;
    this.isOpen = true;
    return wasClosed;
  }

  close(): void {
    this.failures = 0;
    this.isOpen = false;
  }
}
