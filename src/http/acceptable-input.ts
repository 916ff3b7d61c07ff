import { failure } from '../common/exceptions/failure.js';

/** Deeper than any DTO. JSON of thousands of levels overflows the stack of whatever walks it next. */
const MAX_DEPTH = 16;
/** An order of 1,000 lines has 3,000. Validating costs 30 µs a value, of a stranger too: 20,000 stopped all others for 0.7 s. */
const MAX_VALUES = 5000;

/**
 * Refuses what no field of any request may be, before anything looks at it: text that neither PostgreSQL nor UTF-8 can hold
 * (U+0000, half a surrogate pair), names that every object has, endless nesting and endless lists.
 * @throws VALIDATION_FAILED
 */
export function requireAcceptable(input: unknown, field = ''): void {
  check(input, field, 0, { values: 0 });
}

function check(input: unknown, field: string, depth: number, seen: { values: number }): void {
  seen.values += 1;
  if (seen.values > MAX_VALUES) refuse('', `must not hold more than ${MAX_VALUES} values`);
  if (typeof input === 'string') {
    if (!isStorable(input)) refuse(field, 'must not contain U+0000 or half a surrogate pair');
    return;
  }
  if (typeof input !== 'object' || input === null) return;
  if (depth === MAX_DEPTH) refuse(field, `must not be nested deeper than ${MAX_DEPTH} levels`);
  for (const [key, value] of Object.entries(input)) {
    // class-transformer drops them in silence.
    if (key in Object.prototype) refuse(field, `must not have a field ${key}`);
    if (!isStorable(key)) refuse(field, 'must not have a name with U+0000 or half a surrogate pair');
    check(value, field ? `${field}.${key}` : key, depth + 1, seen);
  }
}

function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

function refuse(field: string, problem: string): never {
  throw failure('VALIDATION_FAILED', [{ field, message: `${field || 'the request'} ${problem}` }]);
}
