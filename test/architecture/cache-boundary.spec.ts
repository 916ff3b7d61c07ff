import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Files of a project that has nothing but them, by what they import. */
const FILES: Record<string, string[]> = {
  'src/platform/cache/cache.service.ts': ['./invalidation/cache-invalidation.js'],
  'src/platform/cache/invalidation/cache-invalidation.ts': [],
  'src/modules/catalog/product-list.ts': ['../../platform/cache/cache.service.js'],
  'src/modules/catalog/products.controller.ts': ['./product-list.js'],
  'src/modules/orders/place-order.ts': ['../../platform/cache/invalidation/cache-invalidation.js'],
};
const RULES = ['decides-by-a-cache', 'decides-by-a-cached-service', 'invalidation-reads'];

let project: string;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'larder-imports-'));
  await writeFile(
    join(project, 'tsconfig.json'),
    '{"compilerOptions":{"module":"NodeNext","moduleResolution":"NodeNext"}}',
  );
  await writeFile(join(project, 'package.json'), '{"type":"module"}');
});
afterAll(() => rm(project, { recursive: true, force: true }));

/** The rules about the cache that are broken when these files are there too. */
async function broken(changed: Record<string, string[]> = {}): Promise<string[]> {
  for (const [file, imports] of Object.entries({ ...FILES, ...changed })) {
    await mkdir(dirname(join(project, file)), { recursive: true });
    await writeFile(join(project, file), [...imports.map((name) => `import '${name}';`), 'export {};'].join('\n'));
  }
  const cruiser = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const args = [cruiser, '--config', join(ROOT, '.dependency-cruiser.mjs'), '--output-type', 'json', 'src'];
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, args, { cwd: project }, (_error, stdout) => resolve(stdout));
  });
  const { summary } = JSON.parse(output) as { summary: { violations: { rule: { name: string } }[] } };
  return summary.violations.map(({ rule }) => rule.name).filter((name) => RULES.includes(name));
}

describe('What decides about money or stock', () => {
  it('may tell the cache what has changed, while controllers show what was cached', async () => {
    expect(await broken()).toEqual([]);
  });

  it.each([
    ['reads no cache', '../../platform/cache/cache.service.js', 'decides-by-a-cache'],
    ['asks no service that reads one', '../catalog/product-list.js', 'decides-by-a-cached-service'],
  ])('%s', async (_sentence, imported, rule) => {
    expect(await broken({ 'src/modules/orders/place-order.ts': [imported] })).toEqual([rule]);
  });

  it('finds no answer behind the invalidation either', async () => {
    const file = 'src/platform/cache/invalidation/storms.ts';
    expect(await broken({ [file]: ['../cache.service.js'] })).toEqual(['invalidation-reads']);
  });
});
