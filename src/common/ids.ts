import { randomFillSync } from 'node:crypto';

const RANDOM_POOL = new Uint8Array(16 * 256);
let offset = RANDOM_POOL.length;

/** UUIDv7 (RFC 9562): sorts by time, so that a primary key grows at one end of its index. */
export function newId(now = Date.now()): string {
  if (offset === RANDOM_POOL.length) {
    randomFillSync(RANDOM_POOL);
    offset = 0;
  }
  const bytes = Buffer.from(RANDOM_POOL.subarray(offset, offset + 16));
  offset += 16;
  bytes.writeUIntBE(now, 0, 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isId(text: string): boolean {
  return UUID.test(text);
}
