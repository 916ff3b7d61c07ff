import { createWriteStream, type WriteStream } from 'node:fs';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { ImportFailure } from './import-failure.js';
import type { Rejection } from './rejection.js';

/** Lines that could not be used, with their reasons, as CSV. Made when there is one. */
export class RejectionReport {
  private out: WriteStream | undefined;

  constructor(readonly path: string) {}

  get isWritten(): boolean {
    return this.out !== undefined;
  }

  /** @throws ImportFailure when it can't be written */
  async add(file: string, { line, reason, content }: Rejection): Promise<void> {
    if (!this.out) {
      this.out = createWriteStream(this.path);
      await once(this.out, 'open').catch(unwritten);
      // Told by the next row, or by close().
      this.out.on('error', () => undefined);
      this.out.write('file,line,reason,content\r\n');
    }
    if (this.out.errored) unwritten(this.out.errored);
    const row = [file, String(line), reason, content].map(cell).join(',');
    if (!this.out.write(`${row}\r\n`)) await once(this.out, 'drain').catch(unwritten);
  }

  /** @throws ImportFailure when it can't be written */
  async close(): Promise<void> {
    if (!this.out) return;
    this.out.end();
    await finished(this.out).catch(unwritten);
  }
}

function unwritten(error: Error): never {
  throw new ImportFailure(`The report can't be written: ${error.message}`);
}

/** What a spreadsheet would take for a formula is told as text: the file comes from who knows whom. */
function cell(value: string): string {
  const text = /^[\s]*[=+\-@]|^[\t\r\n]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
