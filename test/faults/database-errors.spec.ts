import { setTimeout as sleep } from 'node:timers/promises';
import type { Response } from 'supertest';
import { newId } from '../../src/common/ids.js';
import { currentStore } from '../../src/common/request-context.js';
import { Prisma } from '../../src/generated/prisma/client.js';
import { type TestApp, startApp } from '../support/app.js';
import { Factory, type TestStore } from '../support/factories.js';
import { sumOfMetric } from '../support/metrics.js';
import { type Expected, expectFault, provoke, type Provocation, ProvocationsController } from './provocation.js';

/** The three ways that code of Larder's takes to the database. */
type Way = 'a model query' | 'raw SQL in a transaction' | 'a statement of the fast lane';

const inTransaction =
  (sql: () => Prisma.Sql): Provocation =>
  (database) =>
    database.transaction((tx) => tx.$queryRaw(sql()));
const onFastLane =
  (sql: () => Prisma.Sql): Provocation =>
  (database) =>
    database.query(sql());

function rawWays(sql: () => Prisma.Sql): Partial<Record<Way, Provocation>> {
  return { 'raw SQL in a transaction': inTransaction(sql), 'a statement of the fast lane': onFastLane(sql) };
}

const insertCategory = (slug: string) => Prisma.sql`
  INSERT INTO categories (store_id, id, slug, name)
  VALUES (${currentStore()}::uuid, ${newId()}::uuid, ${slug}, 'Taken') RETURNING id`;

describe('what the database says no to', () => {
  let larder: TestApp;
  let store: TestStore;
  let category: string;

  beforeAll(async () => {
    const limits = { TRANSACTION_TIMEOUT_MS: '1200', STATEMENT_TIMEOUT_MS: '900', LOCK_TIMEOUT_MS: '300' };
    larder = await startApp({ ...limits, POOL_ACQUIRE_TIMEOUT_MS: '5000' }, [ProvocationsController]);
    store = await new Factory(larder.sql).store();
    category = newId();
    await larder.sql.query(`INSERT INTO categories (store_id, id, slug, name) VALUES ($1, $2, 'taken', 'Taken')`, [
      store.id,
      category,
    ]);
    // The way to a slow model query: reading and writing go through the model, waiting is the database's.
    await larder.sql.query(`
      CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN PERFORM pg_sleep(5); RETURN NEW; END $$;
      CREATE TRIGGER dawdle BEFORE INSERT ON categories FOR EACH ROW WHEN (NEW.slug = 'slow') EXECUTE FUNCTION dawdle()`);
  });

  afterAll(() => larder.close());

  const newCategory =
    (slug: string): Provocation =>
    (database) =>
      database.prisma.category.create({ data: { storeId: currentStore(), id: newId(), slug, name: 'Taken' } });

  const newProduct = (categoryId: string) => ({
    storeId: currentStore(),
    id: newId(),
    slug: newId(),
    name: 'x',
    categoryId,
  });

  const faults: Record<string, { expected: Expected; ways: Partial<Record<Way, Provocation>> }> = {
    'a name that exists (23505, P2002)': {
      expected: { status: 409, code: 'CONFLICT' },
      ways: { 'a model query': newCategory('taken'), ...rawWays(() => insertCategory('taken')) },
    },
    'a reference to nothing (23503, P2003)': {
      expected: { status: 400, code: 'INVALID_REFERENCE' },
      ways: {
        'a model query': (database) => database.prisma.product.create({ data: newProduct(newId()) }),
        ...rawWays(
          () => Prisma.sql`
            INSERT INTO products (store_id, id, slug, name, category_id)
            VALUES (${currentStore()}::uuid, ${newId()}::uuid, ${newId()}, 'x', ${newId()}::uuid) RETURNING id`,
        ),
      },
    },
    'a row that is gone (P2025)': {
      expected: { status: 404, code: 'NOT_FOUND' },
      ways: {
        'a model query': (database) =>
          database.prisma.category.update({
            where: { storeId_id: { storeId: currentStore(), id: newId() } },
            data: { name: 'x' },
          }),
      },
    },
    'a value that a CHECK refuses (23514)': {
      expected: { status: 400, code: 'VALUE_OUT_OF_RANGE' },
      ways: {
        'a model query': (database) =>
          database.prisma.store.update({ where: { id: currentStore() }, data: { deliveryFee: -1n } }),
        ...rawWays(
          () => Prisma.sql`UPDATE stores SET delivery_fee = -1 WHERE id = ${currentStore()}::uuid RETURNING id`,
        ),
      },
    },
    'a number that is too large (22003)': {
      expected: { status: 400, code: 'VALUE_OUT_OF_RANGE' },
      ways: rawWays(() => Prisma.sql`SELECT 2147483647 + ${1}::int`),
    },
    'a character that text can not hold (22021)': {
      expected: { status: 400, code: 'VALUE_OUT_OF_RANGE' },
      ways: { 'a model query': newCategory('nul\0'), ...rawWays(() => insertCategory('nul\0')) },
    },
    'a statement that takes too long (57014)': {
      expected: { status: 503, code: 'STATEMENT_TIMEOUT', retryAfter: 2 },
      ways: { 'a model query': newCategory('slow'), ...rawWays(() => insertCategory('slow')) },
    },
    'a transaction that takes too long (P2028)': {
      expected: { status: 503, code: 'STATEMENT_TIMEOUT', retryAfter: 2 },
      ways: {
        'raw SQL in a transaction': (database) =>
          database.transaction(async (tx) => {
            await tx.category.count();
            await sleep(1400);
            await tx.category.count();
          }),
      },
    },
    'a server that takes no writes any more (25006)': {
      expected: { status: 503, code: 'DATABASE_UNAVAILABLE', retryAfter: 5 },
      ways: {
        'a model query': (database) =>
          database.transaction(async (tx) => {
            await tx.$executeRaw`SET TRANSACTION READ ONLY`;
            await tx.category.deleteMany();
          }),
        'raw SQL in a transaction': (database) =>
          database.transaction(async (tx) => {
            await tx.$executeRaw`SET TRANSACTION READ ONLY`;
            await tx.$executeRaw(insertCategory('never'));
          }),
      },
    },
    'a statement that is wrong (42601)': {
      expected: { status: 500, code: 'INTERNAL_ERROR' },
      ways: rawWays(() => Prisma.sql`SELEC secret_column FROM nowhere`),
    },
  };

  for (const [fault, { expected, ways }] of Object.entries(faults)) {
    it.each(Object.entries(ways))(
      `answers ${expected.status} ${expected.code} to ${fault} in %s`,
      async (_way, act) => {
        expectFault(larder, await provoke(larder, act), expected);
      },
    );
  }

  describe('while another holds the row', () => {
    const lock = () => Prisma.sql`SELECT id FROM categories WHERE id = ${category}::uuid FOR UPDATE`;
    const ways: [Way | 'raw SQL without waiting', Provocation][] = [
      [
        'a model query',
        (database) => database.prisma.category.updateMany({ where: { id: category }, data: { name: 'Mine' } }),
      ],
      ['raw SQL in a transaction', inTransaction(lock)],
      ['raw SQL without waiting', inTransaction(() => Prisma.sql`${lock()} NOWAIT`)],
      ['a statement of the fast lane', onFastLane(lock)],
    ];

    it.each(ways)('answers 409 RESOURCE_LOCKED to %s (55P03), and never tries again by itself', async (_way, act) => {
      const retries = await sumOfMetric(larder, 'larder_db_transaction_retries_total');
      const other = await larder.sql.connect();
      try {
        await other.query('BEGIN');
        await other.query('UPDATE categories SET name = name WHERE id = $1', [category]);
        const started = performance.now();
        expectFault(larder, await provoke(larder, act), { status: 409, code: 'RESOURCE_LOCKED', retryAfter: 1 });
        expect(performance.now() - started).toBeLessThan(2500);
      } finally {
        await other.query('ROLLBACK');
        other.release();
      }
      expect(await sumOfMetric(larder, 'larder_db_transaction_retries_total')).toBe(retries);
    });
  });

  it('leaves no trace of what failed, and every connection fit for the next request', async () => {
    const { rows } = await larder.sql.query('SELECT id, name FROM categories');
    expect(rows).toEqual([{ id: category, name: 'Taken' }]);
    const responses = await Promise.all(
      Array.from({ length: 40 }, () => provoke(larder, (database) => database.prisma.category.count())),
    );
    expect(responses.map(({ status, text }) => `${status} ${text}`)).toEqual(Array(40).fill('200 1'));
  });
});

describe('what is thrown and nobody expected', () => {
  let larder: TestApp;

  beforeAll(async () => {
    larder = await startApp({}, [ProvocationsController]);
    await new Factory(larder.sql).store();
  });

  afterAll(() => larder.close());

  const secret = 'SELECT password FROM users; /etc/passwd violates users_email_key';
  const thrown: [string, unknown][] = [
    ['an error of ours', new Error(secret)],
    ['an error with a status like a response', Object.assign(new Error(secret), { statusCode: 500 })],
    ['an error with a code of another world', Object.assign(new Error(secret), { code: 'ERR_SECRET' })],
    ['a type error', new TypeError(secret)],
    ['a string', secret],
    ['an object', { message: secret, statusCode: 418 }],
    ['null', null],
    ['nothing', undefined],
  ];

  it.each(thrown)('answers 500 INTERNAL_ERROR to %s', async (_what, error) => {
    const response: Response = await provoke(larder, () => {
      throw error;
    });
    expect(response.text).not.toContain('passwd');
    expect(response.body).toMatchObject({ statusCode: 500, code: 'INTERNAL_ERROR', error: 'Internal Server Error' });
    const line = larder.logLines().find(({ event }) => event === 'unhandled_exception')!;
    expect(line).toMatchObject({ statusCode: 500, method: 'GET', path: '/api/provocations/:number' });
    if (error instanceof Error) expectFault(larder, response, { status: 500, code: 'INTERNAL_ERROR' });
  });
});
