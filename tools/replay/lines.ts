import { parse } from 'csv-parse/sync';

/** Characters; the real file's longest line has 200. What is longer is not read into memory. */
export const LONGEST_LINE = 16_384;

export interface FileLine {
  /** Counted from 1, as editors do. */
  no: number;
  text: string;
  /** Why it has no fields, or its fields. */
  fault: string | undefined;
  fields: string[];
}

interface RawLine {
  no: number;
  text: string;
}

/** A quote inside of a field is a character like any other (12" RULER); the record ends with its line. */
const FORMAT = { delimiter: ';', record_delimiter: '\n', relax_quotes: true, relax_column_count: true } as const;

/**
 * The file's lines, blank ones left out, in batches of a chunk each. A record is one line: a quote that is opened and never
 * closed spoils its own line and not the rest of the file.
 */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<FileLine[]> {
  // Takes the byte-order mark away and makes broken UTF-8 visible as U+FFFD.
  const decoder = new TextDecoder();
  const splitter = new LineSplitter();
  for await (const chunk of chunks) yield withFields(splitter.push(decoder.decode(chunk, { stream: true })));
  yield withFields([...splitter.push(decoder.decode()), ...splitter.end()]);
}

class LineSplitter {
  private rest = '';
  private no = 0;

  push(text: string): RawLine[] {
    const lines: RawLine[] = [];
    let from = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      lines.push(this.line(text.slice(from, end)));
      from = end + 1;
    }
    // Two more than a line may have: what is cut off here is still seen to be too long, even with \r at its end.
    this.rest = (this.rest + text.slice(from)).slice(0, LONGEST_LINE + 2);
    return lines.filter(({ text }) => text !== '');
  }

  end(): RawLine[] {
    return this.rest === '' ? [] : [this.line('')];
  }

  private line(tail: string): RawLine {
    const text = this.rest + tail;
    this.rest = '';
    this.no += 1;
    return { no: this.no, text: text.endsWith('\r') ? text.slice(0, -1) : text };
  }
}

/** Lines without a quote are parsed together, which is four times as fast; those with one, each alone. */
function withFields(lines: RawLine[]): FileLine[] {
  const plain = lines.filter(({ text }) => text.length <= LONGEST_LINE && !text.includes('"'));
  const records = parse(plain.map(({ text }) => text).join('\n'), FORMAT);
  if (records.length !== plain.length) throw new Error(`${plain.length} lines were parsed as ${records.length}`);
  const fieldsByNo = new Map(plain.map(({ no }, index) => [no, records[index] ?? []]));
  return lines.map((line) => {
    const fields = fieldsByNo.get(line.no);
    if (fields) return { ...line, fault: undefined, fields };
    return line.text.length > LONGEST_LINE ? tooLong(line) : withQuotes(line);
  });
}

function tooLong({ no, text }: RawLine): FileLine {
  return { no, text: text.slice(0, LONGEST_LINE), fault: `longer than ${LONGEST_LINE} characters`, fields: [] };
}

function withQuotes(line: RawLine): FileLine {
  try {
    return { ...line, fault: undefined, fields: parse(line.text, FORMAT)[0] ?? [] };
  } catch {
    return { ...line, fault: 'broken quotes', fields: [] };
  }
}
