import { execFile } from 'node:child_process';
import { readFile, readlink } from 'node:fs/promises';
import { basename } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export function isAlive(pid: number): boolean {
  // 0 and below would mean process groups.
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it exists and belongs to someone else.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * When the process started, in whatever form the platform tells it, good only for comparing: a process id alone is
 * given again to another process. Undefined when there is no such process, or the platform doesn't say.
 */
export async function processStart(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') return linuxProcessStart(pid);
  const [command, args] =
    process.platform === 'win32'
      ? ['powershell', ['-NoProfile', '-Command', `(Get-Process -Id ${pid}).StartTime.ToFileTimeUtc()`]]
      : ['ps', ['-o', 'lstart=', '-p', String(pid)]];
  return output(command, args);
}

async function linuxProcessStart(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // Fields after the command's name, which may hold spaces and brackets: the 3rd is the state, the 22nd the start.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
    return `${boot.trim()} ${fields[19]}`;
  } catch {
    return undefined;
  }
}

/** Whether this very process, and not a later one with its id, still runs. `start` as `processStart` gave it. */
export async function isSameProcess(pid: number, start: string | undefined): Promise<boolean> {
  if (!isAlive(pid)) return false;
  const now = await processStart(pid);
  if (process.platform === 'linux') return now !== undefined && now === start;
  return start === undefined || now === undefined || now === start;
}

/**
 * Whether the process is a PostgreSQL server on this cluster. A stale postmaster.pid may name a process that has nothing
 * to do with us, which must not be signalled.
 */
export async function isPostmasterOf(pid: number, clusterDir: string): Promise<boolean> {
  if (!isAlive(pid)) return false;
  if (process.platform === 'linux') {
    try {
      const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0')[0] ?? '';
      // The postmaster's working directory is its data directory.
      return basename(command).startsWith('postgres') && (await readlink(`/proc/${pid}/cwd`)) === clusterDir;
    } catch {
      return false;
    }
  }
  if (process.platform === 'win32') {
    return /postgres/i.test((await output('tasklist', ['/FI', `PID eq ${pid}`, '/NH'])) ?? '');
  }
  const name = (await output('ps', ['-o', 'comm=', '-p', String(pid)])) ?? '';
  if (!basename(name).startsWith('postgres')) return false;
  const files = await output('lsof', ['-a', '-p', String(pid), '-d', 'cwd', '-Fn']);
  return files === undefined || files.split('\n').includes(`n${clusterDir}`);
}

async function output(command: string, args: string[]): Promise<string | undefined> {
  try {
    const { stdout } = await run(command, args, { env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' } });
    return stdout.trim() || undefined;
  } catch {
    return undefined;
  }
}
