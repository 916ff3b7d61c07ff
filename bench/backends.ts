import { readFile } from 'node:fs/promises';
import pg from 'pg';

const TICKS_PER_SECOND = 100;

/** CPU seconds that PostgreSQL has spent on the connections of these names; NaN where the server is on another machine. */
export async function backendCpuSeconds(databaseUrl: string, applications: string): Promise<number> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const { rows } = await client.query<{ pid: number }>(
    'SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE $1',
    [applications],
  );
  await client.end();
  try {
    const seconds = await Promise.all(rows.map(({ pid }) => cpuSecondsOf(pid)));
    return seconds.reduce((sum, one) => sum + one, 0);
  } catch {
    return Number.NaN;
  }
}

async function cpuSecondsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // After the name in brackets, which may have spaces: state is field 3, user and system time are 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
