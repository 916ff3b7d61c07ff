import { BadRequestException } from '@nestjs/common';

/** A rule of the business says no: 400 with a code that says which. */
export class BusinessRuleException extends BadRequestException {
  constructor(
    message: string,
    readonly code = 'BUSINESS_RULE_VIOLATION',
    readonly details?: readonly object[],
  ) {
    super({ statusCode: 400, message, error: 'Business Rule Violation', code, details });
  }
}
