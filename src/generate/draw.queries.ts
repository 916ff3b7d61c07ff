import { hourShares } from './year-plan.js';
import { zipfBounds } from './shelf.js';

/** What the session's functions know of the store that is made; amounts in minor units. */
export interface Volume {
  storeId: string;
  slug: string;
  currency: string;
  timezone: string;
  taxInclusive: boolean;
  seed: number;
  /** Midnight of the first day, and the moment at which the shop stands still. */
  from: Date;
  until: Date;
  customers: number;
  agents: number;
  variants: number;
  zipCodes: string[];
}

export const DELIVERY_FEE = 399;
export const AGENT_FEE = 250;
export const PROMISE_MINUTES = 60;
export const REFUND_APPROVAL_ABOVE = 1500;
export const COUPONS = 20;

const text = (value: string): string => `'${value.replaceAll("'", "''")}'`;
const numbers = (values: number[]): string => `ARRAY[${values.join(', ')}]::float8[]`;
const constant = (name: string, type: string, value: string): string =>
  `CREATE FUNCTION pg_temp.${name}() RETURNS ${type} LANGUAGE sql IMMUTABLE AS $f$ SELECT ${value} $f$;`;

/**
 * Functions of this connection only. Constants, which the planner puts in place; `draw`, a number from 0 to 1 for the n-th thing and
 * what is drawn of it, the same for the same seed wherever and whenever; ids that grow with time as UUIDv7 do. A kind keeps ids of
 * different things apart, the last digits say which one it is. All are immutable to the last call in them, or they would not be put in
 * place, and cost four times as much: date_part() of a moment is not, of an interval it is.
 */
export function sessionFunctions(volume: Volume): string {
  const rate = volume.taxInclusive ? 190_000 : 88_750;
  return `
    ${constant('store', 'uuid', `${text(volume.storeId)}::uuid`)}
    ${constant('slug', 'text', text(volume.slug))}
    ${constant('currency', 'text', text(volume.currency))}
    ${constant('zone', 'text', text(volume.timezone))}
    ${constant('opened', 'timestamptz', `${text(volume.from.toISOString())}::timestamptz`)}
    ${constant('until', 'timestamptz', `${text(volume.until.toISOString())}::timestamptz`)}
    ${constant('inclusive', 'boolean', String(volume.taxInclusive))}
    ${constant('rate', 'int', String(rate))}
    ${constant('fee', 'bigint', `${DELIVERY_FEE}::bigint`)}
    ${constant('approval_above', 'bigint', `${REFUND_APPROVAL_ABOVE}::bigint`)}
    ${constant('customers', 'int', String(volume.customers))}
    ${constant('agents', 'int', String(volume.agents))}
    CREATE FUNCTION pg_temp.draw(n bigint, what int) RETURNS float8 LANGUAGE sql IMMUTABLE AS $f$
      SELECT ((hashint8extended(n, ${volume.seed}::bigint * 1048576 + what) >> 11) & 9007199254740991)::float8 / 9007199254740992
    $f$;
    CREATE FUNCTION pg_temp.id_of(kind int, n bigint, at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE AS $f$
      SELECT (lpad(to_hex((date_part('epoch', at - timestamptz '1970-01-01Z') * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(kind), 3, '0') || '8'
              || substr(md5(pg_temp.slug()), 1, 7) || lpad(to_hex(n), 8, '0'))::uuid
    $f$;
    CREATE FUNCTION pg_temp.person(kind int, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $f$
      SELECT pg_temp.id_of(kind, n, pg_temp.opened())
    $f$;
    CREATE FUNCTION pg_temp.rank_of(share float8) RETURNS int LANGUAGE sql IMMUTABLE AS $f$
      SELECT width_bucket(share, ${numbers(zipfBounds(volume.variants, 0.9))}) + 1
    $f$;
    CREATE FUNCTION pg_temp.zip_of(share float8) RETURNS text LANGUAGE sql IMMUTABLE AS $f$
      SELECT (ARRAY[${volume.zipCodes.map(text).join(', ')}])[width_bucket(share, ${numbers(zipfBounds(volume.zipCodes.length, 0.8))}) + 1]
    $f$;
    CREATE FUNCTION pg_temp.zone_of(zip text) RETURNS int LANGUAGE sql IMMUTABLE AS $f$
      SELECT (array_position(ARRAY[${volume.zipCodes.map(text).join(', ')}], zip) - 1) % 4
    $f$;
    CREATE FUNCTION pg_temp.tax(net bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $f$
      SELECT (2 * net * ${rate} + ${volume.taxInclusive ? 1_000_000 + rate : 1_000_000}) / (2 * ${volume.taxInclusive ? 1_000_000 + rate : 1_000_000})
    $f$;
    CREATE TEMP TABLE hours AS SELECT * FROM (VALUES
      ${hourShares()
        .map(({ hour, low, width }) => `(${hour}, ${low}::float8, ${width}::float8)`)
        .join(', ')}
    ) AS h (hour, low, width);
    CREATE TEMP TABLE batch (day date, first_order bigint, orders int, share float8) ON COMMIT DELETE ROWS`;
}

/** Kinds of ids. */
export const KIND = {
  category: 1, customer: 2, agent: 3, variant: 4, order: 5, payment: 6, refund: 7, assignment: 8, cart: 9, slot: 10, coupon: 11,
  operation: 12, approval: 13, remittance: 14, shift: 15, zone: 16, staff: 17, withdrawal: 18, settlement: 19, product: 20,
} as const; // prettier-ignore

/** Of money, by the type of its posting: `posting + n` is told apart from every kind above. */
export const POSTING_KIND = 64;
