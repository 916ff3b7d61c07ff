import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { StormLimiter } from './storm-limiter.js';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** 200 changes a second; each that is applied makes reading take so long. How many were applied, a second. */
function applied(storms: StormLimiter, seconds: number, readingMs: number): number {
  let count = 0;
  const apply = (): void => {
    count += 1;
    storms.read(readingMs);
  };
  for (let change = 0; change < seconds * 200; change += 1) {
    if (storms.admit('store orders', apply)) apply();
    jest.advanceTimersByTime(5);
  }
  return count / seconds;
}

it('Changes of a storm are applied twice a second', () => {
  const storms = new StormLimiter();
  applied(storms, 10, 50);
  expect(applied(storms, 60, 50)).toBeCloseTo(2, 1);
});

it('and more seldom where each costs a second of reading, so that reading takes a third of the time', () => {
  const storms = new StormLimiter();
  applied(storms, 60, 1000);
  expect(applied(storms, 60, 1000)).toBeCloseTo(1 / 3, 1);
});

it('but each five seconds, whatever reading costs', () => {
  const storms = new StormLimiter();
  applied(storms, 60, 60_000);
  expect(applied(storms, 60, 60_000)).toBeCloseTo(1 / 5, 1);
});

it('twice a second again when reading is quick again', () => {
  const storms = new StormLimiter();
  applied(storms, 60, 60_000);
  applied(storms, 20, 50);
  expect(applied(storms, 60, 50)).toBeCloseTo(2, 1);
});
