import { applyMigrations } from '../platform/prisma/migrations.js';

/** `node dist/cli/migrate.js`: brings DATABASE_URL up to date, where there is no Prisma CLI: in the production image. */
const url = process.env.DATABASE_URL;
if (!url) {
  console.error('Set DATABASE_URL to the database that is to be migrated.');
  process.exit(2);
}
try {
  const applied = await applyMigrations(url);
  for (const name of applied) console.log(`applied ${name}`);
  console.log(
    applied.length === 0 ? 'Nothing to do: all migrations are applied.' : `${applied.length} migrations applied.`,
  );
} catch (error) {
  const { message, cause } = error as Error;
  console.error(cause instanceof Error ? `${message}: ${cause.message}` : message);
  process.exitCode = 1;
}
