import { isStartedByNpm } from '../config/config.js';

const LOOK_EVERY_MS = 250;

/**
 * npm passes SIGTERM to the shell that it runs scripts in, and the shell dies of it without telling anybody: a Larder started
 * by `npm start` would serve on, unseen. So it stops when that shell is gone.
 */
export function onNpmGone(stop: () => void): void {
  if (!isStartedByNpm()) return;
  const shell = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(timer);
    stop();
  }, LOOK_EVERY_MS).unref();
}
