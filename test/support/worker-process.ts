import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import { type Build, buildLarder } from './built-larder.js';

/**
 * Larder as it is built, with jobs of the test's. Each writes down that it ran, in a transaction of its own, says so on standard
 * output when it knows that it is written, and has its effect in one of the ways that docs/jobs.md tells of.
 */
const ENTRY = `
  import { setTimeout as sleep } from 'node:timers/promises';
  import { OutboxRelay } from './platform/outbox/outbox-relay.js';

  const original = OutboxRelay.prototype.onModuleInit;
  OutboxRelay.prototype.onModuleInit = function () {
    original.call(this);
    const { jobs, outbox, database } = this;
    const ran = async (kind, n) => {
      await database.pool.query('INSERT INTO runs (kind, n, worker) VALUES ($1, $2, $3)', [kind, n, process.pid]);
      console.log('ran ' + kind + ' ' + n);
    };
    const effect = (tx, kind, n) => tx.$executeRaw\`INSERT INTO effects (kind, n, worker) VALUES (\${kind}, \${n}, \${process.pid})\`;

    // The effect commits with the job.
    jobs.handle('test.committed', async ({ n, ms = 0 }, job) => {
      await ran('committed', n);
      await sleep(ms);
      await job.commitWith((tx) => effect(tx, 'committed', n));
    });
    // The effect has a key of the business, which stands for ever.
    jobs.handle('test.keyed', async ({ n }) => {
      await ran('keyed', n);
      await database.transaction(async (tx) => {
        const fresh = await tx.$executeRaw\`INSERT INTO keys (n) VALUES (\${n}) ON CONFLICT DO NOTHING\`;
        if (fresh) await effect(tx, 'keyed', n);
      });
    });
    // Nothing of the kind: what a handler must not be.
    jobs.handle('test.careless', async ({ n, ms = 0 }, job) => {
      await ran('careless', n);
      await database.transaction((tx) => effect(tx, 'careless', n));
      await sleep(ms, undefined, { signal: job.signal });
    });
    outbox.subscribe('test-events', ['test.*'], async ({ id }, job) => {
      await ran('event', id);
      await job.commitWith((tx) => effect(tx, 'event', id));
    });
    outbox.subscribe('test-ordered', ['test.*'], async ({ id }, job) => {
      await job.commitWith((tx) => effect(tx, 'ordered', id));
    }, { ordered: true });
    jobs.schedule('test.tick', 1, ({ at }) =>
      database.pool.query('INSERT INTO ticks (at, worker) VALUES ($1, $2)', [at, process.pid]));
    jobs.schedule('test.slow-tick', 1, async ({ at, signal }) => {
      await database.pool.query('INSERT INTO slow_ticks (began) VALUES (clock_timestamp())');
      await sleep(1300, undefined, { signal });
      await database.pool.query('UPDATE slow_ticks SET ended = clock_timestamp() WHERE ended IS NULL');
    });
  };
  await import('./main.js');
`;

const TABLES = `
  CREATE TABLE runs (kind text, n bigint, worker int);
  CREATE TABLE effects (id bigserial, kind text, n bigint, worker int);
  CREATE TABLE keys (n bigint PRIMARY KEY);
  CREATE TABLE ticks (at timestamptz, worker int);
  CREATE TABLE slow_ticks (began timestamptz, ended timestamptz);`;

export const WORKER = 'node dist/worker-of-the-test.js';

export async function buildWorkers(): Promise<Build> {
  const build = await buildLarder();
  await writeFile(join(build.folder, 'dist/worker-of-the-test.js'), ENTRY);
  return build;
}

export async function createWorkerTables(sql: pg.Pool): Promise<void> {
  await sql.query(TABLES);
}
