import { failure } from '../common/exceptions/failure.js';

/** Deeper than any DTO. JSON of thousands of levels overflows the stack of whatever walks it next. */
const MAX_DEPTH = 16;

/**
 * Refuses what no field of any request may be, before anything looks at it: text that neither PostgreSQL nor UTF-8 can hold
 * (U+0000, half a surrogate pair), names that every object has, and endless nesting.
 * @throws VALIDATION_FAILED
 */
export function requireAcceptable(input: unknown, field = ''): void {
  check(input, field, 0);
}

function check(input: unknown, field: string, depth: number): void {
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
    check(value, field ? `${field}.${key}` : key, depth + 1);
  }
}

function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

function refuse(field: string, problem: string): never {
  throw failure('VALIDATION_FAILED', [{ field, message: `${field || 'the request'} ${problem}` }]);
}
