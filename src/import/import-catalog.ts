import type { DatabaseError } from 'pg';
import { newId } from '../common/ids.js';
import { type CatalogLine, catalogLine } from './catalog-line.js';
import {
  CLEAR_VARIANTS,
  CREATE_CATALOG_STAGE,
  JUDGE_VARIANTS,
  KEEP_SKUS,
  STAGE_VARIANTS,
  VARIANT_FATES,
  type VariantFateRow,
  WRITE_CATALOG,
} from './catalog.queries.js';
import { readRecords } from './csv-file.js';
import type { CsvRecord } from './csv-records.js';
import { isRefusedData, reasonOf } from './refused-data.js';
import type { Counts, ImportRun } from './import-run.js';
import type { Progress } from './progress.js';
import type { Rejection } from './rejection.js';
import { Unusable } from './values.js';

/** Half a second's work: for so long nobody else can add a word to the search that is new here too. */
const BATCH_LINES = 500;

interface Written {
  imported: number;
  present: number;
  rejections: Rejection[];
}

/** Products and variants: new ones are added with their stock, known ones get what the file says of them. */
export class ImportCatalog {
  constructor(
    private readonly run: ImportRun,
    private readonly progress: Progress,
    private readonly isStopped: () => boolean,
  ) {}

  /** False when it was stopped before the end. */
  async import(): Promise<boolean> {
    const { run } = this;
    await run.session.client.query(CREATE_CATALOG_STAGE);
    let batch: CsvRecord[] = [];
    for await (const records of readRecords(run.file, run.position)) {
      for (const record of records) {
        batch.push(record);
        if (batch.length < BATCH_LINES) continue;
        await this.write(batch, record.end, record.lastLine);
        batch = [];
        if (this.isStopped()) return false;
      }
    }
    await this.write(batch, run.file.bytes, run.position.lines);
    await run.finish();
    return true;
  }

  private async write(records: CsvRecord[], bytes: number, lines: number): Promise<void> {
    const { session } = this.run;
    const usable: CatalogLine[] = [];
    const unusable: Rejection[] = [];
    for (const record of records) {
      const read = this.read(record);
      if ('reason' in read) unusable.push(read);
      else usable.push(read);
    }
    const position = { bytes, lines };
    const commit = (work: (lines: CatalogLine[]) => Promise<Written>): Promise<Counts> =>
      session.transaction(async () => {
        const { imported, present, rejections } = await work(usable);
        const all = [...unusable, ...rejections];
        await this.run.advance(position, { imported, present }, all);
        return { imported, present, rejected: all.length };
      });
    const counts = await commit((lines) => this.writeLines(lines)).catch((error: DatabaseError) => {
      if (!isRefusedData(error)) throw error;
      return commit((lines) => this.writeOneByOne(lines));
    });
    await this.run.advanced(position, counts);
    this.progress.at(bytes, this.run.counts);
  }

  private read(record: CsvRecord): CatalogLine | Rejection {
    try {
      return catalogLine(record, this.run.file.columns, this.run.session.store);
    } catch (error) {
      if (!(error instanceof Unusable)) throw error;
      return { line: record.line, content: record.content, reason: error.message };
    }
  }

  private async writeLines(lines: CatalogLine[]): Promise<Written> {
    const { session, id: importId } = this.run;
    const { client, store, dryRun } = session;
    if (lines.length === 0) return { imported: 0, present: 0, rejections: [] };
    await client.query(STAGE_VARIANTS, [JSON.stringify(withIds(lines))]);
    for (const statement of JUDGE_VARIANTS) {
      await client.query(
        statement,
        statement.includes('$2') ? [store.id, importId] : statement.includes('$1') ? [store.id] : [],
      );
    }
    const { rows: fates } = await client.query<VariantFateRow>(VARIANT_FATES);
    if (!dryRun) for (const statement of WRITE_CATALOG) await client.query(statement, [store.id]);
    await client.query(KEEP_SKUS, [store.id, importId]);
    const contents = new Map(lines.map(({ line, content }) => [line, content]));
    const rejections = fates
      .filter(({ fate }) => fate !== 'PRESENT')
      .map(({ line, fate }) => ({ line: Number(line), reason: fate, content: contents.get(Number(line)) ?? '' }));
    const present = fates.length - rejections.length;
    return { imported: lines.length - fates.length, present, rejections };
  }

  /** For a batch with a line that a constraint refuses: that one is rejected, the others are written. */
  private async writeOneByOne(lines: CatalogLine[]): Promise<Written> {
    const { client } = this.run.session;
    const written: Written = { imported: 0, present: 0, rejections: [] };
    for (const line of lines) {
      await client.query('SAVEPOINT before_line');
      try {
        const { imported, present, rejections } = await this.writeLines([line]);
        written.imported += imported;
        written.present += present;
        written.rejections.push(...rejections);
      } catch (error) {
        if (!isRefusedData(error as DatabaseError)) throw error;
        await client.query('ROLLBACK TO SAVEPOINT before_line');
        written.rejections.push({ line: line.line, content: line.content, reason: reasonOf(error as DatabaseError) });
      }
      await client.query(`RELEASE SAVEPOINT before_line; ${CLEAR_VARIANTS}`);
    }
    return written;
  }
}

/** Ids that sort as the lines do: products and variants are listed by them. */
function withIds(lines: CatalogLine[]) {
  const ids = () => lines.map(() => newId()).sort();
  const [products, variants, categories] = [ids(), ids(), ids()];
  return lines.map(({ content: _, image_urls, ...line }, index) => ({
    ...line,
    image_urls: image_urls?.join(' ') ?? null,
    new_product_id: products[index],
    new_variant_id: variants[index],
    new_category_id: categories[index],
  }));
}
