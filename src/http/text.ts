import { Transform } from 'class-transformer';
import type { ValidationOptions } from 'class-validator';

/** One line: no control characters, which a person can't see and PostgreSQL partly refuses (U+0000). */
export const LINE = /^\P{Cc}*$/u;
/** Several lines: line breaks and tabs are welcome. */
export const PROSE = /^[\P{Cc}\n\r\t]*$/u;
export const SLUG = /^[a-z0-9]+(-[a-z0-9]+)*$/;

export const onOneLine: ValidationOptions = { message: '$property must not contain control characters' };
export const slugForm: ValidationOptions = {
  message: '$property must be of lower-case letters, digits and single hyphens',
};

export const trimmed = Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.trim() : value));
