import { Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { failure } from '../../common/exceptions/failure.js';
import { decodeCursor, toDocumentPage } from '../../common/pagination.js';
import { Database } from '../../platform/prisma/database.js';
import { type FoundRow, foundPage, type SearchPlace } from './search.queries.js';

export interface Search {
  search: string;
  /** Slug or id. */
  category?: string;
  withUnpublished: boolean;
  limit: number;
  cursor?: string;
}

const PLACE = /^([0-6])\.([0-9a-f]{16})\.([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/;

/** Products for what a person typed, best first; see docs/search.md for what is found, and how. */
@Injectable()
export class SearchProducts {
  constructor(private readonly database: Database) {}

  /** A page as JSON text. @throws INVALID_CURSOR, for a cursor of another search too */
  async page({ cursor, ...wanted }: Search): Promise<string> {
    const name = nameOf(wanted);
    const after = placeOf(decodeCursor('products', cursor, PLACE), name);
    const rows = await this.database.query<FoundRow>(foundPage({ ...wanted, after }), 'anew');
    const documents = rows.map(({ rank, id, document }) => ({ id: `${rank}.${name}.${id}`, document }));
    return toDocumentPage('products', documents, wanted.limit);
  }
}

/** Ranks mean something within one search only, so its cursors carry its name. */
function nameOf({ search, category }: Pick<Search, 'search' | 'category'>): string {
  return createHash('sha256')
    .update(JSON.stringify([search, category ?? null]))
    .digest('hex')
    .slice(0, 16);
}

function placeOf(cursor: string | null, name: string): SearchPlace | null {
  if (cursor === null) return null;
  const [, rank, ofSearch, id] = PLACE.exec(cursor) ?? [];
  if (rank === undefined || id === undefined || ofSearch !== name) throw failure('INVALID_CURSOR');
  return { rank: Number(rank), id };
}
