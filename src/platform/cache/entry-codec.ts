import { promisify } from 'node:util';
import { deflate, inflate } from 'node:zlib';
import { Answer } from './answer.js';

const compress = promisify(deflate);
const decompress = promisify(inflate);

/** Beyond this, compressing costs less than sending: figures repeat themselves, a tenth of it is left. */
const COMPRESSED_FROM_BYTES = 10_240;
/** No answer of ours is as large: whatever unpacks to more isn't ours. */
const LARGEST_BYTES = 64 * 1_048_576;
const NEWLINE = 0x0a;

interface Head {
  key: string;
  /** Generations of the tags, as they were before the answer was read. */
  generations: string[];
  generatedAt: number;
  etag: string;
  compressed: boolean;
}

/** An entry as Redis keeps it: a line of JSON about it, then its text, compressed where that is long. */
export async function encodeEntry(key: string, answer: Answer, generations: string[]): Promise<Buffer> {
  const { json, generatedAt, etag } = answer;
  const text = Buffer.from(json);
  const compressed = text.length > COMPRESSED_FROM_BYTES;
  const head: Head = { key, generations, generatedAt, etag, compressed };
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), compressed ? await compress(text) : text]);
}

/** Undefined for what isn't an entry as it was written for this key, or is one of other generations. */
export async function decodeEntry(
  key: string,
  entry: Buffer | null,
  generations: readonly (string | undefined)[],
): Promise<Answer | undefined> {
  if (!entry) return undefined;
  try {
    const end = entry.indexOf(NEWLINE);
    const head = JSON.parse(entry.toString('utf8', 0, end)) as Head;
    const same =
      generations.length === head.generations.length && head.generations.every((it, i) => it === generations[i]);
    if (!same || head.key !== key || !Number.isSafeInteger(head.generatedAt)) return undefined;
    const text = entry.subarray(end + 1);
    const json = head.compressed ? await decompress(text, { maxOutputLength: LARGEST_BYTES }) : text;
    const { json: whole, etag } = Answer.ofJson(json.toString());
    return etag === head.etag ? Answer.restored(whole, etag, head.generatedAt) : undefined;
  } catch {
    return undefined;
  }
}
