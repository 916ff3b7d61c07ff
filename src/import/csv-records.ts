import { parse } from 'csv-parse/sync';
import type { FileLine } from './file-lines.js';

export interface CsvRecord {
  /** The line that it begins in, and the one that it ends in. */
  line: number;
  lastLine: number;
  start: number;
  end: number;
  /** As it stands in the file. */
  content: string;
  /** Trimmed; empty where it has a fault. */
  fields: string[];
  fault?: string;
}

/** A quoted field may go over as many lines; one that doesn't end within them is taken for a quote that was never closed. */
const LONGEST_RECORD_LINES = 100;
const LONGEST_RECORD_CHARACTERS = 262_144;
const FORMAT = { record_delimiter: '\n', relax_column_count: true, trim: true } as const;

/**
 * The records of a file. A quote that is never closed, or that stands inside of a field, spoils its own line and nothing
 * after it. csv-parse gets complete lines, not the stream: of a stream it takes an open quote to the end of the file.
 */
export class RecordReader {
  private waiting: FileLine[] = [];

  push(lines: FileLine[]): CsvRecord[] {
    this.waiting.push(...lines);
    return this.read(false);
  }

  end(): CsvRecord[] {
    return this.read(true);
  }

  private read(ended: boolean): CsvRecord[] {
    const records: CsvRecord[] = [];
    let whole: FileLine[] = [];
    let next = 0;
    while (next < this.waiting.length) {
      const line = this.waiting[next]!;
      if (line.fault === undefined && line.text.trim() === '') {
        next += 1;
        continue;
      }
      if (line.fault === undefined && isClosed(line.text)) {
        whole.push(line);
        next += 1;
        continue;
      }
      const found = line.fault === undefined ? this.recordFrom(next, ended) : faulty(line, line.fault);
      if (found === 'more lines needed') break;
      records.push(...parseLines(whole), found);
      whole = [];
      next += found.lastLine - found.line + 1;
    }
    records.push(...parseLines(whole));
    this.waiting = this.waiting.slice(next);
    return records.filter(({ fields, fault }) => fault !== undefined || fields.some((field) => field !== ''));
  }

  /** The record that begins in a line with an open quote. */
  private recordFrom(first: number, ended: boolean): CsvRecord | 'more lines needed' {
    const line = this.waiting[first]!;
    let content = line.text;
    for (let count = 2; count <= LONGEST_RECORD_LINES && content.length <= LONGEST_RECORD_CHARACTERS; count++) {
      const last = this.waiting[first + count - 1];
      if (last === undefined) {
        if (!ended) return 'more lines needed';
        break;
      }
      if (last.fault !== undefined) break;
      content += `\n${last.text}`;
      if (isClosed(content)) {
        const fields = fieldsOf(content);
        return fields
          ? { line: line.no, lastLine: last.no, start: line.start, end: last.end, content, fields }
          : faulty(line, BROKEN);
      }
    }
    return faulty(line, BROKEN);
  }
}

const BROKEN = 'broken quotes';

/** Whether every quote that is opened is closed: a doubled one is both. */
function isClosed(text: string): boolean {
  let quotes = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) quotes += 1;
  return quotes % 2 === 0;
}

/** Together they take a quarter of the time; where one of them is broken, each alone. */
function parseLines(lines: FileLine[]): CsvRecord[] {
  if (lines.length === 0) return [];
  try {
    const records = parse(lines.map(({ text }) => text).join('\n'), FORMAT);
    if (records.length === lines.length) return lines.map((line, index) => recordOf(line, records[index] ?? []));
  } catch {
    // Which one it is shows when each is parsed alone.
  }
  return lines.map((line) => {
    const fields = fieldsOf(line.text);
    return fields ? recordOf(line, fields) : faulty(line, BROKEN);
  });
}

function fieldsOf(content: string): string[] | undefined {
  try {
    const records = parse(content, FORMAT);
    return records.length === 1 ? records[0] : undefined;
  } catch {
    return undefined;
  }
}

function recordOf({ no, start, end, text }: FileLine, fields: string[]): CsvRecord {
  return { line: no, lastLine: no, start, end, content: text, fields };
}

function faulty({ no, start, end, text }: FileLine, fault: string): CsvRecord {
  return { line: no, lastLine: no, start, end, content: text, fields: [], fault };
}
