import { isEmail } from 'class-validator';
import type { Columns } from './columns.js';
import type { CsvRecord } from './csv-records.js';

/** A reason to reject a line, told with the column that it is about. */
export class Unusable extends Error {}

const CONTROL = /\p{Cc}/u;
const CONTROL_BUT_BREAKS = /[^\P{Cc}\n\r\t]/u;
const SLUG = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const ZIP = /^[0-9A-Za-z][0-9A-Za-z -]{0,18}[0-9A-Za-z]$/;
const TIME = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)$/;
/** Times of a machine whose clock is a little ahead are no lies. */
const AHEAD_MS = 300_000;
/** Above it an amount isn't exact in JSON. */
const MOST = Number.MAX_SAFE_INTEGER;

/** Reads the fields of one record. Every reader returns undefined for an empty field and throws Unusable for a wrong one. */
export class Fields {
  constructor(
    private readonly record: CsvRecord,
    private readonly columns: Columns,
  ) {
    if (record.fault !== undefined) throw new Unusable(record.fault);
    const { length } = record.fields;
    if (length !== columns.size) throw new Unusable(`${length} fields where the file has ${columns.size} columns`);
  }

  raw(column: string): string {
    const index = this.columns.get(column);
    return index === undefined ? '' : (this.record.fields[index] ?? '').trim();
  }

  /** One line of text. */
  text(column: string, most: number): string | undefined {
    const value = this.raw(column);
    if (value.length > most) throw new Unusable(`${column}: longer than ${most} characters`);
    if (CONTROL.test(value)) throw new Unusable(`${column}: has a control character`);
    return value || undefined;
  }

  prose(column: string, most: number): string | undefined {
    const value = this.raw(column);
    if (value.length > most) throw new Unusable(`${column}: longer than ${most} characters`);
    if (CONTROL_BUT_BREAKS.test(value)) throw new Unusable(`${column}: has a control character`);
    return value || undefined;
  }

  slug(column: string): string | undefined {
    const value = this.text(column, 100);
    if (value !== undefined && !SLUG.test(value)) {
      throw new Unusable(`${column}: not of lower-case letters, digits and single hyphens`);
    }
    return value;
  }

  email(column: string): string | undefined {
    const value = this.text(column, 254)?.toLowerCase();
    if (value !== undefined && !isEmail(value)) throw new Unusable(`${column}: not an e-mail address`);
    return value;
  }

  zip(column: string): string | undefined {
    const value = this.text(column, 20);
    if (value !== undefined && !ZIP.test(value)) throw new Unusable(`${column}: not a zip code`);
    return value;
  }

  oneOf<Value extends string>(column: string, values: readonly Value[]): Value | undefined {
    const given = this.raw(column);
    const value = given.toUpperCase();
    if (value === '') return undefined;
    const found = values.find((candidate) => candidate === value);
    if (!found) throw new Unusable(`${column}: not one of ${values.join(', ')}`);
    return found;
  }

  yesOrNo(column: string): boolean | undefined {
    const value = this.raw(column).toLowerCase();
    if (value === '') return undefined;
    if (['true', 'yes', '1'].includes(value)) return true;
    if (['false', 'no', '0'].includes(value)) return false;
    throw new Unusable(`${column}: neither true nor false`);
  }

  wholeNumber(column: string, least: number, most: number): number | undefined {
    const value = this.raw(column);
    if (value === '') return undefined;
    const number = /^\d{1,15}$/.test(value) ? Number(value) : NaN;
    if (!(number >= least && number <= most))
      throw new Unusable(`${column}: not a whole number from ${least} to ${most}`);
    return number;
  }

  /** An amount of a currency with so many decimals, in minor units. */
  amount(column: string, decimals: number, most = MOST): number | undefined {
    const value = this.raw(column);
    if (value === '') return undefined;
    const [, units, fraction = ''] = /^(\d{1,15})(?:\.(\d+))?$/.exec(value) ?? [];
    if (units === undefined) throw new Unusable(`${column}: not an amount such as ${(12.99).toFixed(decimals)}`);
    if (fraction.length > decimals) throw new Unusable(`${column}: more than ${decimals} decimals`);
    const amount = Number(units + fraction.padEnd(decimals, '0'));
    if (amount > most) throw new Unusable(`${column}: more than a shop can take`);
    return amount;
  }

  /** A moment, milliseconds since 1970. It has to say how far it is from UTC. */
  time(column: string): number | undefined {
    const value = this.raw(column);
    if (value === '') return undefined;
    const parts = TIME.exec(value);
    const moment = parts ? Date.parse(value.replace(' ', 'T')) : NaN;
    if (!parts || Number.isNaN(moment) || !isOfCalendar(parts)) {
      throw new Unusable(`${column}: not a time such as 2024-05-01T10:30:00Z or 2024-05-01T12:30:00+02:00`);
    }
    if (moment < 0) throw new Unusable(`${column}: before 1970`);
    if (moment > Date.now() + AHEAD_MS) throw new Unusable(`${column}: in the future`);
    return moment;
  }
}

/** Date.parse() takes the 30th of February for the 2nd of March. */
function isOfCalendar([, year, month, day]: RegExpExecArray): boolean {
  return Number(day) <= new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
}

/** @throws Unusable when there is none */
export function required<Value>(column: string, value: Value | undefined): Value {
  if (value === undefined) throw new Unusable(`${column}: missing`);
  return value;
}
