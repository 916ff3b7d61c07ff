import fc, { type Arbitrary } from 'fast-check';
import { type CursorList, encodeCursor } from '../../src/common/pagination.js';
import { ADDRESS, freshKey, ZIP } from './factories.js';
import { resolve, type Route, type Schema } from './routes.js';

/** One request that nobody in his right mind sends, or almost. */
export interface HostileRequest {
  path: string;
  /** JSON text; undefined sends none. */
  body?: string;
  idempotencyKey?: string;
}

/** Ids of things that exist: any of them, and the one that a field of some name should have. */
export interface KnownIds {
  all: string[];
  byField: Record<string, string>;
}

const LISTS: CursorList[] = [
  'products',
  'categories',
  'stock',
  'orders',
  'history',
  'assignments',
  'agents',
  'entries',
];
const UUID = '01a1fba6-abba-7186-a6d8-bd4078628269';

const hostileText = fc.oneof(
  fc.constantFrom(
    ...[
      '',
      ' ',
      '\0',
      'a\0b',
      '\ud800',
      '\udfff',
      '\u202e',
      '\ufeff',
      '💥'.repeat(50),
      'a'.repeat(10_001),
      'é'.repeat(500),
    ],
    ...["'; DROP TABLE orders; --", '%s%n%00', '${7*7}', '{{7*7}}', '../../etc/passwd', '<script>', '\r\nx-evil: 1'],
    ...[
      '__proto__',
      'constructor',
      'toString',
      'null',
      'undefined',
      'true',
      'NaN',
      'Infinity',
      '-1',
      '1e400',
      '0x1f',
      '１',
    ],
    ...[UUID, UUID.toUpperCase(), UUID.replaceAll('-', ''), `{${UUID}}`, `${UUID}\n`, '2026-02-30T00:00:00Z'],
    ...['usd', 'US', 'USDD', 'XXX', 'EUR', 'ⓊⓈⒹ', '"quoted', '-word', 'a OR', '(((', '!&|', ':*', '\\'],
    ...LISTS.flatMap((list) =>
      [UUID, '0', '-1', '1', '999999999999999999', '9'.repeat(40)].map((id) => encodeCursor(list, id)),
    ),
  ),
  fc.string({ unit: 'binary', maxLength: 30 }),
);

const hostileNumber = fc.oneof(
  fc.constantFrom(
    0,
    -0,
    -1,
    0.1,
    -0.5,
    1.5,
    1e308,
    -1e308,
    5e-324,
    1e21,
    2 ** 31,
    2 ** 31 - 1,
    -(2 ** 31) - 1,
    2 ** 53,
    2 ** 63,
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);

/** A key `__proto__` as JSON text has it; an object literal would set the prototype instead. */
const polluted = JSON.parse('{"__proto__": {"roles": ["ADMIN"]}}') as unknown;

const constructed = { constructor: { prototype: { admin: true } } };

const hostileValue: Arbitrary<unknown> = fc.oneof(
  { weight: 8, arbitrary: hostileText },
  { weight: 6, arbitrary: hostileNumber },
  {
    weight: 6,
    arbitrary: fc.constantFrom<unknown>(null, true, false, [], {}, [null], [[]], [{}], { amount: {} }, polluted),
  },
  { weight: 3, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(Array(1001).fill(UUID), Array(2000).fill(1), constructed) },
);

/** What a field of this name means, where its schema doesn't tell. */
const BY_NAME: Record<string, Arbitrary<unknown>> = {
  zip: fc.constantFrom(ZIP, '99999'),
  slug: fc.stringMatching(/^[a-z0-9]{1,12}$/),
  category: fc.stringMatching(/^[a-z0-9]{1,12}$/),
  sku: fc.stringMatching(/^[A-Z0-9]{1,12}$/),
  currency: fc.constantFrom('USD', 'USD', 'USD', 'EUR'),
  // Each good one costs 25 ms of hashing.
  password: fc.oneof(
    { weight: 1, arbitrary: fc.constant('correct horse battery') },
    { weight: 4, arbitrary: fc.constantFrom('', 'x'.repeat(201)) },
  ),
  // Left out: any but a right one is the end of the request.
  quote: fc.constant(undefined),
  couponCode: fc.constant(undefined),
  note: fc.constantFrom('A note', 'Une note, à lire'),
  timezone: fc.constantFrom('UTC', 'Europe/Berlin'),
  startsAt: fc.constantFrom(null, '2031-01-01T00:00:00Z'),
  endsAt: fc.constantFrom(null, '2032-01-01T00:00:00+01:00'),
  start: fc.constantFrom('00:00', '09:00'),
  end: fc.constantFrom('11:00', '23:59'),
  serviceZipCodes: fc.constantFrom([ZIP], []),
  deliveryAddress: fc.constantFrom<unknown>(ADDRESS, ADDRESS, ADDRESS, { ...ADDRESS, zip: '99999' }),
};

/** Of a transfer they are wallets. */
const DAYS: Record<string, Arbitrary<unknown>> = {
  from: fc.constantFrom('2031-03-01', '2031-03-02'),
  to: fc.constantFrom('2031-03-03', '2031-03-04'),
  date: fc.constantFrom('2031-03-01'),
};

/** Values that a schema allows, with a liking for its edges; ids are of things that exist. */
function allowed(schema: Schema, ids: KnownIds, name = ''): Arbitrary<unknown> {
  const s = resolve(schema);
  const known = BY_NAME[name] ?? (s.format ? undefined : DAYS[name]);
  if (known) return known;
  if (s.enum) return fc.constantFrom(...s.enum);
  if (s.type === 'object') return objectOf(s, ids, allowed);
  if (s.type === 'array') {
    return fc.array(allowed(s.items ?? {}, ids, name), { minLength: s.minItems ?? 0, maxLength: 3 });
  }
  if (s.type === 'boolean') return fc.boolean();
  if (s.type === 'number' || s.type === 'integer') {
    const [min, max] = [s.minimum ?? -(2 ** 53), s.maximum ?? 2 ** 53];
    return fc.oneof(fc.constantFrom(min, max), fc.integer({ min: Math.max(min, 1), max: Math.min(max, 50) }));
  }
  if (s.format === 'uuid') return idOf(name, ids);
  if (s.format === 'email') return fc.constantFrom('someone@larder.test', 'Other@Larder.TEST ');
  if (s.format === 'uri') return fc.constantFrom('https://larder.test/a.png', 'http://x/\u00fc');
  if (s.pattern) return fc.stringMatching(new RegExp(s.pattern));
  return textOf(s.minLength ?? 0, Math.min(s.maxLength ?? 20, 20));
}

const texts = new Map<string, Arbitrary<string>>();

/** Kept, because fast-check takes milliseconds to make one. */
function textOf(minLength: number, maxLength: number): Arbitrary<string> {
  const key = `${minLength} to ${maxLength}`;
  const text = texts.get(key) ?? fc.string({ unit: 'grapheme', minLength, maxLength });
  texts.set(key, text);
  return text;
}

function idOf(name: string, { all, byField }: KnownIds): Arbitrary<string> {
  const right = byField[name];
  if (all.length === 0) return fc.constant(right ?? UUID);
  const any = fc.oneof(fc.constantFrom(...all), fc.uuid());
  return right ? fc.oneof({ weight: 5, arbitrary: fc.constant(right) }, { weight: 1, arbitrary: any }) : any;
}

type ValueOf = (schema: Schema, ids: KnownIds, name: string) => Arbitrary<unknown>;

function objectOf({ properties = {}, required = [] }: Schema, ids: KnownIds, valueOf: ValueOf): Arbitrary<object> {
  const fields = Object.entries(properties).map(([name, schema]) => [name, valueOf(schema, ids, name)] as const);
  return fc.record(Object.fromEntries(fields), { requiredKeys: required });
}

/** One body that a route takes, with all of its fields, the same at every call, with these ids in them. */
export function validBody(schema: Schema, byField: KnownIds['byField']): unknown {
  return fc.sample(whole(schema, { all: [], byField }), { numRuns: 1, seed: 7 })[0];
}

/** As allowed(), but nothing is left out. */
function whole(schema: Schema, ids: KnownIds, name = ''): Arbitrary<unknown> {
  const s = resolve(schema);
  if (s.type !== 'object' || BY_NAME[name]) return allowed(schema, ids, name);
  return objectOf({ ...s, required: Object.keys(s.properties ?? {}) }, ids, whole);
}

/** Mostly allowed, with one field or two that aren't, at any depth; fields missing, fields that nobody knows. */
function spoilt(schema: Schema, ids: KnownIds, name = ''): Arbitrary<unknown> {
  const s = resolve(schema);
  const good = allowed(s, ids, name);
  if (s.type !== 'object' || !s.properties)
    return fc.oneof({ weight: 2, arbitrary: good }, { weight: 1, arbitrary: hostileValue });
  const names = Object.keys(s.properties);
  const spoilField = fc
    .constantFrom(...names)
    .chain((field) =>
      fc
        .oneof(
          { weight: 1, arbitrary: spoilt(s.properties?.[field] ?? {}, ids, field) },
          { weight: 2, arbitrary: hostileValue },
        )
        .map((value) => ({ [field]: value })),
    );
  const unknownField = fc
    .tuple(hostileText, hostileValue)
    .map(([field, value]) => Object.fromEntries([[field, value]]));
  const dropField = fc.constantFrom(...names).map((field) => ({ [field]: undefined }));
  return fc.oneof(
    { weight: 2, arbitrary: good },
    { weight: 6, arbitrary: fc.tuple(good, spoilField).map(merge) },
    { weight: 3, arbitrary: fc.tuple(good, spoilField, spoilField).map(merge) },
    { weight: 2, arbitrary: fc.tuple(good, unknownField).map(merge) },
    { weight: 1, arbitrary: fc.tuple(good, dropField).map(merge) },
    { weight: 1, arbitrary: hostileValue },
  );
}

function merge(parts: unknown[]): object {
  return Object.fromEntries(parts.flatMap((part) => (part && typeof part === 'object' ? Object.entries(part) : [])));
}

const idempotencyKeys = fc.oneof(
  { weight: 8, arbitrary: fc.constant(undefined).map(() => freshKey()) },
  { weight: 1, arbitrary: fc.constantFrom('a-key-of-many-requests', 'another-key-of-many') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(undefined, '', 'short', 'x'.repeat(256), 'with blanks in it, many', 'ümlaut-ümlaut-ü'),
  },
);

/** Requests to one route; `own` are the ids that its address means. */
export function hostileRequests(route: Route, own: Record<string, string>, ids: KnownIds): Arbitrary<HostileRequest> {
  const segments = route.pathParameters.map((name) =>
    fc.oneof(
      { weight: 8, arbitrary: fc.constant(own[name] ?? '') },
      { weight: 1, arbitrary: fc.constantFrom(...ids.all) },
      { weight: 1, arbitrary: fc.uuid() },
      { weight: 1, arbitrary: hostileText.map(escaped) },
    ),
  );
  const query = fc.record(
    Object.fromEntries(
      Object.entries(route.query).map(([name, schema]) => [
        name,
        fc.oneof(
          { weight: 3, arbitrary: allowed(schema, ids, name).map((value) => escaped(String(value))) },
          { weight: 1, arbitrary: hostileText.map(escaped) },
        ),
      ]),
    ),
    { requiredKeys: [] },
  );
  const extra = fc.oneof(
    { weight: 9, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.tuple(hostileText.map(escaped), hostileText.map(escaped)) },
  );
  return fc.record({
    path: fc.tuple(fc.tuple(...segments), query, extra).map(([values, fields, more]) => {
      const path = route.pathParameters.reduce(
        (text, name, i) => text.replace(`{${name}}`, () => values[i] ?? ''),
        route.path,
      );
      const pairs = [...Object.entries(fields), ...(more ? [more] : [])].map(([name, value]) => `${name}=${value}`);
      return pairs.length > 0 ? `${path}?${pairs.join('&')}` : path;
    }),
    body: route.body ? spoilt(route.body, ids).map((body) => JSON.stringify(body)) : fc.constant(undefined),
    idempotencyKey: route.takesIdempotencyKey ? idempotencyKeys : fc.constant(undefined),
  });
}

/** As an address or query carries it; halves of surrogate pairs as the bytes that would be theirs. */
function escaped(text: string): string {
  return text.isWellFormed() ? encodeURIComponent(text) : '%ED%A0%80';
}
