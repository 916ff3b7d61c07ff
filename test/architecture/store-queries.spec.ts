import { describe, expect, it } from '@jest/globals';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FILES = globSync('src/modules/**/*.queries.ts', { cwd: ROOT });

/** Tables with a store_id, from the schema's @@map and its fields. */
function tablesOfStores(): Set<string> {
  const schema = globSync('prisma/schema/*.prisma', { cwd: ROOT })
    .map((file) => readFileSync(join(ROOT, file), 'utf8'))
    .join('\n');
  const models = schema.match(/^model [\s\S]*?^}/gm) ?? [];
  return new Set(
    models
      .filter((model) => model.includes('@map("store_id")'))
      .map((model) => /@@map\("(\w+)"\)/.exec(model)?.[1] ?? ''),
  );
}

interface Declared {
  text: string;
  exported: boolean;
  builds: boolean;
}

/** Functions and constants at the top of a file, by name. */
function declarations(file: string): Map<string, Declared> {
  const source = ts.createSourceFile(file, readFileSync(join(ROOT, file), 'utf8'), ts.ScriptTarget.ES2024, true);
  const found = new Map<string, Declared>();
  for (const statement of source.statements) {
    const names = ts.isFunctionDeclaration(statement)
      ? [statement.name]
      : ts.isVariableStatement(statement)
        ? statement.declarationList.declarations.map(({ name }) => name)
        : [];
    for (const name of names) {
      if (!name || !ts.isIdentifier(name)) continue;
      const text = statement.getText(source);
      const exported = /^export /.test(text);
      found.set(name.text, { text, exported, builds: /Prisma\.(sql|join)/.test(text) });
    }
  }
  return found;
}

/** A declaration's text with that of everything it uses in its file. */
function wholeText(name: string, all: Map<string, Declared>, seen = new Set<string>()): string {
  const own = all.get(name);
  if (!own || seen.has(name)) return '';
  seen.add(name);
  const used = [...all.keys()].filter((other) => new RegExp(`\\b${other}\\b`).test(own.text));
  return [own.text, ...used.map((other) => wholeText(other, all, seen))].join('\n');
}

/** Tables of stores that a text names without binding that mention to a store. */
function unboundTables(text: string, tables: Set<string>): string[] {
  const mentions = text.matchAll(
    /\b(?:FROM|JOIN|UPDATE|DELETE FROM)\s+\(?\s*([a-z_]+)(?:[ \t]+(?!SET|ON|WHERE\b)([a-z]\w*))?/g,
  );
  return [...mentions]
    .filter(([, table]) => tables.has(table ?? ''))
    .filter(([, , alias]) => !new RegExp(alias ? `\\b${alias}\\.store_id\\b` : '\\bstore_id\\b').test(text))
    .map(([mention]) => mention);
}

const statements = FILES.flatMap((file) => {
  const all = declarations(file);
  return [...all]
    .filter(([, { exported, builds }]) => exported && builds)
    .map(([name]) => ({ statement: `${file}: ${name}`, text: wholeText(name, all) }));
});

/** What has to look over all stores says so in its name: sweepers, and a webhook that tells itself whose it is. */
const bound = statements.filter(({ statement }) => !/: acrossStores[A-Z]/.test(statement));

describe('Hand-written SQL', () => {
  it('is found where it should be', () => {
    expect(FILES.length).toBeGreaterThan(5);
    expect(statements.length).toBeGreaterThan(25);
    expect(tablesOfStores().size).toBeGreaterThan(20);
  });

  it.each(bound)('is bound to the store of the request: $statement', ({ text }) => {
    expect(text).toContain('currentStore()');
    expect(unboundTables(text, tablesOfStores())).toEqual([]);
  });

  it('would be caught when it was not', () => {
    const tables = new Set(['orders', 'payments']);
    expect(unboundTables('SELECT 1 FROM orders o WHERE o.id = 1', tables)).toEqual(['FROM orders o']);
    expect(unboundTables('UPDATE orders SET status = 1 WHERE id = 1', tables)).toEqual(['UPDATE orders']);
    const join = 'SELECT 1 FROM orders o JOIN payments p ON p.order_id = o.id WHERE o.store_id = 1';
    expect(unboundTables(join, tables)).toEqual(['JOIN payments p']);
    expect(unboundTables(join.replace('ON', 'ON p.store_id = o.store_id AND'), tables)).toEqual([]);
  });
});
