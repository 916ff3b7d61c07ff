import type pg from 'pg';
import type { Claim } from './claim.js';

type Queryable = Pick<pg.ClientBase, 'query'>;

interface Offenders {
  broken: number;
  rows: Record<string, unknown>[];
}

interface OffenderRow {
  broken: string;
  offender: Record<string, unknown>;
}

/** Rows that are shown of a broken claim; all of them are counted. */
export const ROWS_SHOWN = 10;

/** Runs one claim on a connection, in whatever transaction that is in. */
export async function checkClaim(client: Queryable, { sql }: Claim, rowsShown = ROWS_SHOWN): Promise<Offenders> {
  const { rows } = await client.query<OffenderRow>(
    `SELECT count(*) OVER () AS broken, to_json(offender) AS offender FROM (${sql}) AS offender LIMIT ${rowsShown}`,
  );
  return { broken: Number(rows[0]?.broken ?? 0), rows: rows.map(({ offender }) => offender) };
}
