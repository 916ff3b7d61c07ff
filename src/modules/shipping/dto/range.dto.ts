import { IsISO8601, IsOptional, Matches } from 'class-validator';

/** A day is one of UTC; a time says its offset: nothing depends on where a server stands. */
const INSTANT = /^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,3})?)?(Z|[+-][0-9]{2}:[0-9]{2}))?$/;
const message = '$property must be a day (2026-11-21, in UTC) or a time with its offset (2026-11-21T08:00:00Z)';

/** Half open: what happened at `from` is in it, what happened at `to` isn't. At most 366 days. */
export class RangeQuery {
  /** Without it, 30 days before the end. */
  @IsOptional()
  @IsISO8601({ strict: true }, { message })
  @Matches(INSTANT, { message })
  from?: string;

  /** Without it, now. */
  @IsOptional()
  @IsISO8601({ strict: true }, { message })
  @Matches(INSTANT, { message })
  to?: string;
}
