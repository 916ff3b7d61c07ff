/**
 * Makes or updates the schema of graphile-worker in DATABASE_URL, after Prisma has applied Larder's migrations. The library keeps
 * account of its own; where it has nothing to do, this is one query.
 */
import { Logger, runMigrations } from 'graphile-worker';

try {
  await runMigrations({ connectionString: process.env.DATABASE_URL, logger: new Logger(() => () => undefined) });
} catch (error) {
  console.error(`The jobs' schema: ${error.message}`);
  process.exitCode = 1;
}
