/** Larder as it was before windows, coupons, taxes and cards: built from the history, with the libraries of today. */
import { execFile } from 'node:child_process';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './processes.ts';

/** The last commit of those days. */
const COMMIT = '029fada';
const run = promisify(execFile);

/** The folder it is built in; undefined where the history isn't there, as in a shallow clone. */
export async function buildLarderBefore(folder: string): Promise<string | undefined> {
  const root = join(folder, 'larder-before');
  const archive = `${root}.tar`;
  try {
    await run('git', ['archive', '--output', archive, COMMIT], { cwd: ROOT });
  } catch {
    return undefined;
  }
  await mkdir(root);
  await run('tar', ['-xf', archive, '-C', root]);
  await symlink(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  await run('npm', ['run', 'build'], { cwd: root });
  return root;
}
