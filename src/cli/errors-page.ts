import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { catalogue, type ErrorCode } from '../common/exceptions/catalogue.js';
import { table } from './markdown.js';

const SOURCES = ['src', 'prisma/migrations'];
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CATALOGUE = join('src', 'common', 'exceptions', 'catalogue.ts');

/** docs/errors.md, from the catalogue; where a code is thrown is read from the sources. */
export async function errorsPage(): Promise<string> {
  const places = await placesOfCodes();
  const codes = Object.keys(catalogue) as ErrorCode[];
  const rows = codes
    .toSorted((a, b) => catalogue[a].status - catalogue[b].status || (a < b ? -1 : 1))
    .map((code) => {
      const { status, message, retryAfter, rule } = catalogue[code];
      const error = rule ? 'Business Rule Violation' : '';
      return [`\`${code}\``, String(status), message, error, retryAfter ? `${retryAfter} s` : '', places(code)];
    });
  return `# Errors

Every error has this body (\`details\` where there is more to say, one object for each field, line or amount):

\`\`\`json
{
  "statusCode": 409,
  "message": "There is not enough in stock for the lines named in details.",
  "error": "Conflict",
  "timestamp": "2026-11-21T10:15:30.123Z",
  "path": "/api/orders",
  "code": "INSUFFICIENT_STOCK",
  "requestId": "01a1fba0-36e1-7b24-ab06-cf9deb1fdd17",
  "details": [{ "code": "INSUFFICIENT_STOCK", "variantId": "…", "requested": 3, "available": 2 }]
}
\`\`\`

\`error\` is the name of the status, or \`Business Rule Violation\` where the table says so. With
\`Accept: application/problem+json\` the members of RFC 9457 are added. Where the table names a time, \`Retry-After\` is sent
and repeating the request makes sense; writes are safe to repeat with the same \`Idempotency-Key\`.

${table(['code', 'status', 'message', 'error', 'retry after', 'thrown in'], rows)}

This page is made by \`npm run docs\` from \`src/common/exceptions/catalogue.ts\`.
`;
}

/** Folders, below src/, of the files that name a code. */
async function placesOfCodes(): Promise<(code: string) => string> {
  const files: { place: string; text: string }[] = [];
  for (const source of SOURCES) {
    const entries = await readdir(join(ROOT, source), { withFileTypes: true, recursive: true });
    for (const entry of entries) {
      const path = join(relative(ROOT, entry.parentPath), entry.name);
      if (!entry.isFile() || path === CATALOGUE || path.includes('generated') || path.startsWith(join('src', 'cli')))
        continue;
      files.push({ place: placeOf(path), text: await readFile(join(ROOT, path), 'utf8') });
    }
  }
  return (code) => {
    const found = files.filter(({ text }) => text.includes(`'${code}'`)).map(({ place }) => place);
    return [...new Set(found)].sort().join(', ');
  };
}

function placeOf(path: string): string {
  const [, first = '', second = ''] = path.split(sep);
  if (path.startsWith('prisma')) return 'the database';
  return ['modules', 'platform'].includes(first) ? second : first;
}
