import type { HttpException } from '@nestjs/common';
import { failure } from '../../common/exceptions/failure.js';
import { violates } from '../../platform/prisma/database-error.js';

/** What the ledger's constraints have to say of a posting, as a person is told it; undefined when it was something else. */
export function postingRefusal(error: unknown): HttpException | undefined {
  if (violates(error, 'wallets_balance_check')) return failure('INSUFFICIENT_FUNDS');
  if (violates(error, 'wallets_agent_cash_check')) return failure('REMITTANCE_EXCEEDS_CASH');
  return undefined;
}
