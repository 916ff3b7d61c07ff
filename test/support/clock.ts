import { jest } from '@jest/globals';

/** Nothing that waits, or measures how long something takes. */
const AS_THEY_ARE = [
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'setImmediate',
  'clearImmediate',
  'setInterval',
  'clearInterval',
  'setTimeout',
  'clearTimeout',
] as const;

/** Runs something when this process takes it to be so much later, to the millisecond; the database knows what time it is. */
export async function later<T>(ms: number, run: () => Promise<T>): Promise<T> {
  jest.useFakeTimers({ now: Date.now() + ms, doNotFake: [...AS_THEY_ARE] });
  try {
    return await run();
  } finally {
    jest.useRealTimers();
  }
}
