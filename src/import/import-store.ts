import type pg from 'pg';
import { ImportFailure } from './import-failure.js';

/** What an import has to know of the store that it is for. */
export interface ImportStore {
  id: string;
  slug: string;
  currency: string;
  /** Of an amount in its currency. */
  decimals: number;
  promiseMinutes: number;
  taxInclusive: boolean;
}

/** @throws ImportFailure when there is none of this name */
export async function findStore(client: pg.ClientBase, slug: string): Promise<ImportStore> {
  const { rows } = await client.query<Omit<ImportStore, 'decimals'>>(
    `SELECT s.id, s.slug, s.currency, s.promise_minutes AS "promiseMinutes", s.tax_inclusive AS "taxInclusive"
       FROM stores s
      WHERE s.slug = $1`,
    [slug],
  );
  const store = rows[0];
  if (!store) throw new ImportFailure(`There is no store ${slug}.`);
  return { ...store, decimals: decimalsOf(store.currency) };
}

function decimalsOf(currency: string): number {
  return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
}
