import { Injectable, type OnModuleInit } from '@nestjs/common';
import { failure } from '../../common/exceptions/failure.js';
import { newId } from '../../common/ids.js';
import { CacheInvalidation } from '../../platform/cache/invalidation/cache-invalidation.js';
import { InvalidateCache } from '../../platform/cache/invalidation/invalidate-cache.decorator.js';
import {
  type Answer,
  type IdempotentRequest,
  IdempotencyService,
} from '../../platform/idempotency/idempotency.service.js';
import type { Transaction } from '../../platform/prisma/database.js';
import { ApprovalsService, type DecidedApproval } from '../approvals/approvals.service.js';
import type { LedgerAdjustmentDto, LedgerAdjustmentResponse } from './dto/adjustments.dto.js';
import { postBetween } from './ledger.queries.js';
import { postingRefusal } from './ledger.refusals.js';
import { type WalletRow, walletsOf } from './wallets.queries.js';

/** Corrections of the books by hand: between any two wallets of the store, never on one person's word. */
@Injectable()
export class AdjustmentsService implements OnModuleInit {
  constructor(
    private readonly idempotency: IdempotencyService,
    private readonly approvals: ApprovalsService,
    readonly cacheInvalidation: CacheInvalidation,
  ) {}

  onModuleInit(): void {
    this.approvals.on('LEDGER_ADJUSTMENT', {
      approved: (tx, approval) => this.post(tx, approval),
      rejected: () => Promise.resolve(),
    });
  }

  /** Nothing moves yet. Once for a key. @throws NOT_FOUND, SAME_WALLET, CURRENCY_MISMATCH */
  @InvalidateCache('approvals')
  async request(actorId: string, body: LedgerAdjustmentDto, request: IdempotentRequest): Promise<Answer> {
    return this.idempotency.run(actorId, request, (tx) => this.requestWithin(tx, actorId, body));
  }

  private async requestWithin(
    tx: Transaction,
    requestedBy: string,
    { from, to, amount, reason }: LedgerAdjustmentDto,
  ): Promise<LedgerAdjustmentResponse> {
    if (from === to) throw failure('SAME_WALLET');
    const wallets = await tx.$queryRaw<WalletRow[]>(walletsOf([from, to], null));
    const [payer, receiver] = [from, to].map((wanted) => wallets.find(({ id }) => id === wanted));
    if (!payer || !receiver) throw failure('NOT_FOUND');
    if (payer.currency !== amount.currency || receiver.currency !== amount.currency) throw failure('CURRENCY_MISMATCH');
    const id = newId();
    const approvalId = await this.approvals.request(tx, {
      kind: 'LEDGER_ADJUSTMENT',
      subjectId: id,
      amount: amount.amount,
      currency: amount.currency,
      reason,
      payload: { from, fromKind: payer.kind, to, toKind: receiver.kind },
      requestedBy,
    });
    return { id, status: 'REQUESTED', approvalId, from, to, amount, reason };
  }

  /** @throws INSUFFICIENT_FUNDS, REMITTANCE_EXCEEDS_CASH: the money is gone by now, and the request waits on */
  private async post(tx: Transaction, approval: DecidedApproval): Promise<void> {
    const { from, to } = approval.payload as { from: string; to: string };
    this.cacheInvalidation.invalidateAfter(tx, 'wallets');
    try {
      await tx.$queryRaw(
        postBetween(from, to, {
          type: 'ADJUSTMENT',
          reference: approval.subjectId,
          actorId: approval.requestedBy,
          memo: approval.reason,
          currency: approval.currency,
          amount: approval.amount,
        }),
      );
    } catch (error) {
      throw postingRefusal(error) ?? error;
    }
  }
}
