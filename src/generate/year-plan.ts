/** What a shop's day looks like: orders of each local hour, and what a day of the week is worth. Closed at night. */
const HOURS = [0, 0, 0, 0, 0, 0, 0, 0, 2, 3, 4, 6, 9, 7, 4, 4, 5, 8, 11, 12, 9, 6, 3, 1];
/** Sunday first. */
const WEEKDAYS = [1.1, 0.85, 0.85, 0.9, 1, 1.25, 1.3];
/** Orders a day at the end of the plan over those at its beginning. */
const GROWTH = 1.6;
const DAY_MS = 86_400_000;

export interface PlannedDay {
  /** In the store's time zone, YYYY-MM-DD. */
  day: string;
  /** Number of its first order; orders are numbered through, in the order of their times. */
  firstOrder: number;
  orders: number;
  /** Of its orders, by the clock, that had been placed when the plan ends: 1 for all days but the last. */
  share: number;
}

export interface HourShare {
  hour: number;
  low: number;
  width: number;
}

/** Share of a day's orders that come in each hour, and in those before it. */
export function hourShares(): HourShare[] {
  const all = sum(HOURS);
  return HOURS.map((weight, hour) => ({ hour, low: sum(HOURS.slice(0, hour)) / all, width: weight / all })).filter(
    ({ width }) => width > 0,
  );
}

/**
 * Parts a number of orders over the days up to a moment: growing, by the day of the week, with a little chance. The last day is
 * that of the moment and as old as it is by then.
 */
export function planYear(
  orders: number,
  days: number,
  until: Date,
  timezone: string,
  chance: (day: number) => number,
): PlannedDay[] {
  const { day: last, secondOfDay } = localTime(until, timezone);
  const first = Date.parse(`${last}T00:00:00Z`) - (days - 1) * DAY_MS;
  const planned = Array.from({ length: days }, (_, index) => {
    const date = new Date(first + index * DAY_MS);
    const share = index === days - 1 ? shareBefore(secondOfDay) : 1;
    const trend = 1 + ((GROWTH - 1) * index) / days;
    const weight = trend * (WEEKDAYS[date.getUTCDay()] ?? 1) * (0.9 + 0.2 * chance(index)) * share;
    return { day: date.toISOString().slice(0, 10), share, weight };
  });
  const whole = sum(planned.map(({ weight }) => weight));
  let firstOrder = 0;
  let passed = 0;
  return planned.map(({ day, share, weight }) => {
    passed += weight;
    const end = Math.round((orders * passed) / whole);
    const one = { day, firstOrder, orders: end - firstOrder, share };
    firstOrder = end;
    return one;
  });
}

/** Midnight of a day by the clocks of a zone. */
export function dayBegins(day: string, timezone: string): Date {
  const guess = Date.parse(`${day}T00:00:00Z`);
  const shown = localTime(new Date(guess), timezone);
  const ahead = (Date.parse(`${shown.day}T00:00:00Z`) - guess) / 1000 + shown.secondOfDay;
  return new Date(guess - ahead * 1000);
}

function shareBefore(secondOfDay: number): number {
  const hours = secondOfDay / 3600;
  return hourShares().reduce((share, { hour, width }) => share + width * Math.min(1, Math.max(0, hours - hour)), 0);
}

function localTime(at: Date, timeZone: string): { day: string; secondOfDay: number } {
  // Sweden writes 2026-11-21 14:05:00.
  const [day = '', time = ''] = new Intl.DateTimeFormat('sv', { timeZone, dateStyle: 'short', timeStyle: 'medium' })
    .format(at)
    .split(' ');
  const [hours = 0, minutes = 0, seconds = 0] = time.split(':').map(Number);
  return { day, secondOfDay: 3600 * hours + 60 * minutes + seconds };
}

const sum = (numbers: number[]): number => numbers.reduce((total, one) => total + one, 0);
