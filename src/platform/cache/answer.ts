import { createHash } from 'node:crypto';

/** What a cached method returns: JSON text, written once however often it is sent, and when its figures were read. */
export class Answer<T = unknown> {
  private constructor(
    readonly json: string,
    /** Weak: the same figures have the same one, whenever they were read. */
    readonly etag: string,
    /** Ms since 1970: the figures are of this moment or later. */
    readonly generatedAt: number,
  ) {}

  static of<T>(value: T): Answer<T> {
    return Answer.ofJson<T>(JSON.stringify(value ?? null));
  }

  /** Of JSON that somebody else wrote: the database. */
  static ofJson<T>(json: string): Answer<T> {
    const hash = createHash('sha256').update(json).digest('base64url').slice(0, 22);
    return new Answer<T>(json, `W/"${hash}"`, Date.now());
  }

  static restored<T>(json: string, etag: string, generatedAt: number): Answer<T> {
    return new Answer<T>(json, etag, generatedAt);
  }

  /** A copy of the caller's own, as JSON has it: a Date is a string. */
  get value(): T {
    return JSON.parse(this.json) as T;
  }

  get ageMs(): number {
    return Math.max(0, Date.now() - this.generatedAt);
  }
}
