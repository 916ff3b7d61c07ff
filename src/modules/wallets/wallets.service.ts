import { Injectable } from '@nestjs/common';
import { failure } from '../../common/exceptions/failure.js';
import type { Transaction } from '../../platform/prisma/database.js';
import { violates } from '../../platform/prisma/database-error.js';
import { type PostedRow, type Posting, postQuery } from './ledger.queries.js';

@Injectable()
export class WalletsService {
  /**
   * Posts a balanced transaction and moves the balances, inside the caller's transaction. Locks the users' wallets concerned
   * in the order of their ids until it ends; the store's own are never locked. Entries of 0 are left out.
   * @returns the ledger transaction's id; null when there was nothing to post
   * @throws INSUFFICIENT_FUNDS, REMITTANCE_EXCEEDS_CASH; the caller's transaction is then aborted
   */
  async post(tx: Transaction, posting: Posting): Promise<string | null> {
    const entries = posting.entries.filter(({ amount }) => amount !== 0);
    if (entries.length === 0) return null;
    const sum = entries.reduce((total, { amount }) => total + amount, 0);
    if (sum !== 0) throw new Error(`A ${posting.type} does not balance`);
    try {
      const [row] = await tx.$queryRaw<PostedRow[]>(postQuery({ ...posting, entries }));
      return row?.id ?? null;
    } catch (error) {
      if (violates(error, 'wallets_balance_check')) throw failure('INSUFFICIENT_FUNDS');
      if (violates(error, 'wallets_agent_cash_check')) throw failure('REMITTANCE_EXCEEDS_CASH');
      throw error;
    }
  }
}
