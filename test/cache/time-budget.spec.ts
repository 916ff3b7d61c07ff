import { describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { TimeBudget } from '../../src/platform/cache/time-budget.js';

describe('The time that a read may wait for Redis', () => {
  it('is that of all its commands together', async () => {
    const budget = new TimeBudget(200);
    expect(await budget.spend(() => sleep(150, 'in time'))).toBe('in time');
    expect(await budget.spend(() => sleep(1000, 'alone it would be'))).toBeUndefined();
    expect(await budget.spend(() => Promise.resolve('at once'))).toBeUndefined();
  });

  it('does not pass while the process itself is busy', async () => {
    const budget = new TimeBudget(50);
    const busy = async (): Promise<string> => {
      await sleep(1);
      for (const end = performance.now() + 200; performance.now() < end;);
      return 'answered';
    };
    expect(await budget.spend(busy)).toBe('answered');
    expect(await budget.spend(() => sleep(1, 'answered too'))).toBe('answered too');
  });
});
