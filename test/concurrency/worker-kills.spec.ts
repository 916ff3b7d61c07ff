import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { until } from '../support/background.js';
import type { Build, LarderRun } from '../support/built-larder.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { Factory, type TestStore } from '../support/factories.js';
import { raceRounds } from '../support/race-rounds.js';
import { verify } from '../support/verify.js';
import { buildWorkers, createWorkerTables, WORKER } from '../support/worker-process.js';

const KILLS = raceRounds(100);
const SLOTS = 3;
const JOBS_PER_KILL = 12;
const EVENTS_PER_KILL = 4;
/** A dead worker's jobs go on after this. */
const LOST_MS = 4000;

let build: Build;
let database: TestDatabase;
let sql: pg.Pool;
let store: TestStore;

beforeAll(async () => {
  [build, database] = await Promise.all([buildWorkers(), createTestDatabase()]);
  sql = new pg.Pool({ connectionString: database.url, max: 4 });
  sql.on('error', () => undefined);
  await createWorkerTables(sql);
  store = await new Factory(sql).store('kills');
});
afterAll(async () => {
  await build?.clear();
  await sql?.end();
  await database?.drop();
});

const start = (): LarderRun =>
  build.start(
    {
      DATABASE_URL: database.url,
      NODE_ENV: 'production',
      JWT_SECRET: 'a-secret-of-this-test-and-no-other',
      LARDER_ROLE: 'worker',
      JOBS_WORKER_LOST_MS: String(LOST_MS),
    },
    WORKER,
  );
const count = async (from: string): Promise<number> => {
  const { rows } = await sql.query<{ count: number }>(`SELECT count(*)::int FROM ${from}`);
  return rows[0]?.count ?? 0;
};

/** Jobs of both kinds and events, some for the same thing, numbered through; each takes its time before its effect. */
async function addWork(round: number, msMore: number): Promise<void> {
  await sql.query(
    `SELECT enqueue_job($1, 'test.committed', json_build_object('n', $2::int * $3::int + i, 'ms', i * $4::int)),
            enqueue_job($1, 'test.keyed', json_build_object('n', $2::int * $3::int + i))
       FROM generate_series(0, $3::int / 2 - 1) i`,
    [store.id, round, JOBS_PER_KILL, msMore],
  );
  await sql.query(
    `INSERT INTO outbox_events (store_id, aggregate_type, aggregate_id, type, payload)
     SELECT $1, 'test', md5((i % 2 + $3::int / 10)::text)::uuid, 'test.happened', '{}' FROM generate_series(1, $2::int) i`,
    [store.id, EVENTS_PER_KILL, round],
  );
}

/** Starts a worker and kills it at a moment of which nobody knows what it does then: now and then while it starts. */
async function startAndKill(): Promise<void> {
  const worker = start();
  if (Math.random() < 0.9) await until(() => worker.stdout.includes('job_worker_started'), 60_000);
  await sleep(Math.random() * 500);
  await worker.stop('SIGKILL');
}

/** The last one is killed in the middle of a job, for certain. */
async function startAndHit(): Promise<void> {
  const round = KILLS - 1;
  await addWork(round, 400);
  const worker = start();
  const longest = `ran committed ${round * JOBS_PER_KILL + JOBS_PER_KILL / 2 - 1}\n`;
  await until(() => worker.stdout.includes(longest), 60_000);
  await worker.stop('SIGKILL');
}

describe(`Workers that are killed ${KILLS} times`, () => {
  it('lose nothing and do nothing twice', async () => {
    let kills = 0;
    const slot = async (): Promise<void> => {
      while (kills < KILLS - 1) {
        await addWork(kills++, 15);
        await startAndKill();
      }
    };
    await Promise.all(Array.from({ length: SLOTS }, slot));
    await startAndHit();
    const leftOver = await count('graphile_worker.jobs WHERE locked_by IS NOT NULL');

    const last = start();
    await until(async () => {
      // Who has lost several workers would wait for minutes.
      await sql.query(
        `UPDATE graphile_worker._private_jobs SET run_at = now() WHERE last_error = 'WORKER_LOST' AND run_at > now()`,
      );
      return (await count('outbox_events WHERE published_at IS NULL')) + (await count('graphile_worker.jobs')) === 0;
    }, 180_000);
    expect(await last.stop('SIGTERM')).toBe(0);

    const jobs = (KILLS * JOBS_PER_KILL) / 2;
    const events = KILLS * EVENTS_PER_KILL;
    const { rows: effects } = await sql.query(
      'SELECT kind, count(*)::int AS effects, count(DISTINCT n)::int AS things FROM effects GROUP BY kind ORDER BY kind',
    );
    expect(effects).toEqual([
      { kind: 'committed', effects: jobs, things: jobs },
      { kind: 'event', effects: events, things: events },
      { kind: 'keyed', effects: jobs, things: jobs },
      { kind: 'ordered', effects: events, things: events },
    ]);
    expect(await count('dead_jobs')).toBe(0);
    // Kills have hit: jobs ran that came to no end, and ran again.
    expect(leftOver).toBeGreaterThan(0);
    expect(await count('runs')).toBeGreaterThan(2 * jobs + events);
    // In order, kills or no kills, where order was asked for.
    const { rows: overtaken } = await sql.query(
      `SELECT e.n
         FROM (
           SELECT f.id, f.n, lag(f.n) OVER (PARTITION BY e.aggregate_id ORDER BY f.id) AS before
             FROM effects f
             JOIN outbox_events e ON e.id = f.n
            WHERE f.kind = 'ordered'
         ) e
        WHERE e.before > e.n`,
    );
    expect(overtaken).toEqual([]);
    await verify(sql);
  }, 600_000);
});
