import type { Columns } from './columns.js';
import type { CsvRecord } from './csv-records.js';
import type { Rejection } from './rejection.js';
import { Fields, Unusable } from './values.js';

/** As many as an order can have. */
const MOST_LINES = 1000;

export interface OrderLineRecord {
  record: CsvRecord;
  fields: Fields;
}

/** The lines of one order, which stand next to each other in the file. */
export interface OrderGroup {
  reference: string;
  lines: OrderLineRecord[];
  /** Line of one beside them that can't be read, and so may be of this order too. */
  doubtedFor: number | null;
}

export interface Grouped {
  group: OrderGroup | null;
  rejections: Rejection[];
  /** The record that everything before has been done for; null where the reading can't begin anew, because of a doubt. */
  next: CsvRecord | null;
}

/** Puts lines together to orders. Keeps one order in memory. */
export class OrderGrouper {
  private open: OrderGroup | null = null;
  private doubt: number | null = null;
  private rejections: Rejection[] = [];

  constructor(private readonly columns: Columns) {}

  push(records: CsvRecord[]): Grouped[] {
    const done: Grouped[] = [];
    for (const record of records) {
      const line = this.read(record);
      if (line === undefined) continue;
      const reference = line.fields.raw('reference');
      if (this.open?.reference === reference) {
        this.add(this.open, line);
        continue;
      }
      const next = this.doubt === null ? record : null;
      if (this.open || next) done.push(this.close(next));
      this.open = { reference, lines: [line], doubtedFor: this.doubt };
      this.doubt = null;
    }
    return done;
  }

  end(): Grouped[] {
    return [this.close(null)];
  }

  private close(next: CsvRecord | null): Grouped {
    const { open: group, rejections } = this;
    this.open = null;
    this.rejections = [];
    return { group, rejections, next };
  }

  /** One that can't be read may be of the order before it or of the one after it. */
  private read(record: CsvRecord): OrderLineRecord | undefined {
    try {
      const fields = new Fields(record, this.columns);
      if (!fields.text('reference', 64)) throw new Unusable('reference: missing');
      return { record, fields };
    } catch (error) {
      if (!(error instanceof Unusable)) throw error;
      this.rejections.push({ line: record.line, content: record.content, reason: error.message });
      this.doubt = record.line;
      if (this.open) this.open.doubtedFor ??= record.line;
      return undefined;
    }
  }

  private add(group: OrderGroup, line: OrderLineRecord): void {
    this.doubt = null;
    group.lines.push(line);
    if (group.lines.length <= MOST_LINES) return;
    // Kept no longer, so that a file of one reference takes no more memory.
    const { record } = group.lines.splice(MOST_LINES, 1)[0]!;
    group.doubtedFor ??= record.line;
    this.rejections.push({
      line: record.line,
      content: record.content,
      reason: `an order of more than ${MOST_LINES} lines`,
    });
  }
}
