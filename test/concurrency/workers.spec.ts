import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import pg from 'pg';
import { until } from '../support/background.js';
import type { Build, LarderRun } from '../support/built-larder.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { Factory, type TestStore } from '../support/factories.js';
import { verify } from '../support/verify.js';
import { buildWorkers, createWorkerTables, WORKER } from '../support/worker-process.js';

jest.setTimeout(200_000);

const INSTANCES = 3;
const TICKS = 5;
const LOST_MS = 2000;
/** For what takes a second or a few. */
const PATIENCE_MS = 45_000;

let build: Build;
let database: TestDatabase;
let sql: pg.Pool;
let store: TestStore;
let workers: LarderRun[] = [];

beforeAll(async () => {
  build = await buildWorkers();
});
beforeEach(async () => {
  database = await createTestDatabase();
  sql = new pg.Pool({ connectionString: database.url, max: 4 });
  sql.on('error', () => undefined);
  await createWorkerTables(sql);
  store = await new Factory(sql).store('workers');
});
afterEach(() => verify(sql));
afterEach(async () => {
  for (const worker of workers) worker.child.kill('SIGCONT');
  await Promise.all(workers.map((worker) => worker.stop('SIGKILL')));
  workers = [];
  await sql.end();
  await database.drop();
});
afterAll(() => build?.clear());

async function start(settings: Record<string, string> = {}): Promise<LarderRun> {
  const worker = build.start(
    {
      DATABASE_URL: database.url,
      NODE_ENV: 'production',
      JWT_SECRET: 'a-secret-of-this-test-and-no-other',
      LARDER_ROLE: 'worker',
      JOBS_WORKER_LOST_MS: String(LOST_MS),
      POOL_ACQUIRE_TIMEOUT_MS: '5000',
      ...settings,
    },
    WORKER,
  );
  workers.push(worker);
  await until(() => worker.stdout.includes('job_worker_started'), PATIENCE_MS);
  return worker;
}

async function count(from: string): Promise<number> {
  const { rows } = await sql.query<{ count: number }>(`SELECT count(*)::int FROM ${from}`);
  return rows[0]?.count ?? 0;
}

async function enqueue(name: string, n: number, ms: number): Promise<void> {
  await sql.query(`SELECT enqueue_job($1, $2, json_build_object('n', $3::int, 'ms', $4::int))`, [
    store.id,
    name,
    n,
    ms,
  ]);
}

describe(`${INSTANCES} workers`, () => {
  it('run each schedule once at each of its times, and never two at once', async () => {
    await Promise.all(Array.from({ length: INSTANCES }, () => start()));
    // While all of them live, none is missed. The machine may stop them all for a second, but hardly once in five.
    const { rows: begun } = await sql.query<{ now: Date }>('SELECT now()');
    const inARow = `(
      SELECT 1 FROM (SELECT DISTINCT at, at - dense_rank() OVER (ORDER BY at) * interval '1 second' AS island FROM ticks) t
       WHERE at > '${begun[0]!.now.toISOString()}' GROUP BY island HAVING count(*) >= ${TICKS}
    ) r`;
    await until(async () => (await count(inARow)) > 0 && (await count('slow_ticks')) > 1, PATIENCE_MS);
    const { rows: ticks } = await sql.query<{ at: Date; ticks: number }>(
      'SELECT at, count(*)::int AS ticks FROM ticks GROUP BY at ORDER BY at',
    );
    expect(ticks.filter((tick) => tick.ticks > 1)).toEqual([]);
    expect(ticks.every(({ at }) => at.getTime() % 1000 === 0)).toBe(true);
    const { rows: overlapping } = await sql.query(
      `SELECT began
         FROM (SELECT began, lag(coalesce(ended, 'infinity')) OVER (ORDER BY began) AS before FROM slow_ticks) t
        WHERE began < before`,
    );
    expect(overlapping).toEqual([]);
  });
});

describe('A worker that is told to stop', () => {
  it('ends what it can within its time and gives the rest back, uncounted, to be done by another at once', async () => {
    const first = await start({ SHUTDOWN_DRAIN_MS: '2000', JOBS_WORKER_LOST_MS: '120000' });
    await enqueue('test.committed', 2, 60_000);
    await enqueue('test.careless', 3, 60_000);
    await until(async () => (await count('runs')) === 2);
    await enqueue('test.committed', 1, 300);
    await until(() => first.stdout.includes('ran committed 1\n'));
    const asked = performance.now();
    expect(await first.stop('SIGTERM')).toBe(0);
    // It has waited for none of the long ones.
    expect(performance.now() - asked).toBeLessThan(30_000);
    const { rows } = await sql.query(`SELECT n::int FROM effects WHERE kind = 'committed'`);
    expect(rows).toEqual([{ n: 1 }]);
    // One that watches its signal gives itself back, which is seen by its time, unless the database takes too long for that.
    const { rows: left } = await sql.query<{ byItself: boolean }>(
      `SELECT task_identifier, attempts, locked_by, run_at > created_at AS "byItself" FROM graphile_worker.jobs ORDER BY id`,
    );
    expect(left).toEqual([
      { task_identifier: 'test.committed', attempts: 0, locked_by: null, byItself: false },
      { task_identifier: 'test.careless', attempts: 0, locked_by: null, byItself: expect.any(Boolean) },
    ]);
    const returned = left.filter(({ byItself }) => !byItself).length;
    expect(first.logLines().find(({ event }) => event === 'job_worker_stopped')).toMatchObject({ returned });
    expect(await count('job_workers')).toBe(0);
    expect(await count('job_schedules WHERE running_by IS NOT NULL')).toBe(0);
    // At once: nobody waits until the first would count as lost.
    await start({ JOBS_WORKER_LOST_MS: '120000' });
    await until(async () => (await count('runs WHERE n IN (2, 3)')) === 4, PATIENCE_MS);
  });
});

describe('A worker that is killed in the middle of a job', () => {
  it('has that job done again by another: once for an effect that commits with it, twice for a careless one', async () => {
    const both = await Promise.all([start(), start()]);
    for (let n = 0; n < 5; n++) {
      await enqueue('test.careless', n, 3000);
      await enqueue('test.committed', n, 300);
    }
    // One that has had an effect, and sleeps before the end of the job.
    let busy: number | undefined;
    const isBusy = async () => {
      const { rows } = await sql.query<{ worker: number }>(
        `SELECT worker FROM effects WHERE kind = 'careless' LIMIT 1`,
      );
      busy = rows[0]?.worker;
      return busy !== undefined;
    };
    await until(isBusy);
    await both.find(({ child }) => child.pid === busy)!.stop('SIGKILL');
    await until(async () => (await count('graphile_worker.jobs')) === 0, PATIENCE_MS);
    const { rows } = await sql.query(
      'SELECT kind, count(*)::int AS effects, count(DISTINCT n)::int AS things FROM effects GROUP BY kind ORDER BY kind',
    );
    expect(rows[1]).toEqual({ kind: 'committed', effects: 5, things: 5 });
    expect(rows[0]).toMatchObject({ kind: 'careless', things: 5 });
    expect(rows[0].effects).toBeGreaterThan(5);
  });
});

describe('A worker that is frozen', () => {
  it('loses its job to another, can not commit it a second time when it thaws, and works on', async () => {
    const frozen = await start();
    // Long enough to be frozen before the effect: in its transaction, it would lose that to a timeout first.
    await enqueue('test.committed', 1, 3000);
    // Not before it knows that this is written: a statement that is answered after so long has failed for it.
    await until(() => frozen.stdout.includes('ran committed 1\n'));
    frozen.child.kill('SIGSTOP');
    const other = await start();
    await until(async () => (await count('effects')) === 1, PATIENCE_MS);
    expect(other.logLines().find(({ event }) => event === 'job_worker_lost_detected')).toMatchObject({ jobs: 1 });
    await other.stop('SIGTERM');

    frozen.child.kill('SIGCONT');
    await until(() => frozen.stdout.includes('JOB_TAKEN'), PATIENCE_MS);
    await enqueue('test.committed', 2, 0);
    await until(async () => (await count('effects')) === 2, PATIENCE_MS);
    await until(async () => (await count('graphile_worker.jobs')) === 0, PATIENCE_MS);
    const { rows } = await sql.query('SELECT n::int FROM effects ORDER BY n');
    expect(rows).toEqual([{ n: 1 }, { n: 2 }]);
    await until(async () => (await count('job_workers')) === 1, PATIENCE_MS);
  });
});
