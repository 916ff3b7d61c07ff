import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Response } from 'supertest';
import { newId } from '../../src/common/ids.js';
import { currentStore } from '../../src/common/request-context.js';
import { Prisma } from '../../src/generated/prisma/client.js';
import { type EmbeddedDatabase, startEmbeddedPostgres } from '../../src/platform/embedded/embedded-postgres.js';
import { Database } from '../../src/platform/prisma/database.js';
import { applyMigrations } from '../../src/platform/prisma/migrations.js';
import { startApp, type TestApp } from '../support/app.js';
import { withClient } from '../support/database.js';
import { Factory } from '../support/factories.js';
import { fastestOf } from '../support/fastest.js';
import { sumOfMetric } from '../support/metrics.js';
import { freePort } from '../support/redis-server.js';
import { expectFault, provoke, type Provocation, ProvocationsController } from './provocation.js';

const BUSY = { status: 503, code: 'DATABASE_BUSY', retryAfter: 1 };
const UNAVAILABLE = { status: 503, code: 'DATABASE_UNAVAILABLE', retryAfter: 5 };

/** Reads by each way to the database; all of them answer the same number when it is well. */
const reads: [string, Provocation][] = [
  ['a model query', (db) => db.prisma.category.count()],
  ['a transaction', (db) => db.transaction((tx) => tx.category.count())],
  [
    'a statement of the fast lane',
    async (db) => (await db.query<{ count: number }>(Prisma.sql`SELECT count(*) FROM categories`))[0]?.count,
  ],
];

describe('connections that are not there', () => {
  let folder: string;
  let server: EmbeddedDatabase;
  let port: number;
  let larder: TestApp;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'larder-test-faults-'));
    // Run as root, the server has another user, who must get through.
    await chmod(folder, 0o711);
    port = await freePort();
    server = await startEmbeddedPostgres({ dataDir: folder, port });
    await applyMigrations(server.url);
    larder = await startApp(
      {
        DATABASE_URL: server.url,
        POOL_SIZE: '3',
        POOL_ACQUIRE_TIMEOUT_MS: '1000',
        TRANSACTION_TIMEOUT_MS: '1500',
        STATEMENT_TIMEOUT_MS: '1000',
        LOCK_TIMEOUT_MS: '300',
      },
      [ProvocationsController],
    );
    await new Factory(larder.sql).store();
    // The test's own connections break with the server.
    larder.sql.on('error', () => undefined);
    await expectWell();
  });

  afterAll(async () => {
    await larder.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function expectWell(): Promise<void> {
    const responses: Response[] = [];
    for (let i = 0; i < 4; i++) {
      responses.push(...(await Promise.all(reads.map(([, read]) => provoke(larder, read)))));
    }
    expect(responses.map(({ status, text }) => `${status} ${text}`)).toEqual(Array(12).fill('200 0'));
  }

  /** The pool has seen that its connections were ended. */
  async function untilGone(): Promise<void> {
    while (larder.app.get(Database).pool.totalCount > 0) await sleep(5);
  }

  const pid = async (db: Pick<Database['prisma'], '$queryRaw'>) =>
    (await db.$queryRaw<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`)[0]?.pid;

  describe('because all are in use', () => {
    it.each(reads)('answers %s with 503 and Retry-After within about a second', async (_way, read) => {
      const { pool } = larder.app.get(Database);
      const taken = await Promise.all([pool.connect(), pool.connect(), pool.connect()]);
      const ask = async (): Promise<void> => {
        const failures = await sumOfMetric(larder, 'larder_db_pool_acquire_failures_total');
        expectFault(larder, await provoke(larder, read), BUSY);
        expect(await sumOfMetric(larder, 'larder_db_pool_acquire_failures_total')).toBe(failures + 1);
      };
      const fastest = await fastestOf(2000, ask).finally(() => taken.forEach((client) => client.release()));
      expect(fastest).toBeLessThan(2000);
      await expectWell();
    });

    it('answers the same when the server has none to give (53300)', async () => {
      await withClient(server.adminUrl, async (client) => {
        await client.query('ALTER DATABASE larder CONNECTION LIMIT 0');
        await client.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'larder'`);
        await untilGone();
        try {
          for (const [, read] of reads) expectFault(larder, await provoke(larder, read), BUSY);
        } finally {
          await client.query('ALTER DATABASE larder CONNECTION LIMIT -1');
        }
      });
      await expectWell();
    });
  });

  describe('because the server ended them', () => {
    const end = async (backend: number | undefined) => {
      await withClient(server.adminUrl, (client) => client.query('SELECT pg_terminate_backend($1, 2000)', [backend]));
    };
    const endWhoeverSleeps = async () => {
      const sleeping = `SELECT pid FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND application_name = 'larder' AND state = 'active'`;
      await withClient(server.adminUrl, async (client) => {
        while ((await client.query(sleeping)).rowCount === 0) await sleep(5);
        await client.query(`SELECT pg_terminate_backend(pid) FROM (${sleeping}) sleepers`);
      });
    };

    const asleep: [string, Provocation][] = [
      ['a query of Prisma', (db) => db.prisma.$queryRaw`SELECT pg_sleep(0.9)::text`],
      ['a transaction', (db) => db.transaction((tx) => tx.$queryRaw`SELECT pg_sleep(0.9)::text`)],
      ['a statement of the fast lane', (db) => db.query(Prisma.sql`SELECT pg_sleep(0.9)`)],
    ];

    it.each(asleep)('during %s (57P01): 503, and the next request is well', async (_way, act) => {
      const [response] = await Promise.all([provoke(larder, act), endWhoeverSleeps()]);
      expectFault(larder, response, UNAVAILABLE);
      await expectWell();
    });

    it('before COMMIT: 503, nothing is written, and the next request is well', async () => {
      const response = await provoke(larder, (db) =>
        db.transaction(async (tx) => {
          await tx.category.create({ data: { storeId: currentStore(), id: newId(), slug: 'lost', name: 'lost' } });
          await end(await pid(tx));
        }),
      );
      expectFault(larder, response, UNAVAILABLE);
      await expectWell();
    });

    it('while nobody used them: nobody notices', async () => {
      await expectWell();
      await withClient(server.adminUrl, async (client) => {
        await client.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'larder'`);
      });
      await untilGone();
      await expectWell();
    });
  });

  describe('because their server hangs', () => {
    const stop = (pids: number[]) => pids.forEach((backend) => process.kill(backend, 'SIGSTOP'));
    const goOn = (pids: number[]) => pids.forEach((backend) => process.kill(backend, 'SIGCONT'));
    const answer = (text: string) => Prisma.sql`SELECT ${text} AS answer, pg_sleep(0.01)::text`;

    /** Fills the pool, and says which processes of the server's are behind it. */
    async function backends(): Promise<number[]> {
      const { pool } = larder.app.get(Database);
      const clients = await Promise.all(Array.from({ length: pool.options.max }, () => pool.connect()));
      const ask = (client: pg.PoolClient) => client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      const answers = await Promise.all(clients.map(ask)).finally(() => clients.forEach((client) => client.release()));
      return answers.map(({ rows }) => rows[0]!.pid);
    }

    const hanging: [string, (freeze: () => void) => Provocation][] = [
      ['a query of Prisma', (freeze) => (db) => (freeze(), db.prisma.$queryRaw(answer('late')))],
      ['a statement of the fast lane', (freeze) => (db) => (freeze(), db.query(answer('late')))],
      [
        'a transaction',
        (freeze) => (db) =>
          db.transaction(async (tx) => {
            await tx.$queryRaw(answer('early'));
            freeze();
            return tx.$queryRaw(answer('late'));
          }),
      ],
    ];

    it.each(hanging)('gives up %s with 503 in time, and never uses its connection again', async (_way, act) => {
      const frozen = await backends();
      const started = performance.now();
      const response = await provoke(
        larder,
        act(() => stop(frozen)),
      );
      const duration = performance.now() - started;
      // While the server hangs nothing works; what matters is what its late answers do to later requests.
      goOn(frozen);
      expectFault(larder, response, UNAVAILABLE);
      // By itself; the request would be given up after eight seconds.
      expect(duration).toBeLessThan(5000);
      await expectWell();
      expect(await backends()).not.toEqual(expect.arrayContaining(frozen));
    });

    it('gives up a transaction that could not begin', async () => {
      const frozen = await backends();
      stop(frozen);
      const response = await provoke(larder, (db) => db.transaction((tx) => tx.$queryRaw(answer('late'))));
      goOn(frozen);
      expectFault(larder, response, BUSY);
      await expectWell();
    });

    it('does nothing twice when it can not know whether a COMMIT went through', async () => {
      const frozen = await backends();
      let tries = 0;
      let backend: number | undefined;
      const response = await provoke(larder, (db) =>
        db.transaction(async (tx) => {
          tries += 1;
          backend = await pid(tx);
          await tx.category.create({ data: { storeId: currentStore(), id: newId(), slug: newId(), name: 'unknown' } });
          stop(frozen);
        }),
      );
      goOn(frozen);
      expectFault(larder, response, UNAVAILABLE);
      expect(tries).toBe(1);
      // Who was to do it has ended, one way or the other.
      const there = 'SELECT FROM pg_stat_activity WHERE pid = $1';
      while ((await larder.sql.query(there, [backend])).rowCount! > 0) await sleep(5);
      const { rowCount } = await larder.sql.query('DELETE FROM categories');
      expect(rowCount).toBeLessThanOrEqual(1);
      await expectWell();
    });
  });

  describe('because the server is down', () => {
    it('answers 503 while it is, and well again without a restart when it is back', async () => {
      await server.stop();
      for (const [, read] of reads) expectFault(larder, await provoke(larder, read), UNAVAILABLE);
      const ask = async () => expect((await larder.http.get('/api/products')).status).toBe(503);
      expect(await fastestOf(1500, ask)).toBeLessThan(1500);
      server = await startEmbeddedPostgres({ dataDir: folder, port });
      await expectWell();
    });
  });
});
