import { writeFile } from 'node:fs/promises';
import { createApp, createOpenApi } from '../app.setup.js';
import { loadConfig } from '../config/config.js';

/** `node dist/cli/openapi.js <file>`: the OpenAPI document. Needs no database: the pool connects at the first query. */
const [file] = process.argv.slice(2);
if (!file) {
  console.error('Say which file to write: node dist/cli/openapi.js docs/openapi.json');
  process.exit(2);
}
const app = await createApp(loadConfig({ NODE_ENV: 'test', LOG_LEVEL: 'silent' }));
await writeFile(file, `${JSON.stringify(sorted(createOpenApi(app)), null, 2)}\n`);
await app.close();

/** By key at every level, so that the order of modules and routes makes no difference to the committed file. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
