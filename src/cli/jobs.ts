import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { isId } from '../common/ids.js';
import { whichDatabase } from './which-database.js';

const USAGE = `Looks after background jobs, in the database of DATABASE_URL, else in the embedded one that runs here.

  npm run jobs -- dead [--store <slug>]             lists jobs that used up their attempts, the last to die first
  npm run jobs -- replay <id...>                    gives these all their attempts again
  npm run jobs -- replay --all [--store <slug>]     the same for all of them
  npm run jobs -- check                             adds a job that does nothing, and waits until a worker has done it`;

const LISTED = 100;
const CHECK_FOR_MS = 15_000;

interface DeadRow {
  slug: string;
  store_id: string;
  id: string;
  name: string;
  attempts: number;
  error: string;
  died_at: Date;
}

const DEAD = `
  SELECT s.slug, d.store_id, d.id, d.name, d.attempts, d.error, d.died_at
    FROM dead_jobs d
    JOIN stores s ON s.id = d.store_id`;

async function dead(client: pg.Client, store: string | undefined): Promise<string> {
  const { rows } = await client.query<DeadRow>(
    `${DEAD} WHERE $1::text IS NULL OR s.slug = $1 ORDER BY d.id DESC LIMIT $2`,
    [store, LISTED + 1],
  );
  if (rows.length === 0) return 'No job is dead.';
  const lines = rows
    .slice(0, LISTED)
    .map(
      (row) =>
        `${row.id}  ${row.died_at.toISOString()}  ${row.slug}  ${row.name}  ${row.attempts} attempts  ${row.error}`,
    );
  return [...lines, ...(rows.length > LISTED ? [`and more; these are the last ${LISTED}.`] : [])].join('\n');
}

/** Each in its own transaction: one at a time, so that however many there are, nothing has to wait for all. */
async function replay(client: pg.Client, ids: string[], all: boolean, store: string | undefined): Promise<string> {
  if (all === ids.length > 0) throw new Error('replay: say which ids, or --all');
  const malformed = ids.filter((id) => !isId(id));
  if (malformed.length > 0) throw new Error(`replay: ${malformed.join(', ')} can be no id of a dead job`);
  const { rows } = await client.query<DeadRow>(
    `${DEAD} WHERE ($1::text IS NULL OR s.slug = $1) AND ($2 OR d.id = ANY ($3::uuid[])) ORDER BY d.id`,
    [store, all, ids],
  );
  let replayed = 0;
  for (const { store_id, id } of rows) {
    const result = await client.query<{ done: boolean }>('SELECT replay_dead_job($1, $2) AS done', [store_id, id]);
    if (result.rows[0]?.done) replayed++;
  }
  if (!all && replayed < ids.length) process.exitCode = 1;
  return `${replayed} of ${all ? rows.length : ids.length} replayed.`;
}

async function check(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ id: string }>(
    `SELECT enqueue_job(s.id, 'jobs.check', '{}'::json) AS id FROM stores s ORDER BY s.id LIMIT 1`,
  );
  const id = rows[0]?.id;
  if (id === undefined) throw new Error('check: there is no store yet');
  const started = performance.now();
  while (performance.now() - started < CHECK_FOR_MS) {
    await sleep(50);
    const { rowCount } = await client.query('SELECT 1 FROM graphile_worker.jobs WHERE id = $1', [id]);
    if (rowCount === 0)
      return `A worker has done it, ${Math.round(performance.now() - started)} ms after it was added.`;
  }
  throw new Error(`check: nobody has done it within ${CHECK_FOR_MS / 1000} s. Does a worker run?`);
}

async function main(): Promise<string> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { store: { type: 'string' }, all: { type: 'boolean', default: false } },
  });
  const [command, ...ids] = positionals;
  const client = new pg.Client({ connectionString: whichDatabase() });
  await client.connect();
  try {
    if (command === 'dead' && ids.length === 0) return await dead(client, values.store);
    if (command === 'replay') return await replay(client, ids, values.all, values.store);
    if (command === 'check' && ids.length === 0) return await check(client);
  } finally {
    await client.end();
  }
  throw new Error(USAGE);
}

await main().then(
  (told) => console.log(told),
  (error: Error) => {
    console.error(error.message || String(error));
    process.exitCode = 1;
  },
);
