import type { Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { PassThrough } from 'node:stream';
import pg from 'pg';
import supertest from 'supertest';
import type TestAgent from 'supertest/lib/agent.js';
import { AppModule } from '../../src/app.module.js';
import { createServer } from '../../src/app.setup.js';
import { LarderConfig, loadConfig } from '../../src/config/config.js';
import { createPino } from '../../src/platform/logging/pino.js';
import { createTestDatabase } from './database.js';

export interface TestApp {
  app: NestFastifyApplication;
  config: LarderConfig;
  /** Where it listens, for clients that open many connections at once. */
  url: string;
  http: TestAgent;
  /** A connection of the test's own, to check with SQL what is in the database. */
  sql: pg.Pool;
  /** Lines that were logged so far, parsed. */
  logLines(): Record<string, unknown>[];
  close(): Promise<void>;
}

class LarderUnderTest {}

/**
 * Larder over a database of its own, or the one given in DATABASE_URL, on a free port, its log kept for reading; with
 * controllers of the test's. Its role is api, so that nothing happens behind the test's back; a test of jobs says LARDER_ROLE.
 * @param before is run before anything starts: for jobs and schedules of the test's
 */
export async function startApp(
  settings: Record<string, string> = {},
  controllers: Type<unknown>[] = [],
  before: (app: NestFastifyApplication) => void = () => undefined,
): Promise<TestApp> {
  const database = settings.DATABASE_URL
    ? { url: settings.DATABASE_URL, drop: () => Promise.resolve() }
    : await createTestDatabase();
  const config = loadConfig({
    NODE_ENV: 'test',
    LARDER_ROLE: 'api',
    LOG_LEVEL: 'info',
    HOST: '127.0.0.1',
    PORT: '0',
    DATABASE_URL: database.url,
    // On a machine that does much else a connection alone may take a second.
    POOL_ACQUIRE_TIMEOUT_MS: '5000',
    ...settings,
  });
  const log = new PassThrough();
  const chunks: string[] = [];
  log.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  const imports = [AppModule.of(config, createPino(config, log))];
  const app = await createServer({ module: LarderUnderTest, imports, controllers }, config);
  before(app);
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const sql = new pg.Pool({ connectionString: database.url, max: 5 });
  // Dropping the database may cut off a connection that has said goodbye but is still there.
  sql.on('error', () => undefined);
  return {
    app,
    config,
    url,
    http: supertest(url),
    sql,
    logLines: () =>
      chunks
        .join('')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    close: async () => {
      await app.close();
      await sql.end();
      await database.drop();
    },
  };
}
