import { Injectable } from '@nestjs/common';
import { failure } from '../../common/exceptions/failure.js';
import { newId } from '../../common/ids.js';
import { money } from '../../common/money.js';
import { currentStore } from '../../common/request-context.js';
import { CacheInvalidation } from '../../platform/cache/invalidation/cache-invalidation.js';
import { InvalidateCache } from '../../platform/cache/invalidation/invalidate-cache.decorator.js';
import {
  type Answer,
  type IdempotentRequest,
  IdempotencyService,
} from '../../platform/idempotency/idempotency.service.js';
import type { Transaction } from '../../platform/prisma/database.js';
import { WalletsService } from '../wallets/wallets.service.js';
import type { RemitDto, RemittanceResponse } from './dto/cash.dto.js';
import { type HandedIn, insertRemittance, lockTill, type TillRow } from './tills.queries.js';

/** An agent's cash, minor units; see TillRow. */
export interface Till {
  currency: string;
  cash: number;
  pending: number;
  shiftId: string | null;
}

/** Cash that goes from an agent's hand into the vault. */
@Injectable()
export class HandInCash {
  constructor(
    private readonly wallets: WalletsService,
    private readonly idempotency: IdempotencyService,
    readonly cacheInvalidation: CacheInvalidation,
  ) {}

  /** Locks the agent's cash wallet. @throws NOT_FOUND, CURRENCY_MISMATCH, REMITTANCE_EXCEEDS_CASH */
  @InvalidateCache('wallets', 'shipping')
  async remit(agentId: string, actorId: string, { amount }: RemitDto, request: IdempotentRequest): Promise<Answer> {
    return this.idempotency.run(actorId, request, (tx) => this.remitWithin(tx, agentId, actorId, amount));
  }

  private async remitWithin(
    tx: Transaction,
    agentId: string,
    actorId: string,
    { amount, currency }: RemitDto['amount'],
  ): Promise<RemittanceResponse> {
    const till = await this.openTill(tx, agentId);
    if (till.currency !== currency) throw failure('CURRENCY_MISMATCH');
    // What was found missing is decided upon first: once approved it is not his any more, and the ledger holds no more than it.
    if (till.cash - till.pending < amount) {
      const details = { cashInHand: money(till.cash, currency), underApproval: money(till.pending, currency) };
      throw failure('REMITTANCE_EXCEEDS_CASH', [details]);
    }
    const id = newId();
    await this.post(tx, { id, agentId, shiftId: till.shiftId, amount, currency, actorId });
    return {
      id,
      agentId,
      shiftId: till.shiftId,
      amount: money(amount, currency),
      cashInHand: money(till.cash - amount, currency),
    };
  }

  /** The agent's till, locked until the transaction ends; what happens to it happens in his open shift. @throws NOT_FOUND */
  async lockTill(tx: Transaction, agentId: string): Promise<Till> {
    const [row] = await tx.$queryRaw<TillRow[]>(lockTill(agentId, { open: false }));
    if (!row) throw failure('NOT_FOUND');
    return toTill(row);
  }

  /** The same; a shift is opened when none is. @throws NOT_FOUND */
  async openTill(tx: Transaction, agentId: string): Promise<Till & { shiftId: string }> {
    const [row] = await tx.$queryRaw<TillRow[]>(lockTill(agentId, { open: true }));
    if (!row) throw failure('NOT_FOUND');
    if (row.shift_id === null) throw new Error('lock_agent_till opened no shift');
    return { ...toTill(row), shiftId: row.shift_id };
  }

  /** The caller holds the till, and knows that there is so much in it. */
  async post(tx: Transaction, handedIn: HandedIn): Promise<void> {
    const { id, agentId, amount, currency, actorId } = handedIn;
    await tx.$executeRaw(insertRemittance(handedIn));
    await this.wallets.post(tx, {
      type: 'REMITTANCE',
      reference: id,
      actorId,
      currency,
      entries: [
        { kind: 'AGENT_CASH', ownerId: agentId, amount },
        { kind: 'CASH_VAULT', ownerId: currentStore(), amount: -amount },
      ],
    });
  }
}

function toTill({ currency, cash, pending, shift_id: shiftId }: TillRow): Till {
  return { currency, cash: Number(cash), pending: Number(pending), shiftId };
}
