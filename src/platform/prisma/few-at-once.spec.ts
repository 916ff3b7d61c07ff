import { expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { FewAtOnce } from './few-at-once.js';

it('runs so many at once, the others in the order in which they came, after one that failed too', async () => {
  const few = new FewAtOnce(2, 10_000);
  const begun: number[] = [];
  let running = 0;
  let most = 0;
  const work = async (number: number): Promise<number> => {
    begun.push(number);
    most = Math.max(most, (running += 1));
    await sleep(1);
    running -= 1;
    if (number === 3) throw new Error('refused');
    return number;
  };
  const ends = await Promise.allSettled(Array.from({ length: 20 }, (_, number) => few.run(() => work(number))));
  expect(ends.filter(({ status }) => status === 'rejected')).toHaveLength(1);
  expect(begun).toEqual(Array.from({ length: 20 }, (_, number) => number));
  expect(most).toBe(2);
});

it('lets who has waited too long leave, and his turn be the next one’s', async () => {
  const few = new FewAtOnce(1, 20);
  const gate = Promise.withResolvers<void>();
  const first = few.run(() => gate.promise);
  await expect(few.run(() => Promise.resolve('never'))).rejects.toMatchObject({ code: 'DATABASE_BUSY' });
  const next = few.run(() => Promise.resolve('next'));
  gate.resolve();
  await first;
  expect(await next).toBe('next');
});
