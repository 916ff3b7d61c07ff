import { Injectable } from '@nestjs/common';
import type { Tag } from './tags.js';

const MOST_TAGS = 10_000;

/**
 * Which tag was invalidated when, in this process, on a clock that only counts invalidations. Who remembers now() from before
 * reading asks isCurrent() afterwards: whatever was invalidated meanwhile makes it false.
 */
@Injectable()
export class Epochs {
  private clock = 0;
  /** What is not in the table was invalidated then, at the latest. */
  private floor = 0;
  private readonly invalidated = new Map<string, number>();

  now(): number {
    return this.clock;
  }

  isCurrent(store: string, tags: readonly Tag[], since: number): boolean {
    return tags.every((tag) => (this.invalidated.get(`${store} ${tag}`) ?? this.floor) <= since);
  }

  invalidate(store: string, tag: Tag): void {
    const key = `${store} ${tag}`;
    // The table is in the order of the clock, so that its first row is the oldest.
    this.invalidated.delete(key);
    this.invalidated.set(key, ++this.clock);
    if (this.invalidated.size <= MOST_TAGS) return;
    const [oldest] = this.invalidated;
    if (!oldest) return;
    this.invalidated.delete(oldest[0]);
    this.floor = Math.max(this.floor, oldest[1]);
  }

  /** Everything from before is doubtful: news may have been missed. */
  invalidateAll(): void {
    this.floor = ++this.clock;
    this.invalidated.clear();
  }
}
