import { defineConfig } from 'prisma/config';

/** DATABASE_URL may be missing: `generate` needs none, and prisma/cli.mjs has the word for commands that do. */
const url = process.env['DATABASE_URL'];

export default defineConfig({
  schema: 'prisma/schema',
  migrations: { path: 'prisma/migrations' },
  ...(url ? { datasource: { url } } : {}),
});
