import { ValidationPipe, type ValidationError } from '@nestjs/common';
import { failure } from '../common/exceptions/failure.js';

interface FieldProblem {
  field: string;
  message: string;
}

/** More helps nobody, and could be ten times as long as the request. */
const MAX_PROBLEMS = 100;
/** A field that should not be there, a body that is no object. */
const OF_NO_VALUE = ['whitelistValidation', 'unknownValue'];

/** Unknown fields, wrong types, out of range: one 400 that lists every field, the first hundred of them. No value is told back. */
export function createValidationPipe(): ValidationPipe {
  return new ValidationPipe({
    transform: true,
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    validationError: { target: false, value: true },
    exceptionFactory: (errors) =>
      failure('VALIDATION_FAILED', errors.flatMap((error) => problemsOf(error)).slice(0, MAX_PROBLEMS)),
  });
}

function problemsOf(error: ValidationError, parent = ''): FieldProblem[] {
  const field = parent ? `${parent}.${error.property}` : error.property;
  // Decorators are asked from the lowest to the highest, which says the type: told is that, of who sends another one.
  const own = Object.entries(error.constraints ?? {})
    .slice(-1)
    .map(([constraint, message]) => ({
      field,
      message: (OF_NO_VALUE.includes(constraint) ? undefined : absence(error)) ?? message,
    }));
  return [...own, ...(error.children ?? []).flatMap((child) => problemsOf(child, field))];
}

/** Of what isn't there, a validator says what it looks for: that nothing is too long, or has control characters. */
function absence({ property, value }: ValidationError): string | undefined {
  if (value === undefined) return `${property} is missing`;
  return value === null ? `${property} must not be null` : undefined;
}
