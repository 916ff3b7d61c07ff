export class RedisTimeoutError extends Error {}

/**
 * The answer, or after ms RedisTimeoutError; the command itself can't be called back. When the time is up, what has arrived
 * meanwhile is read first: a process that was busy itself must not take Redis for slow.
 */
export async function answerWithin<T>(answer: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const giveUp = (): void => reject(new RedisTimeoutError(`No answer within ${ms} ms`));
    timer = setTimeout(() => setImmediate(giveUp), ms).unref();
  });
  // Whoever loses the race may fail later, unheard.
  late.catch(() => undefined);
  answer.catch(() => undefined);
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
