import { chmod, lstat, mkdir } from 'node:fs/promises';
import { EmbeddedDatabaseError } from './embedded-postgres.errors.js';

/** Where Larder run as root keeps what the user of PostgreSQL must reach when it can't enter the data directory. */
export const ROOT_HOME = '/var/lib/larder';

export async function ensureRootHome(): Promise<void> {
  // Whatever root's umask is, the user of PostgreSQL must pass through.
  if (await mkdir(ROOT_HOME, { recursive: true })) await chmod(ROOT_HOME, 0o755);
  await requireRootOwned(ROOT_HOME);
}

/** Guards against a directory that someone else has put there to have root run or trust what is in it. */
export async function requireRootOwned(path: string): Promise<void> {
  const found = await lstat(path);
  if (found.isDirectory() && found.uid === 0 && (found.mode & 0o022) === 0) return;
  throw new EmbeddedDatabaseError(`${path} must be a directory that belongs to root and that nobody else may write.`);
}
