import { readdir, readFile } from 'node:fs/promises';
import pg from 'pg';

const TICKS_PER_SECOND = 100;

/** CPU seconds of a PostgreSQL server with all its processes, those that have ended included; of one on this machine (Linux). */
export async function databaseCpu(client: pg.Client): Promise<() => Promise<number>> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const server = (await statOf(rows[0]?.pid ?? 0)).parent;
  return async () => {
    const all = await Promise.all(
      (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map((pid) => statOf(Number(pid))),
    );
    const own = await statOf(server);
    const ticks = all.filter(({ parent }) => parent === server).reduce((sum, child) => sum + child.ticks, 0);
    return (ticks + own.ticks + own.ofEndedChildren) / TICKS_PER_SECOND;
  };
}

async function statOf(pid: number): Promise<{ parent: number; ticks: number; ofEndedChildren: number }> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name of the program, which may have anything in it, is in brackets before these.
  const [, parent, ...rest] = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = rest.slice(9, 13);
  return { parent: parent ?? 0, ticks: user + system, ofEndedChildren: endedUser + endedSystem };
}
