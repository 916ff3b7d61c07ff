import { newId } from '../common/ids.js';
import type { CsvFile, FilePosition } from './csv-file.js';
import { ImportFailure } from './import-failure.js';
import {
  ADVANCE,
  BEGIN_AGAIN,
  BEGIN_RUN,
  FILLED,
  FINISH,
  KEEP_REJECTIONS,
  REJECTIONS,
  type RejectionRow,
  type RunRow,
} from './import-run.queries.js';
import type { ImportSession } from './import-session.js';
import type { Rejection } from './rejection.js';

export type ImportKind = 'CATALOG' | 'ORDERS';

export interface Counts {
  imported: number;
  present: number;
  rejected: number;
}

const SHOWN_CHARACTERS = 2000;
const PAGE = 1000;
/** By the tenth at the latest the store is in a sample of all tables. */
const TELL_AFTER_BATCHES = [1, 10];

/** What is known of a file's import, kept in the database with everything that it brings in. */
export class ImportRun {
  /** Of all runs over this file, as far as they got. */
  readonly counts: Counts;
  position: FilePosition;
  /** Nothing of the file is left to do. */
  readonly done: boolean;

  private batches = 0;

  private constructor(
    readonly session: ImportSession,
    private readonly kind: ImportKind,
    readonly file: CsvFile,
    readonly id: string,
    row: RunRow,
    private readonly mostRejected: number,
  ) {
    this.counts = { imported: Number(row.imported), present: Number(row.present), rejected: Number(row.rejected) };
    this.done = row.status === 'DONE';
    this.position = { bytes: Number(row.position_bytes), lines: Number(row.position_lines) };
    if (this.position.bytes === 0) this.position = { bytes: file.bodyStart, lines: file.bodyLine };
  }

  /** A file that was begun goes on, one of which lines were rejected is read again, one that is done is left alone. */
  static async begin(
    session: ImportSession,
    kind: ImportKind,
    file: CsvFile,
    mostRejected: number,
  ): Promise<ImportRun> {
    const { client, store } = session;
    const begin = async (): Promise<RunRow> => {
      const values = [store.id, newId(), kind, file.name, file.bytes, file.fingerprint];
      const { rows } = await client.query<RunRow>(BEGIN_RUN, values);
      return rows[0]!;
    };
    let row = await begin();
    if (row.status === 'DONE' && Number(row.rejected) > 0) {
      const { id } = row;
      await session.transaction(async () => {
        for (const statement of BEGIN_AGAIN) await client.query(statement, [store.id, id]);
      });
      row = await begin();
    }
    return new ImportRun(session, kind, file, row.id, row, mostRejected);
  }

  get isResumed(): boolean {
    return !this.done && this.position.bytes > this.file.bodyStart;
  }

  /** In the transaction of the batch: how far the file is now, and what could not be used. */
  async advance(position: FilePosition, added: Omit<Counts, 'rejected'>, rejections: Rejection[]): Promise<void> {
    const { client, store } = this.session;
    if (rejections.length > 0)
      await client.query(KEEP_REJECTIONS, [store.id, this.id, JSON.stringify(shortened(rejections))]);
    const { imported, present } = added;
    await client.query(ADVANCE, [
      store.id,
      this.id,
      position.bytes,
      position.lines,
      imported,
      present,
      rejections.length,
    ]);
  }

  /**
   * After the commit of the batch. Early on the planner is told: of a store that it doesn't know it takes any index for good, and
   * checks foreign keys into a table that was empty by reading all of it. Into a database with another store of 40,000 orders,
   * 10,000 cost three times as much, and more the longer it took.
   * @throws ImportFailure when so many lines were rejected that it is hardly the file that was meant
   */
  async advanced(position: FilePosition, { imported, present, rejected }: Counts): Promise<void> {
    this.position = position;
    if (TELL_AFTER_BATCHES.includes(++this.batches)) await this.tellPlanner();
    this.counts.imported += imported;
    this.counts.present += present;
    this.counts.rejected += rejected;
    if (this.counts.rejected < this.mostRejected) return;
    throw new ImportFailure(
      `${this.file.path}: ${this.counts.rejected} lines were rejected up to line ${position.lines}; the report says why. ` +
        'To go on all the same, say --max-rejected.',
    );
  }

  async finish(): Promise<void> {
    const { client, store } = this.session;
    await this.session.transaction(async () => {
      for (const statement of FINISH) await client.query(statement, [store.id, this.id]);
    });
    await this.tellPlanner();
  }

  private async tellPlanner(): Promise<void> {
    if (!this.session.dryRun) await this.session.client.query(`ANALYZE ${FILLED[this.kind]}`);
  }

  /** Lines that could not be used, in the order of the file. */
  async *rejections(): AsyncGenerator<Rejection> {
    const { client, store } = this.session;
    for (let after = '0'; ;) {
      const { rows } = await client.query<RejectionRow>(REJECTIONS, [store.id, this.id, after, PAGE]);
      for (const { line_no, reason, content } of rows) yield { line: Number(line_no), reason, content };
      if (rows.length < PAGE) return;
      after = rows.at(-1)!.line_no;
    }
  }
}

function shortened(rejections: Rejection[]): Rejection[] {
  return rejections.map((rejection) => {
    // PostgreSQL can't hold a zero character, nor half of a pair.
    const content = rejection.content.replaceAll('\0', '\uFFFD').slice(0, SHOWN_CHARACTERS).toWellFormed();
    return { ...rejection, content };
  });
}
