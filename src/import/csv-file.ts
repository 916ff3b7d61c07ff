import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { columnsOf, type Columns } from './columns.js';
import { type CsvRecord, RecordReader } from './csv-records.js';
import { LineSplitter, LONGEST_LINE } from './file-lines.js';
import { ImportFailure } from './import-failure.js';

const CHUNK_BYTES = 262_144;

/** A file to import, read once for what it is: its hash tells it from any other, and its first line has the columns. */
export interface CsvFile {
  path: string;
  name: string;
  bytes: number;
  /** Milliseconds since 1970. */
  changedAt: number;
  fingerprint: string;
  columns: Columns;
  /** Where the first record after the header begins, and the lines before it. */
  bodyStart: number;
  bodyLine: number;
}

/** Begins where a record does; `lines` is how many come before it. */
export interface FilePosition {
  bytes: number;
  lines: number;
}

/** @throws ImportFailure when it can't be read, is no CSV file, or has other columns than it should */
export async function openCsvFile(
  path: string,
  wanted: readonly string[],
  optional: readonly string[],
): Promise<CsvFile> {
  const found = await stat(path).catch((error: Error) => {
    throw new ImportFailure(`${path} can't be read: ${error.message}`);
  });
  if (!found.isFile()) throw new ImportFailure(`${path} is no file.`);
  const header = await readHeader(path);
  const columns = columnsOf(path, header.fields, wanted, optional);
  const fingerprint = await hashOf(path, found.size);
  const body = { bodyStart: header.end, bodyLine: header.lastLine };
  const { size: bytes, mtimeMs: changedAt } = found;
  return { path, name: basename(path), bytes, changedAt, fingerprint, columns, ...body };
}

/**
 * Records from a position on, in batches of a chunk each; reads no further than the file was long when it was opened.
 * @throws ImportFailure when it is changed meanwhile: its hash and the position in it would be of another file
 */
export async function* readRecords(file: CsvFile, from: FilePosition): AsyncGenerator<CsvRecord[]> {
  if (from.bytes >= file.bytes) return;
  const splitter = new LineSplitter(from.bytes, from.lines);
  const reader = new RecordReader();
  let read = from.bytes;
  for await (const chunk of streamOf(file.path, from.bytes, file.bytes - 1)) {
    read += chunk.length;
    await requireUnchanged(file);
    yield reader.push(splitter.push(chunk));
  }
  if (read < file.bytes) throw new ImportFailure(`${file.path} became shorter while it was read.`);
  await requireUnchanged(file);
  yield [...reader.push(splitter.end()), ...reader.end()];
}

async function requireUnchanged({ path, changedAt }: CsvFile): Promise<void> {
  const { mtimeMs } = await stat(path);
  if (mtimeMs !== changedAt) {
    throw new ImportFailure(
      `${path} was changed while it was read. Start again: what is there already is not doubled.`,
    );
  }
}

async function readHeader(path: string): Promise<CsvRecord> {
  const splitter = new LineSplitter(0, 0);
  const reader = new RecordReader();
  let start = true;
  let read = 0;
  for await (const chunk of streamOf(path, 0)) {
    if (start) refuseUtf16(path, chunk);
    start = false;
    read += chunk.length;
    const [first] = reader.push(splitter.push(chunk));
    if (first) return usable(path, first);
    if (read > LONGEST_LINE)
      throw new ImportFailure(`${path}: no line end in the first ${read} bytes. Is it a CSV file?`);
  }
  const [first] = [...reader.push(splitter.end()), ...reader.end()];
  if (!first) throw new ImportFailure(`${path} is empty: its first line has to name the columns.`);
  return usable(path, first);
}

function usable(path: string, header: CsvRecord): CsvRecord {
  if (header.fault !== undefined)
    throw new ImportFailure(`${path}: the line with the columns, line ${header.line}: ${header.fault}.`);
  return header;
}

function refuseUtf16(path: string, chunk: Buffer): void {
  const mark = chunk.subarray(0, 2).toString('hex');
  if (mark === 'fffe' || mark === 'feff') throw new ImportFailure(`${path} is UTF-16. Save it as UTF-8.`);
}

async function hashOf(path: string, bytes: number): Promise<string> {
  const hash = createHash('sha256');
  if (bytes > 0) for await (const chunk of streamOf(path, 0, bytes - 1)) hash.update(chunk);
  return hash.digest('hex');
}

async function* streamOf(path: string, start: number, end?: number): AsyncGenerator<Buffer> {
  for await (const chunk of createReadStream(path, { start, end, highWaterMark: CHUNK_BYTES })) yield chunk as Buffer;
}
