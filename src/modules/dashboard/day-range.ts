import { failure } from '../../common/exceptions/failure.js';
import type { DaysQuery } from './dto/days-query.dto.js';

/** Days of the store's own, both ends in it, as YYYY-MM-DD. */
export interface DayRange {
  from: string;
  to: string;
}

/** As the key of a cached answer: whether a range is of the past changes what can change it. */
export interface DatedRange extends DayRange {
  today: string;
}

const DAY_MS = 86_400_000;
const USUAL_DAYS = 30;
const MOST_DAYS = 366;

/** The last 30 days up to today where nothing else is said. @throws RANGE_INVALID for none, more than 366, or no such day */
export function readDays(query: DaysQuery, today: string): DatedRange {
  const to = query.to ?? today;
  const from = query.from ?? daysBefore(to, USUAL_DAYS - 1);
  const days = (dayNumber(to) - dayNumber(from)) / DAY_MS + 1;
  // NaN is neither.
  if (!(days >= 1 && days <= MOST_DAYS)) throw failure('RANGE_INVALID', [{ mostDays: MOST_DAYS }]);
  return { from, to, today };
}

export function daysBefore(day: string, count: number): string {
  const at = new Date(dayNumber(day) - count * DAY_MS);
  if (Number.isNaN(at.getTime())) throw failure('RANGE_INVALID', [{ mostDays: MOST_DAYS }]);
  return at.toISOString().slice(0, 10);
}

/** Ms of the calendar, where every day has 24 hours. */
function dayNumber(day: string): number {
  return Date.parse(`${day}T00:00:00Z`);
}
