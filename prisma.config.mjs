import { defineConfig } from 'prisma/config';

// `generate` needs no database, so a missing URL is no error here: prisma/cli.mjs asks for it where one is needed.
const { DATABASE_URL: url, SHADOW_DATABASE_URL: shadowDatabaseUrl } = process.env;

export default defineConfig({
  schema: 'prisma/schema',
  migrations: { path: 'prisma/migrations' },
  ...(url && { datasource: { url, shadowDatabaseUrl } }),
});
