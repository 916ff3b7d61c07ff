import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Response } from 'supertest';
import { newId } from '../../src/common/ids.js';
import { currentStore } from '../../src/common/request-context.js';
import { Prisma } from '../../src/generated/prisma/client.js';
import { startEmbeddedPostgres } from '../../src/platform/embedded/embedded-postgres.js';
import { startApp, type TestApp } from '../support/app.js';
import { withClient } from '../support/database.js';
import { Factory } from '../support/factories.js';
import { sumOfMetric } from '../support/metrics.js';
import { provoke, type Provocation, ProvocationsController } from './provocation.js';

/** Never to be read in a log. */
const SECRET = 'nobody-may-read-this';
const TRANSACTION_STEPS = new Set(['BEGIN', 'COMMIT', 'ROLLBACK']);

describe('queries that are slow', () => {
  let larder: TestApp;
  let category: string;

  beforeAll(async () => {
    larder = await startApp({}, [ProvocationsController]);
    const store = await new Factory(larder.sql).store();
    category = newId();
    await larder.sql.query(`INSERT INTO categories (store_id, id, slug, name) VALUES ($1, $2, 'a', 'a')`, [
      store.id,
      category,
    ]);
    // The way to a slow model query: its name says for how many milliseconds.
    await larder.sql.query(`
      CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN PERFORM pg_sleep(split_part(NEW.name, ' ', 1)::float / 1000); RETURN NEW; END $$;
      CREATE TRIGGER dawdle BEFORE UPDATE ON categories FOR EACH ROW EXECUTE FUNCTION dawdle()`);
  });

  afterAll(() => larder.close());

  const name = (ms: number) => `${ms} ${SECRET}`;
  const update = (ms: number) => Prisma.sql`
    UPDATE categories SET name = ${name(ms)} WHERE store_id = ${currentStore()}::uuid AND id = ${category}::uuid RETURNING id`;
  const ways: [string, (ms: number) => Provocation][] = [
    [
      'a model query',
      (ms) => (db) => db.prisma.category.updateMany({ where: { id: category }, data: { name: name(ms) } }),
    ],
    [
      'a model query in a transaction',
      (ms) => (db) =>
        db.transaction((tx) => tx.category.updateMany({ where: { id: category }, data: { name: name(ms) } })),
    ],
    ['raw SQL', (ms) => (db) => db.prisma.$queryRaw(update(ms))],
    ['raw SQL in a transaction', (ms) => (db) => db.transaction((tx) => tx.$queryRaw(update(ms)))],
    ['a statement of the fast lane', (ms) => (db) => db.query(update(ms))],
  ];

  const linesOf = (response: Response) =>
    larder.logLines().filter(
      ({ event, requestId, operation }) =>
        event === 'slow_query_detected' &&
        requestId === response.headers['x-request-id'] &&
        // On a busy machine, a BEGIN or COMMIT may be slow too.
        !TRANSACTION_STEPS.has(String(operation)),
    );
  const counted = (threshold: number) =>
    sumOfMetric(
      larder,
      'larder_db_slow_queries_total',
      `operation="UPDATE",table="categories",threshold="${threshold}"`,
    );

  it.each(ways)('are told of from 100 ms on, as %s', async (_way, act) => {
    let before = 0;
    let warned = 0;
    let response: Response;
    // A busy machine may make it one that is a warning.
    do {
      [before, warned] = [await counted(100), await counted(500)];
      response = await provoke(larder, act(150));
      expect(response.status).toBe(200);
    } while (linesOf(response).some(({ duration }) => Number(duration) >= 500));
    expect(linesOf(response)).toEqual([
      {
        level: 'info',
        timestamp: expect.any(String),
        event: 'slow_query_detected',
        requestId: response.headers['x-request-id'],
        duration: expect.any(Number),
        threshold: 100,
        table: 'categories',
        operation: 'UPDATE',
      },
    ]);
    expect(linesOf(response)[0]!.duration).toBeGreaterThanOrEqual(150);
    expect([await counted(100), await counted(500)]).toEqual([before + 1, warned]);
  });

  it.each(ways)('are a warning from 500 ms on, as %s', async (_way, act) => {
    const before = await counted(500);
    const response = await provoke(larder, act(520));
    expect(linesOf(response)).toMatchObject([
      { level: 'warn', threshold: 500, table: 'categories', operation: 'UPDATE' },
    ]);
    expect(await counted(500)).toBe(before + 1);
  });

  it('are told of when they fail, too', async () => {
    const response = await provoke(larder, (db) =>
      db.query(Prisma.sql`UPDATE categories SET name = ${name(150)}, slug = NULL WHERE id = ${category}::uuid`),
    );
    expect(response.status).toBe(500);
    expect(linesOf(response)).toMatchObject([{ level: 'info', operation: 'UPDATE', table: 'categories' }]);
  });

  it('are none when they are fast', async () => {
    const told: number[] = [];
    for (let i = 0; i < 20; i++) {
      told.push(linesOf(await provoke(larder, (db) => db.prisma.category.findMany())).length);
    }
    // A machine that has other things to do may be slow once.
    expect(told.filter((lines) => lines === 0).length).toBeGreaterThan(10);
  });

  it('are told of without the values they were asked with', () => {
    expect(JSON.stringify(larder.logLines())).not.toContain(SECRET);
  });

  it('are as slow as the configuration says', async () => {
    const strict = await startApp({ SLOW_QUERY_LOG_MS: '10', SLOW_QUERY_WARN_MS: '40' }, [ProvocationsController]);
    await new Factory(strict.sql).store();
    const slow = async (seconds: number) => {
      await provoke(strict, (db) => db.query(Prisma.sql`SELECT pg_sleep(${seconds}::float) FROM stores`));
      const lines = strict
        .logLines()
        .filter(({ event, table }) => event === 'slow_query_detected' && table === 'stores');
      return lines.at(-1)!;
    };
    expect(await slow(0.05)).toMatchObject({ level: 'warn', threshold: 40 });
    // A busy machine may make more of it.
    let line = await slow(0.02);
    while (Number(line.duration) >= 40) line = await slow(0.02);
    expect(line).toMatchObject({ level: 'info', threshold: 10 });
    await strict.close();
  });
});

it('are logged by the embedded database itself, without the values either', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'larder-test-slow-'));
  // Run as root, the server has another user, who must get through.
  await chmod(folder, 0o711);
  const server = await startEmbeddedPostgres({ dataDir: folder });
  try {
    await withClient(server.url, async (client) => {
      await client.query('SELECT pg_sleep(0.12), $1::text', [SECRET]);
      await client.query('SELECT $1::text', [SECRET]);
    });
    const log = await readFile(join(folder, 'postgres', 'postgres.log'), 'utf8');
    expect(log.match(/duration: .* ms .*SELECT pg_sleep/g)).toHaveLength(1);
    expect(log).not.toContain(SECRET);
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
