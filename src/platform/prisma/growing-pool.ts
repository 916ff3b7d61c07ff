import pg from 'pg';

/** What the library hands a connection to. */
interface Waiter {
  callback(error: Error | undefined, client?: pg.PoolClient, release?: () => void): void;
  timedOut?: boolean;
}

/** What pg-pool has under these names and does not declare. The tests of this class tell when it has no more. */
interface PoolInternals {
  _pendingQueue: Waiter[];
  newClient(waiter: Waiter): void;
}

/** A server that opens all at once has the first one ready as late as the last. */
const OPENED_AT_ONCE = 4;

/**
 * A pool where nobody waits for the connection that was opened for him: whichever is free first is his. The library ties the
 * two together, so that on a busy machine, where a connection took a second to open, requests failed beside idle connections.
 */
export class GrowingPool extends pg.Pool {
  private opening = 0;

  constructor(options: pg.PoolConfig) {
    super(options);
    this.on('remove', () => this.grow());
  }

  override connect(): Promise<pg.PoolClient>;
  override connect(callback: Parameters<pg.Pool['connect']>[0]): void;
  override connect(callback?: Parameters<pg.Pool['connect']>[0]): Promise<pg.PoolClient> | void {
    const connected = callback ? super.connect(callback) : super.connect();
    this.grow();
    return connected;
  }

  /** To the library it always is: then it opens nothing by itself, and whoever comes waits in its queue, with its timeout. */
  protected _isFull(): boolean {
    return true;
  }

  private get internals(): PoolInternals {
    return this as unknown as PoolInternals;
  }

  private grow(): void {
    while (
      !this.ending &&
      this.opening < OPENED_AT_ONCE &&
      this.totalCount < this.options.max &&
      this.waitingCount > this.idleCount + this.opening
    ) {
      const first = this.internals._pendingQueue[this.idleCount + this.opening];
      this.opening += 1;
      this.internals.newClient({ callback: (error, _client, release) => this.opened(first, error, release) });
    }
  }

  /** That it could not be opened is told to him who made it necessary, if he still waits. */
  private opened(first: Waiter | undefined, error?: Error, release?: () => void): void {
    this.opening -= 1;
    const queue = this.internals._pendingQueue;
    const place = first ? queue.indexOf(first) : -1;
    if (!error) release?.();
    else if (place >= 0) queue.splice(place, 1)[0]?.callback(error);
    this.grow();
  }
}
