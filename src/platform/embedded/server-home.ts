import { createHash, randomBytes } from 'node:crypto';
import { chmod, link, mkdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddedDatabaseError } from './embedded-postgres.errors.js';
import { ensureRootHome, requireRootOwned, ROOT_HOME } from './root-home.js';
import { runBinary, type ServerAccount } from './run-binary.js';

/**
 * The directory with everything of the server: cluster, log, passwords, lock. It lies in the data directory unless the
 * server's user can't go there; then it lies under ROOT_HOME, and the file `postgres-home` in the data directory says
 * where. (A file and not a hash alone, so that a data directory that is moved keeps its data, and one that is deleted
 * and made again doesn't find another's.)
 */
export async function serverHome(
  dataDir: string,
  account: ServerAccount | undefined,
  log: (line: string) => void,
): Promise<string> {
  const pointer = join(dataDir, 'postgres-home');
  const elsewhere = await readPointer(pointer);
  if (elsewhere) return elsewhere;

  const inside = join(dataDir, 'postgres');
  // 0711: the server's user passes through to its cluster; everything secret beside it is 0600.
  await mkdir(inside, { recursive: true, mode: account ? 0o711 : 0o700 });
  if (!account) return inside;
  await chmod(inside, 0o711);
  if (await canEnter(inside, account)) return inside;

  await rmdir(inside).catch(() => undefined);
  const home = await pointTo(pointer, await createRootHome(dataDir));
  log(`The user of PostgreSQL can't enter ${dataDir}: its data are in ${home}`);
  return home;
}

async function readPointer(pointer: string): Promise<string | undefined> {
  const target = await readFile(pointer, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (target === undefined) return undefined;
  const home = target.trim();
  await requireRootOwned(home).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new EmbeddedDatabaseError(`${pointer} says that the data are in ${home}, but there is no such directory.`);
  });
  return home;
}

async function canEnter(directory: string, account: ServerAccount): Promise<boolean> {
  const { code } = await runBinary('/bin/sh', ['-c', 'cd "$1"', 'sh', directory], { account, cwd: '/' });
  return code === 0;
}

async function createRootHome(dataDir: string): Promise<string> {
  await ensureRootHome();
  const named = join(ROOT_HOME, createHash('sha256').update(dataDir).digest('hex').slice(0, 12));
  for (const home of [named, `${named}-${randomBytes(4).toString('hex')}`]) {
    try {
      await mkdir(home, { mode: 0o711 });
      await chmod(home, 0o711);
      return home;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  throw new EmbeddedDatabaseError(`No directory for the data could be made under ${ROOT_HOME}.`);
}

/** Of two first starts at once, one's directory becomes the home of both. */
async function pointTo(pointer: string, home: string): Promise<string> {
  const aside = `${pointer}.new-${randomBytes(8).toString('hex')}`;
  await writeFile(aside, `${home}\n`, { mode: 0o644, flag: 'wx' });
  try {
    await link(aside, pointer);
    return home;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    await rmdir(home);
    return (await readPointer(pointer)) ?? home;
  } finally {
    await rm(aside, { force: true });
  }
}
