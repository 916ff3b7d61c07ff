import { rmSync, writeFileSync } from 'node:fs';

/**
 * A file that is there while the engine owes an answer. An engine that dies early leaves the CLI waiting for nothing, and
 * Node then ends it with success and without a word (7.10). prisma/cli.mjs finds this file and knows better.
 */
const file = process.env.SCHEMA_ENGINE_BUSY_FILE;

export function setBusy() {
  if (file) writeFileSync(file, '');
}

export function setIdle() {
  if (file) rmSync(file, { force: true });
}
