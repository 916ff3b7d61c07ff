import { failure } from '../../common/exceptions/failure.js';

const MOST_WAITING = 1000;

/** So many at once. Who comes then has to wait for his turn, and leaves when it does not come in time. */
export class FewAtOnce {
  private running = 0;
  private readonly waiting = new Set<() => void>();

  constructor(
    private readonly most: number,
    private readonly waitMs: number,
  ) {}

  /** @throws DATABASE_BUSY */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.running < this.most) this.running += 1;
    else await this.turn();
    try {
      return await work();
    } finally {
      this.handOn();
    }
  }

  private turn(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.waiting.size >= MOST_WAITING) return reject(failure('DATABASE_BUSY'));
      const begin = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.waiting.delete(begin);
        reject(failure('DATABASE_BUSY'));
      }, this.waitMs).unref();
      this.waiting.add(begin);
    });
  }

  private handOn(): void {
    const [next] = this.waiting;
    if (!next) {
      this.running -= 1;
      return;
    }
    this.waiting.delete(next);
    next();
  }
}
