import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { finished } from 'node:stream/promises';
import { ReplayFailure } from './replay-failure.ts';

const SHOWN_CHARACTERS = 500;

/** The report of the lines that can't be used: written as they are met, so that any number of them fits. */
export class RejectedLines {
  readonly path: string;
  readonly countByReason = new Map<string, number>();
  private readonly out: WriteStream;

  private constructor(path: string) {
    this.path = path;
    this.out = createWriteStream(path);
    this.out.write('line;reason;content\n');
  }

  static async open(path: string): Promise<RejectedLines> {
    try {
      await mkdir(dirname(path), { recursive: true });
      const lines = new RejectedLines(path);
      await once(lines.out, 'open');
      return lines;
    } catch (error) {
      throw new ReplayFailure(
        `The report can not be written: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  get count(): number {
    return [...this.countByReason.values()].reduce((sum, count) => sum + count, 0);
  }

  async add(lineNo: number, reason: string, content: string): Promise<void> {
    this.countByReason.set(reason, (this.countByReason.get(reason) ?? 0) + 1);
    const row = `${lineNo};${reason};"${content.slice(0, SHOWN_CHARACTERS).replaceAll('"', '""')}"\n`;
    if (!this.out.write(row)) await once(this.out, 'drain');
  }

  async close(): Promise<void> {
    this.out.end();
    await finished(this.out);
  }
}
