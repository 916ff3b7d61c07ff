import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for what has to come true, and says what did not. */
export async function until(condition: () => boolean | Promise<boolean>, withinMs = 40_000): Promise<void> {
  const end = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`Not true within ${withinMs} ms: ${condition.toString()}`);
    await sleep(5);
  }
}
