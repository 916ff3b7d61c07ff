import fc from 'fast-check';
import { CatalogueException } from './exceptions/failure.js';
import { newId } from './ids.js';
import {
  type CursorList,
  decodeCursor,
  encodeCursor,
  NUMBER_CURSOR,
  toDocumentPage,
  toPage,
  UUID_CURSOR,
} from './pagination.js';

const LISTS: CursorList[] = [
  'products',
  'categories',
  'stock',
  'orders',
  'history',
  'assignments',
  'agents',
  'wallets',
  'entries',
  'movements',
];

const ID = '018f2b6a-7c1d-7e2f-8a3b-4c5d6e7f8091';
const CURSOR = encodeCursor('orders', ID);

function refusal(list: CursorList, cursor: string, form = UUID_CURSOR): unknown {
  try {
    return decodeCursor(list, cursor, form);
  } catch (error) {
    return error instanceof CatalogueException ? error.code : error;
  }
}

describe('a cursor', () => {
  it.each(LISTS)('of %s gives back the id it was made of', (list) => {
    fc.assert(fc.property(fc.uuid(), (id) => decodeCursor(list, encodeCursor(list, id), UUID_CURSOR) === id));
    const number = fc.bigInt({ min: 0n, max: 10n ** 18n - 1n }).map(String);
    fc.assert(fc.property(number, (id) => decodeCursor(list, encodeCursor(list, id), NUMBER_CURSOR) === id));
  });

  it('can go into an address as it is', () => {
    fc.assert(fc.property(fc.uuid(), fc.constantFrom(...LISTS), (id, list) => /^[\w-]+$/.test(encodeCursor(list, id))));
  });

  it('is null when none was given', () => {
    expect(decodeCursor('orders', undefined, UUID_CURSOR)).toBeNull();
  });

  it.each(LISTS)('of %s is refused by every other list', (own) => {
    for (const list of LISTS) expect(refusal(list, encodeCursor(own, ID))).toBe(list === own ? ID : 'INVALID_CURSOR');
  });

  it.each([
    ['empty', ''],
    ['cut short', CURSOR.slice(0, -2)],
    ['longer', `${CURSOR}AA`],
    ['padded', `${CURSOR}==`],
    ['with a space before it', ` ${CURSOR}`],
    ['with a character that is skipped in decoding', `${CURSOR.slice(0, 8)}!${CURSOR.slice(8)}`],
    ['an id as it is', ID],
    ['without an id', Buffer.from('orders').toString('base64url')],
    ['with an empty id', encodeCursor('orders', '')],
    ['with an id in upper case', encodeCursor('orders', ID.toUpperCase())],
    ['with SQL for an id', encodeCursor('orders', "' OR 1=1 --")],
    ['with a line break after the id', encodeCursor('orders', `${ID}\n`)],
    ['with bytes that are no UTF-8', Buffer.from([...Buffer.from(`orders:${ID}`), 0xff]).toString('base64url')],
    ['with a number for an id', encodeCursor('orders', '42')],
  ])('is refused when it is %s', (_how, cursor) => {
    expect(refusal('orders', cursor)).toBe('INVALID_CURSOR');
  });

  it.each(['-1', '1.5', '1e3', '9'.repeat(19), ID])('of a list with numbers is refused with %s for one', (id) => {
    expect(refusal('entries', encodeCursor('entries', id), NUMBER_CURSOR)).toBe('INVALID_CURSOR');
  });

  it('is refused or read as what it says, whatever text it is', () => {
    const mangled = fc
      .tuple(fc.nat({ max: CURSOR.length - 1 }), fc.string({ maxLength: 3 }))
      .map(([at, text]) => CURSOR.slice(0, at) + text + CURSOR.slice(at + 1));
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String(), mangled), (cursor) => {
        const read = refusal('orders', cursor);
        if (read === 'INVALID_CURSOR') return;
        expect(read).toMatch(UUID_CURSOR);
        expect(encodeCursor('orders', String(read))).toBe(cursor);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a page', () => {
  const rows = Array.from({ length: 4 }, (_, n) => ({ id: newId(), document: `{"n":${n}}` }));

  it.each([
    [5, 4, null],
    [4, 4, null],
    [3, 3, 2],
    [1, 1, 0],
  ])('of at most %i shows %i of 4 rows and goes on after the last of them, if there are more', (limit, shown, last) => {
    const fetched = rows.slice(0, limit + 1);
    const nextCursor = last === null ? null : encodeCursor('orders', rows[last]!.id);
    expect(toPage('orders', fetched, limit, (row) => row.id)).toEqual({ items: rows.slice(0, shown), nextCursor });
    expect(JSON.parse(toDocumentPage('orders', fetched, limit))).toEqual({
      items: Array.from({ length: shown }, (_, n) => ({ n })),
      nextCursor,
    });
  });

  it('of nothing is empty and the last', () => {
    expect(toPage('orders', [], 20, String)).toEqual({ items: [], nextCursor: null });
    expect(toDocumentPage('orders', [], 20)).toBe('{"items":[],"nextCursor":null}');
  });
});
