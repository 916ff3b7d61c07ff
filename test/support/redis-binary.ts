import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/larder-redis', import.meta.url));
const PLACES = ['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin', '/snap/bin'];
/** Debian's and Ubuntu's server, and what of its libraries a small system lacks. */
const PACKAGES = ['redis-server', 'redis-tools', 'liblzf1', 'libjemalloc2', 'libatomic1'];

/**
 * Sets TEST_REDIS_SERVER, the path of a real redis-server: the one given there, the machine's, or Debian's package unpacked below
 * node_modules, which needs no root and installs nothing.
 */
export async function ensureRedisServer(): Promise<void> {
  process.env.TEST_REDIS_SERVER ??= (await installed()) ?? (await unpacked());
}

/** The libraries that were unpacked beside a server; the machine's own has its own. */
export function librariesOf(server: string): NodeJS.ProcessEnv {
  if (!server.startsWith(CACHE)) return {};
  return { LD_LIBRARY_PATH: process.env.TEST_REDIS_LIBRARIES };
}

async function installed(): Promise<string | undefined> {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), ...PLACES]) {
    const server = join(folder, 'redis-server');
    if (await exists(server)) return server;
  }
  return undefined;
}

async function unpacked(): Promise<string> {
  if (!(await exists(join(CACHE, 'usr/bin/redis-server')))) await unpack();
  const [architecture = ''] = await readdir(join(CACHE, 'usr/lib')).catch(() => []);
  process.env.TEST_REDIS_LIBRARIES = join(CACHE, 'usr/lib', architecture);
  return join(CACHE, 'usr/bin/redis-server');
}

async function unpack(): Promise<void> {
  await mkdir(join(CACHE, '..'), { recursive: true });
  const folder = await mkdtemp(`${CACHE}-`);
  try {
    await download(folder);
    for (const file of await readdir(folder)) await run('dpkg', ['-x', join(folder, file), join(folder, 'root')]);
    await rm(CACHE, { recursive: true, force: true });
    await rename(join(folder, 'root'), CACHE);
  } catch (error) {
    throw new Error('The tests need redis-server 7 or later. Install it, or set TEST_REDIS_SERVER to its path.', {
      cause: error,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A fresh container has no list of packages yet, and root can fetch it. */
async function download(folder: string): Promise<void> {
  const fetch = () => run('apt-get', ['download', '-q', ...PACKAGES], { cwd: folder });
  await fetch().catch(async (error: unknown) => {
    if (process.getuid?.() !== 0) throw error;
    await run('apt-get', ['update', '-q']);
    await fetch();
  });
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
