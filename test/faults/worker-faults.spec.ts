import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { pino } from 'pino';
import { type EmbeddedDatabase, startEmbeddedPostgres } from '../../src/platform/embedded/embedded-postgres.js';
import { JobRunner } from '../../src/platform/jobs/job-runner.js';
import { Jobs } from '../../src/platform/jobs/jobs.service.js';
import { WorkerSession } from '../../src/platform/jobs/worker-session.js';
import { LarderLogger } from '../../src/platform/logging/larder-logger.js';
import type { Database } from '../../src/platform/prisma/database.js';
import { applyMigrations } from '../../src/platform/prisma/migrations.js';
import { until } from '../support/background.js';
import type { Build, LarderRun } from '../support/built-larder.js';
import { Factory } from '../support/factories.js';
import { freePort } from '../support/redis-server.js';
import { buildWorkers, createWorkerTables, WORKER } from '../support/worker-process.js';

const JOBS = 60;

/** A server of this file's own, which it may stop. */
let folder: string;
let server: EmbeddedDatabase;
let build: Build;
let sql: pg.Pool;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-test-worker-'));
  // Run as root, the server has another user, who must get through.
  await chmod(folder, 0o711);
  const port = await freePort();
  [server, build] = await Promise.all([startEmbeddedPostgres({ dataDir: folder, port }), buildWorkers()]);
  sql = new pg.Pool({ connectionString: server.url });
  sql.on('error', () => undefined);
});
afterAll(async () => {
  await build?.clear();
  await sql?.end();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

const start = (): LarderRun =>
  build.start(
    {
      DATABASE_URL: server.url,
      NODE_ENV: 'production',
      JWT_SECRET: 'a-secret-of-this-test-and-no-other',
      LARDER_ROLE: 'worker',
      JOBS_WORKER_LOST_MS: '5000',
    },
    WORKER,
  );
const count = async (from: string): Promise<number> => {
  const { rows } = await sql.query<{ count: number }>(`SELECT count(*)::int FROM ${from}`);
  return rows[0]?.count ?? 0;
};

it('works once the database has its migrations, and through restarts of the database, without one of its own', async () => {
  const workers = [start(), start()];
  await Promise.all(workers.map((worker) => worker.url()));
  await sleep(500);
  expect(workers.some((worker) => worker.stdout.includes('job_worker_started'))).toBe(false);
  await applyMigrations(server.url);
  await createWorkerTables(sql);
  const store = await new Factory(sql).store('faults');
  await until(() => workers.every((worker) => worker.stdout.includes('job_worker_started')));

  await sql.query(
    `SELECT enqueue_job($1, 'test.committed', json_build_object('n', n, 'ms', 300)),
            enqueue_job($1, 'test.keyed', json_build_object('n', n))
       FROM generate_series(1, $2::int) n`,
    [store.id, JOBS],
  );
  const port = Number(new URL(server.url).port);
  for (const away of [0, 2000, 200]) {
    await until(async () => (await count('graphile_worker.jobs WHERE locked_by IS NOT NULL')) > 0);
    await server.stop();
    await sleep(away);
    server = await startEmbeddedPostgres({ dataDir: folder, port });
    await until(() =>
      sql.query('SELECT 1').then(
        () => true,
        () => false,
      ),
    );
  }
  await until(async () => (await count('graphile_worker.jobs')) === 0, 90_000);
  const { rows } = await sql.query(
    'SELECT kind, count(*)::int AS effects, count(DISTINCT n)::int AS things FROM effects GROUP BY kind ORDER BY kind',
  );
  expect(rows).toEqual([
    { kind: 'committed', effects: JOBS, things: JOBS },
    { kind: 'keyed', effects: JOBS, things: JOBS },
  ]);
  expect(await count('dead_jobs')).toBe(0);
  const ticks = await count('ticks');
  await until(async () => (await count('ticks')) > ticks + 1);
  // Neither has judged the other over a time in which nobody could speak.
  expect(workers.some((worker) => worker.stdout.includes('job_worker_lost_detected'))).toBe(false);
  expect(workers.map(({ child }) => child.exitCode)).toEqual([null, null]);
  expect(await Promise.all(workers.map((worker) => worker.stop('SIGTERM')))).toEqual([0, 0]);
});

it('that can not begin ends by itself, and does not hang in front of its jobs for ever', async () => {
  // The library's own word on it, past its logger.
  jest.spyOn(console, 'trace').mockImplementation(() => undefined);
  // Nobody listens on port 1.
  const pool = new pg.Pool({ connectionString: 'postgresql://nobody@127.0.0.1:1/nothing' });
  pool.on('error', () => undefined);
  const logger = new LarderLogger(pino({ level: 'silent' }));
  const database = null as unknown as Database;
  const jobs = new Jobs(database, logger);
  jobs.handle('test.nothing', () => Promise.resolve());
  const runner = new JobRunner(jobs, database, logger);
  const session = new WorkerSession(jobs, runner, pool, { atOnce: 3, lostMs: 2000 }, logger);
  const ended = await Promise.race([session.ended.then(() => true), sleep(10_000, false, { ref: false })]);
  expect(ended).toBe(true);
  await session.leave().catch(() => undefined);
  await pool.end();
});
