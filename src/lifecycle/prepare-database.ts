import { join, resolve } from 'node:path';
import type { LarderConfig } from '../config/config.js';
import { createDemoData } from '../demo/demo-data.js';
import type { LarderLogger } from '../platform/logging/larder-logger.js';
import { applyMigrations } from '../platform/prisma/migrations.js';
import { databaseFailure } from './start-failure.js';

export interface PreparedDatabase {
  url: string;
  /** Where an embedded database's URL stands for psql and the like. */
  urlFile?: string;
  /** Stops an embedded database; nothing to do for one that was given. */
  stop(): Promise<void>;
}

/**
 * The database to serve from: the given one, else an embedded one. Outside of production it is brought up to date and
 * filled with the demo stores; in production that is a step of the deployment, and readiness waits for it.
 */
export async function prepareDatabase(config: LarderConfig, logger: LarderLogger): Promise<PreparedDatabase> {
  const database = config.DATABASE_URL ? given(config.DATABASE_URL) : await startEmbedded(config.DATA_DIR, logger);
  if (config.NODE_ENV === 'production') return database;
  try {
    await bringUpToDate(database.url, logger);
    return database;
  } catch (error) {
    await database.stop();
    throw config.DATABASE_URL ? databaseFailure(error) : error;
  }
}

function given(url: string): PreparedDatabase {
  return { url, stop: () => Promise.resolve() };
}

async function startEmbedded(dataDir: string, logger: LarderLogger): Promise<PreparedDatabase> {
  // Loaded only here: production is installed without the embedded database.
  const { startEmbeddedPostgres } = await import('../platform/embedded/embedded-postgres.js');
  const database = await startEmbeddedPostgres({
    dataDir,
    onLog: (message) => logger.info({ event: 'embedded_database_updated', message }),
  });
  return { url: database.url, urlFile: join(resolve(dataDir), 'database-url'), stop: () => database.stop() };
}

async function bringUpToDate(url: string, logger: LarderLogger): Promise<void> {
  const migrations = await applyMigrations(url);
  if (migrations.length > 0) logger.info({ event: 'database_migrations_completed', applied: migrations.length });
  const started = performance.now();
  const stores = await createDemoData(url);
  const duration = Math.round(performance.now() - started);
  if (stores.length > 0) logger.info({ event: 'larder_demo_created', stores, duration });
}
