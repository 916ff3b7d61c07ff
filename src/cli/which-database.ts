import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The given database; else the embedded one that runs here, which keeps its URL in a file.
 * @throws Error that says what to do when there is none
 */
export function whichDatabase(given = process.env.DATABASE_URL): string {
  if (given) return given;
  const file = join(process.env.DATA_DIR || '.data', 'database-url');
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  throw new Error(`Which database? DATABASE_URL is not set, and no embedded database runs here (there is no ${file}).`);
}
