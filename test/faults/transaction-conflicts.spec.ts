import { setTimeout as sleep } from 'node:timers/promises';
import { newId } from '../../src/common/ids.js';
import { currentStore } from '../../src/common/request-context.js';
import { Prisma } from '../../src/generated/prisma/client.js';
import type { Transaction } from '../../src/platform/prisma/database.js';
import { startApp, type TestApp } from '../support/app.js';
import { createTestDatabase, databaseUrl, type TestDatabase, withClient } from '../support/database.js';
import { Factory } from '../support/factories.js';
import { sumOfMetric } from '../support/metrics.js';
import { PATIENT } from '../support/shop.js';
import { expectFault, inject, provoke, type Provocation, ProvocationsController } from './provocation.js';

const REFUSED = { status: 409, code: 'TRANSACTION_CONFLICT', retryAfter: 1 };
const ATTEMPTS = 3;
/** An advisory lock that the rival holds for as long as it means to get in the way. */
const RIVAL = 4711;

describe('transactions that PostgreSQL gives up', () => {
  let database: TestDatabase;
  let larder: TestApp;
  let first: string;
  let second: string;
  let adminUrl: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    const name = new URL(database.url).pathname.slice(1);
    adminUrl = databaseUrl(process.env.TEST_DATABASE_URL ?? '', name);
    await withClient(adminUrl, (client) => client.query(`ALTER DATABASE ${name} SET deadlock_timeout = '30ms'`));
    larder = await startApp({ ...PATIENT, DATABASE_URL: database.url }, [ProvocationsController]);
    const store = await new Factory(larder.sql).store();
    [first, second] = [newId(), newId()];
    await larder.sql.query(
      `INSERT INTO categories (store_id, id, slug, name) SELECT $1, id, id::text, '0' FROM unnest($2::uuid[]) AS id`,
      [store.id, [first, second]],
    );
    await larder.sql.query(`
      CREATE FUNCTION let_rival_come() RETURNS boolean LANGUAGE plpgsql AS $$
      BEGIN
        WHILE EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = ${RIVAL} AND granted)
          AND NOT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))
        LOOP
          PERFORM pg_sleep(0.005);
        END LOOP;
        RETURN true;
      END $$;
      CREATE FUNCTION lock_one_after_the_other(a uuid, b uuid) RETURNS boolean LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM FROM categories WHERE id = a FOR UPDATE;
        PERFORM let_rival_come();
        PERFORM FROM categories WHERE id = b FOR UPDATE;
        RETURN true;
      END $$`);
  });

  afterAll(async () => {
    await larder.close();
    await database.drop();
  });

  const retries = (sqlstate: string) =>
    sumOfMetric(larder, 'larder_db_transaction_retries_total', `sqlstate="${sqlstate}"`);

  /**
   * Another client that holds `second` and comes for `first` as soon as that is taken: a deadlock, each time. It doesn't look
   * for deadlocks itself, so that Larder is always the one who is given up.
   */
  async function againstRival<T>(rounds: number, work: () => Promise<T>): Promise<T> {
    let over = false;
    let atWork: () => void = () => undefined;
    const ready = new Promise<void>((resolve) => (atWork = resolve));
    const lock = 'SELECT id FROM categories WHERE id = $1 FOR UPDATE';
    const rival = withClient(adminUrl, async (client) => {
      await client.query(`SET deadlock_timeout = '1min'`);
      await client.query('SELECT pg_advisory_lock($1)', [RIVAL]);
      atWork();
      for (let round = 0; round < rounds && !over; round++) {
        await client.query('BEGIN');
        await client.query(lock, [second]);
        const isFree = async () => (await larder.sql.query(`${lock} SKIP LOCKED`, [first])).rowCount === 1;
        while (!over && (await isFree())) await sleep(5);
        await client.query(lock, [first]);
        await client.query('ROLLBACK');
      }
    });
    await ready;
    const answer = await work().finally(() => (over = true));
    await rival;
    return answer;
  }

  let tries = 0;
  const inTransaction =
    (take: (tx: Transaction, id: string) => Promise<unknown>): Provocation =>
    (db) =>
      db.transaction(async (tx) => {
        tries += 1;
        await take(tx, first);
        await tx.$queryRaw`SELECT let_rival_come()`;
        await take(tx, second);
        return 'taken';
      });
  const deadlocks: [string, Provocation][] = [
    ['model queries', inTransaction((tx, id) => tx.category.updateMany({ where: { id }, data: { name: 'changed' } }))],
    ['raw SQL', inTransaction((tx, id) => tx.$queryRaw`SELECT id FROM categories WHERE id = ${id}::uuid FOR UPDATE`)],
    [
      'a statement of the fast lane',
      (db) => {
        tries = ATTEMPTS;
        return db.query(Prisma.sql`SELECT lock_one_after_the_other(${first}::uuid, ${second}::uuid)`);
      },
    ],
  ];

  it.each(deadlocks)(
    'answers 409 to a deadlock (40P01) of %s that comes back each time, and counts',
    async (_way, act) => {
      const before = await retries('40P01');
      tries = 0;
      expectFault(larder, await againstRival(ATTEMPTS, () => provoke(larder, act)), REFUSED);
      expect(tries).toBe(ATTEMPTS);
      expect(await retries('40P01')).toBe(before + ATTEMPTS - 1);
    },
  );

  it.each(deadlocks)('runs %s again after one deadlock, and nobody notices', async (_way, act) => {
    const before = await retries('40P01');
    const response = await againstRival(1, () => provoke(larder, act));
    expect(response.status).toBe(200);
    expect(await retries('40P01')).toBe(before + 1);
  });

  it('lets two requests that deadlock with each other both succeed', async () => {
    const before = await retries('40P01');
    let holding = 0;
    const take =
      (ids: string[]): Provocation =>
      (db) =>
        db.transaction(async (tx) => {
          await tx.category.updateMany({ where: { id: ids[0] }, data: { name: ids[0] } });
          holding += 1;
          while (holding < 2) await sleep(5);
          await tx.category.updateMany({ where: { id: ids[1] }, data: { name: ids[0] } });
        });
    const responses = await Promise.all([
      provoke(larder, take([first, second])),
      provoke(larder, take([second, first])),
    ]);
    expect(responses.map(({ status }) => status)).toEqual([200, 200]);
    expect(await retries('40P01')).toBe(before + 1);
    const { rows } = await larder.sql.query<{ name: string }>('SELECT DISTINCT name FROM categories');
    expect(rows).toHaveLength(1);
  });

  /** Reads, is overtaken by another client `times` times, then writes what it has read. */
  const overtaken = (times: number, write: (tx: Transaction) => Promise<unknown>): Provocation => {
    let overtakings = 0;
    tries = 0;
    return (db) =>
      db.transaction(async (tx) => {
        tries += 1;
        await tx.$executeRaw`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ`;
        await tx.category.findFirst({ where: { id: first } });
        if (overtakings++ < times) {
          await larder.sql.query('UPDATE categories SET name = $2 WHERE id = $1', [first, `overtaken ${overtakings}`]);
        }
        await write(tx);
        return 'written';
      });
  };
  const writes: [string, (tx: Transaction) => Promise<unknown>][] = [
    ['a model query', (tx) => tx.category.updateMany({ where: { id: first }, data: { name: 'mine' } })],
    ['raw SQL', (tx) => tx.$executeRaw`UPDATE categories SET name = 'mine' WHERE id = ${first}::uuid`],
  ];

  it.each(writes)('answers 409 to %s that is overtaken (40001) each time, and counts', async (_way, write) => {
    const before = await retries('40001');
    expectFault(larder, await provoke(larder, overtaken(ATTEMPTS, write)), REFUSED);
    expect(tries).toBe(ATTEMPTS);
    expect(await retries('40001')).toBe(before + ATTEMPTS - 1);
    const { rows } = await larder.sql.query('SELECT name FROM categories WHERE id = $1', [first]);
    expect(rows).toEqual([{ name: `overtaken ${ATTEMPTS}` }]);
  });

  it.each(writes)('runs the whole transaction again after %s was overtaken once', async (_way, write) => {
    const response = await provoke(larder, overtaken(1, write));
    expect({ status: response.status, tries }).toEqual({ status: 200, tries: 2 });
  });

  it('mixes up no answer when 2,400 transactions fail among 2,400 reads (prisma #30374)', async () => {
    // Two at a time each: as many as there are connections, so that none waits for one.
    const clients = 10;
    const each = 240;
    const answers: Record<string, number> = {};
    const count = (answer: string) => (answers[answer] = (answers[answer] ?? 0) + 1);
    const read = async (number: number) => {
      const response = await inject(larder, async (db) => {
        if (number % 2) return db.prisma.$queryRaw`SELECT ${number}::int AS number`;
        return db.prisma.category.findMany({ where: { id: first }, select: { id: true } });
      });
      const expected = number % 2 ? { number } : { id: first };
      count(response.body === JSON.stringify([expected]) ? 'read' : response.body);
    };
    const fail = async () => {
      const response = await inject(larder, (db) =>
        db.transaction(async (tx) => {
          await tx.category.findFirst({ where: { id: second }, select: { id: true } });
          await tx.category.create({ data: { storeId: currentStore(), id: first, slug: 'twice', name: 'twice' } });
        }),
      );
      count(response.json<{ code: string }>().code);
    };
    await Promise.all(
      Array.from({ length: clients }, async (_, client) => {
        for (let i = 0; i < each; i++) await Promise.all([read(client * each + i), fail()]);
      }),
    );
    expect(answers).toEqual({ read: clients * each, CONFLICT: clients * each });
  }, 300_000);
});
