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
import type { SettlementDto, SettlementResponse } from './dto/settlement.dto.js';
import { insertSettlement, lockOwed, type OwedRow } from './settlements.queries.js';

/** A customer who paid a parcel in part at the door brings the rest to the counter. */
@Injectable()
export class SettleReceivable {
  constructor(
    private readonly wallets: WalletsService,
    private readonly idempotency: IdempotencyService,
    readonly cacheInvalidation: CacheInvalidation,
  ) {}

  /**
   * Cash into the vault for what is still owed. Locks the order, then the payment.
   * @throws NOT_FOUND, CURRENCY_MISMATCH, SETTLEMENT_EXCEEDS_DUE with what is owed
   */
  @InvalidateCache('payments', 'wallets')
  async settle(
    paymentId: string,
    actorId: string,
    { amount }: SettlementDto,
    request: IdempotentRequest,
  ): Promise<Answer> {
    return this.idempotency.run(actorId, request, (tx) => this.settleWithin(tx, paymentId, actorId, amount));
  }

  private async settleWithin(
    tx: Transaction,
    paymentId: string,
    actorId: string,
    { amount, currency }: SettlementDto['amount'],
  ): Promise<SettlementResponse> {
    const [row] = await tx.$queryRaw<OwedRow[]>(lockOwed(paymentId));
    if (!row) throw failure('NOT_FOUND');
    if (row.currency !== currency) throw failure('CURRENCY_MISMATCH');
    const owed = Number(row.owed);
    if (amount > owed) throw failure('SETTLEMENT_EXCEEDS_DUE', [{ owed: money(owed, currency) }]);
    const id = newId();
    await tx.$executeRaw(insertSettlement({ id, paymentId, amount, currency, actorId }));
    await this.wallets.post(tx, {
      type: 'SETTLEMENT',
      reference: id,
      actorId,
      currency,
      entries: [
        { kind: 'RECEIVABLES', ownerId: currentStore(), amount },
        { kind: 'CASH_VAULT', ownerId: currentStore(), amount: -amount },
      ],
    });
    return {
      id,
      paymentId,
      orderId: row.order_id,
      amount: money(amount, currency),
      owed: money(owed - amount, currency),
    };
  }
}
