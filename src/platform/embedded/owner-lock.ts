import { randomUUID } from 'node:crypto';
import { link, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isSameProcess, processStart } from './process-identity.js';

interface Owner {
  pid: number;
  /** As processStart tells it: the same id with another start is another process. */
  start: string | undefined;
  /** One per taking, so that two takings by one process differ. */
  token: string;
}

export interface OwnerLock {
  release(): Promise<void>;
}

export class LockHeldError extends Error {
  readonly ownerPid: number;

  constructor(ownerPid: number) {
    super(`held by process ${ownerPid}`);
    this.ownerPid = ownerPid;
  }
}

/** Takers that died in the middle of replacing a dead owner's lock, one after the other; more is not a coincidence. */
const MAX_DEAD_TAKERS = 8;
const MAX_ROUNDS = 50;
/** Without hard links a lock file is for a moment empty; one that stays so was left by a crash of the machine. */
const UNREADABLE_MS = 2_000;
const LEFTOVER_MS = 60_000;

/**
 * Takes the lock file for this process, at once or not at all (LockHeldError). A dead owner's lock is taken over.
 *
 * The file appears complete (written aside, then linked), and there is one way to replace a dead owner's: hold the
 * lock file named after that owner's token, see that the dead owner still stands in the file, rename over it. Of any
 * number of simultaneous takers, so, one wins, wherever the others were delayed.
 */
export async function takeOwnerLock(path: string): Promise<OwnerLock> {
  const owner: Owner = { pid: process.pid, start: await processStart(process.pid), token: randomUUID() };
  await take(path, owner, 0);
  await removeLeftovers(path);
  return {
    async release() {
      if (await standsIn(path, owner.token)) await rm(path, { force: true });
    },
  };
}

async function take(path: string, owner: Owner, depth: number): Promise<void> {
  if (depth > MAX_DEAD_TAKERS) throw new Error(`Too many abandoned lock files beside ${path}`);
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    if (await createLock(path, owner)) return;
    const holder = await readOwner(path);
    if (holder === undefined) continue;
    if (holder === 'being written') {
      await sleep(100);
      continue;
    }
    if (await isSameProcess(holder.pid, holder.start)) throw new LockHeldError(holder.pid);

    const succession = `${path}.${holder.token}`;
    await take(succession, owner, depth + 1);
    try {
      if (await standsIn(path, holder.token)) {
        const aside = await writeAside(path, owner);
        await rename(aside, path);
        return;
      }
    } finally {
      await rm(succession, { force: true });
    }
  }
  throw new Error(`The lock file ${path} keeps changing hands`);
}

async function createLock(path: string, owner: Owner): Promise<boolean> {
  const aside = await writeAside(path, owner);
  try {
    await link(aside, path).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') throw error;
      // A file system without hard links.
      await writeFile(path, JSON.stringify(owner), { mode: 0o644, flag: 'wx' });
    });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

async function writeAside(path: string, owner: Owner): Promise<string> {
  const aside = `${path}.new-${randomUUID()}`;
  await writeFile(aside, JSON.stringify(owner), { mode: 0o644, flag: 'wx' });
  return aside;
}

async function readOwner(path: string): Promise<Owner | 'being written' | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Owner;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if (!(error instanceof SyntaxError)) throw error;
    const age = await ageMs(path);
    return age < UNREADABLE_MS ? 'being written' : { pid: 0, start: undefined, token: 'unreadable' };
  }
}

async function standsIn(path: string, token: string): Promise<boolean> {
  const owner = await readOwner(path);
  return typeof owner === 'object' && owner.token === token;
}

/** What takers that were killed left beside the lock. Nobody can win by such a file any more once the lock is held. */
async function removeLeftovers(path: string): Promise<void> {
  for (const name of await readdir(dirname(path))) {
    const file = join(dirname(path), name);
    if (name.startsWith(`${basename(path)}.`) && (await ageMs(file)) > LEFTOVER_MS) await rm(file, { force: true });
  }
}

async function ageMs(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return found ? Date.now() - found.mtimeMs : 0;
}
