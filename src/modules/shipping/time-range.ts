import { failure } from '../../common/exceptions/failure.js';
import type { RangeQuery } from './dto/range.dto.js';

/** From the first moment on, up to the last and without it. */
export interface TimeRange {
  from: Date;
  to: Date;
}

const DAY_MS = 86_400_000;
const USUAL_DAYS = 30;
const MOST_DAYS = 366;

/** The last 30 days where nothing else is said. @throws RANGE_INVALID */
export function readRange({ from, to }: RangeQuery, now = new Date()): TimeRange {
  const end = to === undefined ? now : new Date(to);
  const start = from === undefined ? new Date(end.getTime() - USUAL_DAYS * DAY_MS) : new Date(from);
  const days = (end.getTime() - start.getTime()) / DAY_MS;
  // NaN is neither.
  if (!(days >= 0 && days <= MOST_DAYS)) throw failure('RANGE_INVALID', [{ mostDays: MOST_DAYS }]);
  return { from: start, to: end };
}
