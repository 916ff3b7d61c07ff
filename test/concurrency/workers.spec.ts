import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { until } from '../support/background.js';
import type { Build, LarderRun } from '../support/built-larder.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { Factory, type TestStore } from '../support/factories.js';
import { verify } from '../support/verify.js';
import { buildWorkers, createWorkerTables, WORKER } from '../support/worker-process.js';

const INSTANCES = 3;
const TICKS = 5;
const LOST_MS = 2000;

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
      ...settings,
    },
    WORKER,
  );
  workers.push(worker);
  await until(() => worker.stdout.includes('job_worker_started'), 30_000);
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
    const before = await count('ticks');
    await until(async () => (await count('ticks')) >= before + TICKS, 20_000);
    const { rows: ticks } = await sql.query<{ at: Date; ticks: number }>(
      'SELECT at, count(*)::int AS ticks FROM ticks GROUP BY at ORDER BY at',
    );
    expect(ticks.filter((tick) => tick.ticks > 1)).toEqual([]);
    expect(ticks.every(({ at }) => at.getTime() % 1000 === 0)).toBe(true);
    // While all of them live, none is missed.
    const last = ticks.slice(-TICKS).map(({ at }) => at.getTime());
    expect((last.at(-1) ?? 0) - (last[0] ?? 0)).toBe((TICKS - 1) * 1000);
    const { rows: overlapping } = await sql.query(
      `SELECT began
         FROM (SELECT began, lag(coalesce(ended, 'infinity')) OVER (ORDER BY began) AS before FROM slow_ticks) t
        WHERE began < before`,
    );
    expect(overlapping).toEqual([]);
    expect(await count('slow_ticks')).toBeGreaterThan(1);
  });
});

describe('A worker that is told to stop', () => {
  it('ends what it can within its time and gives the rest back, uncounted, to be done by another at once', async () => {
    const first = await start({ SHUTDOWN_DRAIN_MS: '1000', JOBS_WORKER_LOST_MS: '60000' });
    await enqueue('test.committed', 1, 700);
    await enqueue('test.committed', 2, 60_000);
    await enqueue('test.careless', 3, 60_000);
    await until(async () => (await count('runs')) === 3);
    const asked = performance.now();
    expect(await first.stop('SIGTERM')).toBe(0);
    expect(performance.now() - asked).toBeLessThan(5000);
    expect(first.logLines().find(({ event }) => event === 'job_worker_stopped')).toMatchObject({ returned: 1 });
    const { rows } = await sql.query(`SELECT n::int FROM effects WHERE kind = 'committed'`);
    expect(rows).toEqual([{ n: 1 }]);
    const { rows: left } = await sql.query(
      'SELECT task_identifier, attempts, locked_by FROM graphile_worker.jobs ORDER BY id',
    );
    expect(left).toEqual([
      { task_identifier: 'test.committed', attempts: 0, locked_by: null },
      { task_identifier: 'test.careless', attempts: 0, locked_by: null },
    ]);
    expect(await count('job_workers')).toBe(0);
    expect(await count('job_schedules WHERE running_by IS NOT NULL')).toBe(0);
    await start({ JOBS_WORKER_LOST_MS: '60000' });
    await until(async () => (await count('runs WHERE n IN (2, 3)')) === 4, 5000);
  });
});

describe('A worker that is killed in the middle of a job', () => {
  it('has that job done again by another: once for an effect that commits with it, twice for a careless one', async () => {
    const [victim] = await Promise.all([start(), start()]);
    for (let n = 0; n < 5; n++) {
      await enqueue('test.careless', n, 3000);
      await enqueue('test.committed', n, 300);
    }
    // It has had an effect, and sleeps before the end of the job.
    await until(async () => (await count(`effects WHERE kind = 'careless' AND worker = ${victim.child.pid}`)) > 0);
    await victim.stop('SIGKILL');
    await until(async () => (await count('graphile_worker.jobs')) === 0, 30_000);
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
    await until(async () => (await count('runs')) === 1);
    frozen.child.kill('SIGSTOP');
    const other = await start();
    await until(async () => (await count('effects')) === 1, 20_000);
    expect(other.logLines().find(({ event }) => event === 'job_worker_lost_detected')).toMatchObject({ jobs: 1 });
    await other.stop('SIGTERM');

    frozen.child.kill('SIGCONT');
    await until(() => frozen.stdout.includes('JOB_TAKEN'));
    await enqueue('test.committed', 2, 0);
    await until(async () => (await count('effects')) === 2);
    await sleep(500);
    const { rows } = await sql.query('SELECT n::int FROM effects ORDER BY n');
    expect(rows).toEqual([{ n: 1 }, { n: 2 }]);
    expect(await count('job_workers')).toBe(1);
  });
});
