import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configurationPage } from './configuration-page.js';
import { errorsPage } from './errors-page.js';

/** `node dist/cli/docs.js <folder>`: the pages that are made from the code, so that they can't differ from it. */
const [folder] = process.argv.slice(2);
if (!folder) {
  console.error('Say which folder to write to: node dist/cli/docs.js docs');
  process.exit(2);
}
await writeFile(join(folder, 'errors.md'), await errorsPage());
await writeFile(join(folder, 'configuration.md'), configurationPage());
