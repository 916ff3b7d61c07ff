import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { failure } from '../../src/common/exceptions/failure.js';
import { currentContext, currentStore } from '../../src/common/request-context.js';
import { Prisma } from '../../src/generated/prisma/client.js';
import { Database } from '../../src/platform/prisma/database.js';
import { Background, until } from '../support/background.js';
import { sumOfMetric } from '../support/metrics.js';

const AT_ONCE = 5;
const SECRET = 'a word that nobody should read';

interface Run {
  data: { n?: number };
  store: string;
  requestId?: string;
}

let background: Background;
let runs: Run[] = [];
let failures: number[] = [];
let held: (() => void)[] = [];
const sweeps: string[] = [];
const ticks: number[] = [];

const note = (data: object): Promise<void> => {
  runs.push({ data, store: currentStore(), requestId: currentContext()?.requestId });
  return Promise.resolve();
};
const effects = () => background.count('effects');

beforeAll(async () => {
  background = await Background.open(
    (jobs, app) => {
      jobs.handle('test.note', note);
      jobs.handle('test.fail', (_data, { attempt }) => {
        failures.push(attempt);
        return Promise.reject(new Error(SECRET));
      });
      jobs.handle('test.refuse', () => Promise.reject(failure('EMAIL_TAKEN')));
      const noId = Prisma.sql`SELECT ${SECRET}::text::uuid`;
      jobs.handle('test.query', async () => void (await app.get(Database).query(noId)));
      jobs.handle('test.transaction', () =>
        app.get(Database).transaction(async (tx) => void (await tx.$queryRaw(noId))),
      );
      jobs.handle('test.hang', () => new Promise(() => undefined), { timeoutMs: 200 });
      jobs.handle('test.effect', async (_data, job) => {
        await job.commitWith((tx) => tx.$executeRaw`INSERT INTO effects DEFAULT VALUES`);
      });
      // Does its effect only when the test lets it.
      jobs.handle('test.slow-effect', async (_data, job) => {
        await new Promise<void>((resolve) => held.push(resolve));
        await job.commitWith((tx) => tx.$executeRaw`INSERT INTO effects DEFAULT VALUES`);
      });
      jobs.handle('test.later', async (data, job) => {
        if (runs.length === 0) {
          await note(data);
          await job.postpone(100);
        }
        runs.push({ data: { n: job.attempt }, store: '' });
      });
      jobs.schedule('test.sweep', 1, ({ at }) => {
        ticks.push(at.getTime());
        if (ticks.length === 1) return Promise.reject(new Error('the first time'));
        return jobs.eachStore(() => {
          sweeps.push(currentStore());
          return sweeps.length === 1 ? Promise.reject(new Error('one store')) : Promise.resolve();
        });
      });
      expect(() => jobs.handle('test.note', note)).toThrow('twice');
      expect(() => jobs.handle('Note it', note)).toThrow('no name');
      expect(() => jobs.schedule('test.never', 0, () => Promise.resolve())).toThrow('every 1 to');
    },
    { JOBS_AT_ONCE: String(AT_ONCE), JOBS_WORKER_LOST_MS: '2000' },
  );
  await background.larder.sql.query('CREATE TABLE effects (at timestamptz DEFAULT now())');
});
beforeEach(async () => {
  await until(async () => (await background.count('graphile_worker.jobs WHERE locked_by IS NOT NULL')) === 0);
  await background.larder.sql.query('DELETE FROM graphile_worker._private_jobs');
  await background.larder.sql.query('TRUNCATE effects');
  [runs, failures, held] = [[], [], []];
});
afterAll(() => background.close());

describe('A job', () => {
  it('runs in the context of its store and of the request that wanted it, and is gone then', async () => {
    await background.enqueue('test.note', { n: 1 });
    await until(() => runs.length === 1);
    expect(runs).toEqual([{ data: { n: 1 }, store: background.store.id, requestId: 'request-of-the-test' }]);
    await until(async () => (await background.count('graphile_worker.jobs')) === 0);
  });

  it('is not there when the transaction that wanted it is rolled back', async () => {
    const database = background.larder.app.get(Database);
    const outcome = background.inStore(() =>
      database.transaction(async (tx) => {
        await background.jobs.enqueue(tx, 'test.note', { n: 2 });
        throw failure('CONFLICT');
      }),
    );
    await expect(outcome).rejects.toThrow();
    await background.enqueue('test.note', { n: 3 });
    await until(async () => (await background.count('graphile_worker.jobs')) === 0);
    expect(runs.map(({ data }) => data.n)).toEqual([3]);
  });

  it('must have a handler', async () => {
    await expect(background.enqueue('test.unknown', {})).rejects.toThrow('No handler');
  });

  it('waits for its time, and gives way to a later one of its key', async () => {
    const runAt = new Date(Date.now() + 3_600_000);
    await background.enqueue('test.note', { n: 4 }, { runAt, key: 'one' });
    const other = await background.make.store('other');
    await background.enqueue('test.note', { n: 5 }, { runAt, key: 'one' }, other);
    await background.enqueue('test.note', { n: 6 }, { runAt, key: 'one' });
    await sleep(1500);
    expect(runs).toEqual([]);
    await background.hurry();
    await until(() => runs.length === 2);
    expect(runs.map(({ data, store }) => [data.n, store]).sort()).toEqual([
      [5, other.id],
      [6, background.store.id],
    ]);
  });

  it('can be added by a function of the database', async () => {
    await background.larder.sql.query(`SELECT enqueue_job($1, 'test.note', '{"n": 7}')`, [background.store.id]);
    await until(() => runs.length === 1);
    expect(runs[0]).toMatchObject({ data: { n: 7 }, store: background.store.id });
  });

  it('comes back when its handler puts it off, and no attempt is counted', async () => {
    await background.enqueue('test.later', {}, { maxAttempts: 1 });
    await until(() => runs.length === 2);
    expect(runs[1]?.data.n).toBe(1);
    expect(await background.count('dead_jobs')).toBe(0);
  });
});

describe('A job that fails', () => {
  it('is tried again after a while, told once for each try by a code, and is dead after the last', async () => {
    const logged = background.larder.logLines().length;
    await background.enqueue('test.fail', { code: SECRET }, { maxAttempts: 3 });
    await until(() => failures.length === 1);
    await until(async () => (await background.count('graphile_worker.jobs WHERE locked_at IS NULL')) === 1);
    const { rows } = await background.larder.sql.query<{ wait: number }>(
      'SELECT extract(epoch FROM run_at - updated_at)::float8 AS wait FROM graphile_worker.jobs',
    );
    expect(rows[0]?.wait).toBeGreaterThan(1);
    for (const tries of [2, 3]) {
      await until(async () => (await background.count('graphile_worker.jobs WHERE locked_at IS NULL')) === 1);
      await background.hurry();
      await until(() => failures.length === tries);
    }
    await until(async () => (await background.count('dead_jobs')) === 1);
    expect(failures).toEqual([1, 2, 3]);
    expect(await background.count('graphile_worker.jobs')).toBe(0);
    const dead = await background.larder.sql.query('SELECT store_id, name, attempts, error FROM dead_jobs');
    expect(dead.rows).toEqual([{ store_id: background.store.id, name: 'test.fail', attempts: 3, error: 'Error' }]);
    const lines = background.larder
      .logLines()
      .slice(logged)
      .filter(({ job }) => job === 'test.fail');
    expect(lines.map(({ event, attempt }) => [event, attempt])).toEqual([
      ['job_run_retry', 1],
      ['job_run_retry', 2],
      ['job_run_failed', 3],
    ]);
    expect(lines.every(({ requestId }) => requestId === 'request-of-the-test')).toBe(true);
    expect(await sumOfMetric(background.larder, 'larder_job_runs_total', 'job="test.fail",outcome="dead"')).toBe(1);
    await background.larder.sql.query('DELETE FROM dead_jobs');
  });

  it('for a reason of the business keeps its code', async () => {
    await background.enqueue('test.refuse', {}, { maxAttempts: 1 });
    await until(async () => (await background.count(`dead_jobs WHERE error = 'EMAIL_TAKEN'`)) === 1);
    await background.larder.sql.query('DELETE FROM dead_jobs');
  });

  it('for what PostgreSQL says keeps the SQLSTATE, and nothing of the values', async () => {
    await background.enqueue('test.query', {}, { maxAttempts: 1 });
    await background.enqueue('test.transaction', {}, { maxAttempts: 1 });
    await until(async () => (await background.count('dead_jobs')) === 2);
    const dead = await background.larder.sql.query('SELECT name, error FROM dead_jobs ORDER BY name');
    expect(dead.rows).toEqual([
      { name: 'test.query', error: 'SQLSTATE_22P02' },
      { name: 'test.transaction', error: 'SQLSTATE_22P02' },
    ]);
    await background.larder.sql.query('DELETE FROM dead_jobs');
  });

  it('by hanging loses its place after its time', async () => {
    for (let n = 0; n < AT_ONCE; n++) await background.enqueue('test.hang', {}, { maxAttempts: 1 });
    await background.enqueue('test.note', {});
    await until(() => runs.length === 1);
    await until(async () => (await background.count(`dead_jobs WHERE error = 'JOB_TIMEOUT'`)) === AT_ONCE);
    await background.larder.sql.query('DELETE FROM dead_jobs');
  });

  it('again and again delays no other', async () => {
    const poison = 10 * AT_ONCE;
    for (let n = 0; n < poison; n++) await background.enqueue('test.fail', {});
    for (let n = 0; n < 100; n++) await background.enqueue('test.note', { n });
    await until(() => runs.length === 100);
    // None of the poison has come to its end, which takes it four days.
    expect(await background.count(`graphile_worker.jobs WHERE task_identifier = 'test.fail'`)).toBe(poison);
    expect(failures.length).toBeGreaterThanOrEqual(poison - AT_ONCE);
  });
});

describe('An effect that is committed with its job', () => {
  it('is there when the job is gone', async () => {
    await background.enqueue('test.effect', {});
    await until(async () => (await effects()) === 1);
    expect(await background.count('graphile_worker.jobs')).toBe(0);
  });

  it('is there once when the job was given to another worker meanwhile', async () => {
    await background.enqueue('test.slow-effect', {});
    await until(() => held.length === 1);
    // What happens to the jobs of a worker that is taken for dead.
    await background.larder.sql.query(
      'SELECT release_jobs_of(ARRAY(SELECT locked_by FROM graphile_worker.jobs WHERE locked_by IS NOT NULL))',
    );
    await until(() => held.length === 2);
    // The second run has the same worker here; in life it has another one.
    await background.larder.sql.query(`UPDATE graphile_worker._private_jobs SET locked_by = 'another'`);
    held[0]?.();
    await until(() => background.larder.logLines().some(({ code }) => code === 'JOB_TAKEN'));
    expect(await effects()).toBe(0);
    await background.larder.sql.query(
      'UPDATE graphile_worker._private_jobs SET locked_by = (SELECT id FROM job_workers)',
    );
    held[1]?.();
    await until(async () => (await effects()) === 1);
    expect(await background.count('graphile_worker.jobs')).toBe(0);
  });
});

describe('A schedule', () => {
  it('goes on after a run that failed, and through all stores when one of them fails', async () => {
    await until(() => sweeps.length >= 4);
    expect(new Set(sweeps).size).toBeGreaterThan(1);
    expect(ticks.slice(1).every((at, n) => at % 1000 === 0 && at > (ticks[n] ?? 0))).toBe(true);
    const lines = background.larder.logLines();
    const failed = lines.filter(({ event, job }) => event === 'job_schedule_failed' && job === 'test.sweep');
    expect(failed).toHaveLength(2);
    expect(lines.filter(({ event, error }) => event === 'job_store_failed' && error === 'one store')).toHaveLength(1);
  });
});
