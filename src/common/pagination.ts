import { failure } from './exceptions/failure.js';

export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

/** Names the list that a cursor belongs to: one taken from another list is refused, not misread. */
export type CursorList =
  | 'products'
  | 'categories'
  | 'stock'
  | 'orders'
  | 'history'
  | 'assignments'
  | 'agents'
  | 'wallets'
  | 'entries'
  | 'movements'
  | 'approvals'
  | 'dead-jobs'
  | 'shifts'
  | 'refunds'
  | 'notifications'
  | 'withdrawals'
  | 'zones'
  | 'coupons';

/** A cursor is the id of the last item seen, opaque to clients. */
export function encodeCursor(list: CursorList, lastId: string): string {
  return Buffer.from(`${list}:${lastId}`).toString('base64url');
}

/** @throws INVALID_CURSOR when the text isn't a cursor of this list, or its id isn't of the expected form. */
export function decodeCursor(list: CursorList, cursor: string | undefined, form: RegExp): string | null {
  if (cursor === undefined) return null;
  const [name, id] = Buffer.from(cursor, 'base64url').toString('utf8').split(/:(.*)/s);
  if (name !== list || id === undefined || !form.test(id) || encodeCursor(list, id) !== cursor) {
    throw failure('INVALID_CURSOR');
  }
  return id;
}

export const UUID_CURSOR = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
export const NUMBER_CURSOR = /^[0-9]{1,18}$/;

/** Makes a page of rows that were fetched with LIMIT limit + 1. */
export function toPage<T>(list: CursorList, rows: T[], limit: number, idOf: (row: T) => string): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: rows.length > limit && last ? encodeCursor(list, idOf(last)) : null };
}

/** A row whose JSON the database has written. */
export interface DocumentRow {
  id: string;
  document: string;
}

/** The same page as toPage(), as text: documents are neither parsed nor printed again. */
export function toDocumentPage(list: CursorList, rows: DocumentRow[], limit: number): string {
  const { items, nextCursor } = toPage(list, rows, limit, (row) => row.id);
  return `{"items":[${items.map((row) => row.document).join(',')}],"nextCursor":${JSON.stringify(nextCursor)}}`;
}
