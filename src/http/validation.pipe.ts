import { ValidationPipe, type ValidationError } from '@nestjs/common';
import { failure } from '../common/exceptions/failure.js';

interface FieldProblem {
  field: string;
  message: string;
}

/** More helps nobody, and could be ten times as long as the request. */
const MAX_PROBLEMS = 100;

/** Unknown fields, wrong types, out of range: one 400 that lists every field, the first hundred of them. No value is told back. */
export function createValidationPipe(): ValidationPipe {
  return new ValidationPipe({
    transform: true,
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    stopAtFirstError: true,
    validationError: { target: false, value: false },
    exceptionFactory: (errors) =>
      failure('VALIDATION_FAILED', errors.flatMap((error) => problemsOf(error)).slice(0, MAX_PROBLEMS)),
  });
}

function problemsOf(error: ValidationError, parent = ''): FieldProblem[] {
  const field = parent ? `${parent}.${error.property}` : error.property;
  const own = Object.values(error.constraints ?? {}).map((message) => ({ field, message }));
  return [...own, ...(error.children ?? []).flatMap((child) => problemsOf(child, field))];
}
