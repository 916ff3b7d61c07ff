/** Bytes. What is longer is passed over without being kept: a file without line ends, of any size, takes no more memory. */
export const LONGEST_LINE = 1_048_576;
/** Bytes of a line too long that are kept to show which one it is. */
const SHOWN_OF_TOO_LONG = 200;
const LINE_FEED = 0x0a;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

export interface FileLine {
  /** Counted from 1, as editors do. */
  no: number;
  /** Where it begins in the file, and where the next one does; bytes. */
  start: number;
  end: number;
  text: string;
  /** Why it can't be read. */
  fault?: string;
}

/** Cuts a file, or what is left of it from a line's beginning, into lines. */
export class LineSplitter {
  private readonly decoder = new TextDecoder('utf-8', { fatal: true });
  /** Parts of the line that is not ended yet, LONGEST_LINE bytes at most. */
  private parts: Buffer[] = [];
  private kept = 0;
  /** Its bytes so far, kept or not. */
  private length = 0;

  constructor(
    /** Where the line begins that is not ended yet. */
    private start: number,
    /** Lines before it. */
    private lines: number,
  ) {}

  push(chunk: Buffer): FileLine[] {
    const found: FileLine[] = [];
    let from = 0;
    for (let feed = chunk.indexOf(LINE_FEED); feed >= 0; feed = chunk.indexOf(LINE_FEED, from)) {
      this.keep(chunk.subarray(from, feed));
      found.push(this.take(1));
      from = feed + 1;
    }
    this.keep(chunk.subarray(from));
    return found;
  }

  /** The last line, where no line feed ends it. */
  end(): FileLine[] {
    return this.length > 0 ? [this.take(0)] : [];
  }

  private keep(part: Buffer): void {
    this.length += part.length;
    // One more than allowed, for a carriage return.
    const room = LONGEST_LINE + 1 - this.kept;
    if (part.length === 0 || room <= 0) return;
    // A copy: the chunk's memory is not held for a few bytes of it.
    this.parts.push(Buffer.from(part.subarray(0, room)));
    this.kept += Math.min(part.length, room);
  }

  private take(feeds: 0 | 1): FileLine {
    let bytes = this.parts.length === 1 ? this.parts[0]! : Buffer.concat(this.parts);
    this.lines += 1;
    const line = { no: this.lines, start: this.start, end: this.start + this.length + feeds };
    const length = this.length;
    this.start = line.end;
    this.parts = [];
    this.kept = 0;
    this.length = 0;
    if (line.start === 0 && bytes.subarray(0, 3).equals(BYTE_ORDER_MARK)) bytes = bytes.subarray(3);
    if (bytes.at(-1) === 0x0d) bytes = bytes.subarray(0, -1);
    if (length > LONGEST_LINE + 1) {
      const text = bytes.subarray(0, SHOWN_OF_TOO_LONG).toString('latin1');
      return { ...line, text, fault: `longer than ${LONGEST_LINE} bytes (${length}, from byte ${line.start} on)` };
    }
    return { ...line, ...this.decode(bytes, line.start) };
  }

  private decode(bytes: Buffer, start: number): { text: string; fault?: string } {
    try {
      const text = this.decoder.decode(bytes);
      if (text.includes('\0')) return { text, fault: `has a zero byte (line from byte ${start} on)` };
      return { text };
    } catch {
      return { text: bytes.toString('latin1'), fault: `is not UTF-8 (line from byte ${start} on)` };
    }
  }
}
