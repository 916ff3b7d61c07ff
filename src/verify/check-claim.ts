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

/**
 * Runs one claim on a connection, in whatever transaction that is in. Materialized, so that it is planned to be read as a
 * whole: planned for the first ten rows, which a sound database doesn't have, one took 73 s instead of 0.4.
 */
export async function checkClaim(client: Queryable, { sql }: Claim, rowsShown = ROWS_SHOWN): Promise<Offenders> {
  const { rows } = await client.query<OffenderRow>(
    `WITH offenders AS MATERIALIZED (${sql})
     SELECT (SELECT count(*) FROM offenders) AS broken, to_json(o) AS offender FROM offenders o LIMIT ${rowsShown}`,
  );
  return { broken: Number(rows[0]?.broken ?? 0), rows: rows.map(({ offender }) => offender) };
}
