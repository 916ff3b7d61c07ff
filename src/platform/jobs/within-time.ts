import { JobTimeoutError } from './job-failure.js';

/**
 * A handler that hangs must not hold its place for ever. What it does all the same, later, is one reason why effects have to
 * be committed once.
 * @throws JobTimeoutError
 */
export async function withinTime(
  timeoutMs: number,
  stop: AbortSignal,
  run: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const timeout = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const error = new JobTimeoutError(`Not done within ${timeoutMs} ms`);
      timeout.abort(error);
      reject(error);
    }, timeoutMs).unref();
  });
  try {
    await Promise.race([run(AbortSignal.any([stop, timeout.signal])), late]);
  } finally {
    clearTimeout(timer);
  }
}
