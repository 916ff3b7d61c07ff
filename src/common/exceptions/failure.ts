import { HttpException } from '@nestjs/common';
import { STATUS_CODES } from 'node:http';
import { BusinessRuleException } from './business-rule.exception.js';
import { catalogue, type ErrorCode } from './catalogue.js';

/** What a client is told beyond code and message: one object for each field, line or amount concerned. */
export type FailureDetails = readonly object[];

/** An exception with a code of the catalogue. */
export class CatalogueException extends HttpException {
  constructor(
    readonly code: ErrorCode,
    readonly details?: FailureDetails,
  ) {
    const { status, message } = catalogue[code];
    super({ statusCode: status, message, error: STATUS_CODES[status], code, details }, status);
  }
}

/** Makes the exception for a code: `throw failure('NOT_FOUND')`. Status and message come from the catalogue. */
export function failure(code: ErrorCode, details?: FailureDetails): HttpException {
  const entry = catalogue[code];
  return entry.rule ? new BusinessRuleException(entry.message, code, details) : new CatalogueException(code, details);
}
