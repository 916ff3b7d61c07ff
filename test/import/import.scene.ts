import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type ImportOptions, type ImportSummary, runImport } from '../../src/import/run-import.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { Factory, type TestStore } from '../support/factories.js';

/** A store to import into, and a folder for the files. */
export class ImportScene {
  private constructor(
    readonly database: TestDatabase,
    readonly sql: pg.Pool,
    readonly make: Factory,
    readonly store: TestStore,
    readonly folder: string,
  ) {}

  static async open(): Promise<ImportScene> {
    const database = await createTestDatabase();
    const sql = new pg.Pool({ connectionString: database.url, max: 4 });
    sql.on('error', () => undefined);
    const make = new Factory(sql);
    const store = await make.store('demo');
    return new ImportScene(database, sql, make, store, await mkdtemp(join(tmpdir(), 'larder-import-test-')));
  }

  async close(): Promise<void> {
    await this.sql.end();
    await this.database.drop();
    await rm(this.folder, { recursive: true, force: true });
  }

  get report(): string {
    return join(this.folder, 'rejected.csv');
  }

  async file(name: string, content: string | Buffer): Promise<string> {
    const path = join(this.folder, name);
    await writeFile(path, content);
    return path;
  }

  run(
    files: Partial<Pick<ImportOptions, 'catalog' | 'orders'>>,
    changes: Partial<ImportOptions> = {},
  ): Promise<ImportSummary> {
    return runImport({
      connectionString: this.database.url,
      store: this.store.slug,
      catalog: undefined,
      orders: undefined,
      dryRun: false,
      report: this.report,
      mostRejected: 100_000,
      showProgress: false,
      isStopped: () => false,
      ...files,
      ...changes,
    });
  }

  /** The report's lines after its header, by line number. */
  async rejected(): Promise<Record<string, string>> {
    const text = await readFile(this.report, 'utf8');
    const rows = text.trimEnd().split('\r\n').slice(1);
    return Object.fromEntries(rows.map((row) => [row.split(',')[1]!, row.split(',').slice(2).join(',')]));
  }

  async rows<Row extends object = Record<string, unknown>>(text: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.sql.query<Row>(text, values)).rows;
  }

  async count(table: string): Promise<number> {
    const [row] = await this.rows<{ count: string }>(`SELECT count(*) FROM ${table}`);
    return Number(row!.count);
  }
}

export function csv(columns: string[], rows: Record<string, string | number>[]): string {
  const lines = rows.map((row) => columns.map((column) => String(row[column] ?? '')).join(','));
  return [columns.join(','), ...lines, ''].join('\n');
}
