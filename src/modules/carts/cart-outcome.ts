import { isErrorCode } from '../../common/exceptions/catalogue.js';
import { failure, type FailureDetails } from '../../common/exceptions/failure.js';
import type { CartOutcomeRow } from './carts.queries.js';

/** JSON text of what was done. @throws the refusal, with its details */
export function answerOf(row: CartOutcomeRow | undefined, done: string): string {
  if (row?.outcome === done && row.response !== null) return row.response;
  if (!row || !isErrorCode(row.outcome)) throw new Error(`A cart's outcome is unknown: ${row?.outcome}`);
  throw failure(row.outcome, row.response === null ? undefined : (JSON.parse(row.response) as FailureDetails));
}
