import { Injectable, type OnModuleInit } from '@nestjs/common';
import { failure } from '../../common/exceptions/failure.js';
import { newId } from '../../common/ids.js';
import { currentStore } from '../../common/request-context.js';
import { CacheInvalidation } from '../../platform/cache/invalidation/cache-invalidation.js';
import { InvalidateCache } from '../../platform/cache/invalidation/invalidate-cache.decorator.js';
import {
  type Answer,
  type IdempotentRequest,
  IdempotencyService,
} from '../../platform/idempotency/idempotency.service.js';
import { LarderLogger } from '../../platform/logging/larder-logger.js';
import { businessMetrics } from '../../platform/metrics/business.metrics.js';
import type { Transaction } from '../../platform/prisma/database.js';
import { ApprovalsService, type DecidedApproval } from '../approvals/approvals.service.js';
import { WalletsService } from '../wallets/wallets.service.js';
import type { CloseShiftDto, ShiftResponse } from './dto/cash.dto.js';
import { HandInCash, type Till } from './hand-in-cash.js';
import { shiftOf, type ShiftRow } from './shifts.queries.js';
import { toShift } from './shifts.service.js';
import { chargeShift, closeShift, countShift } from './tills.queries.js';

/**
 * The count at the end of a shift. What is counted is handed in with it. What is missing stays the agent's to answer for, what
 * is too much lies beside the books, until somebody else than who counted has decided on it: docs/cash.md.
 */
@Injectable()
export class CloseShift implements OnModuleInit {
  constructor(
    private readonly tills: HandInCash,
    private readonly wallets: WalletsService,
    private readonly approvals: ApprovalsService,
    private readonly idempotency: IdempotencyService,
    private readonly logger: LarderLogger,
    readonly cacheInvalidation: CacheInvalidation,
  ) {}

  onModuleInit(): void {
    this.approvals.on('CASH_VARIANCE', {
      approved: (tx, approval) => this.settle(tx, approval),
      rejected: (tx, approval) => this.leaveToAgent(tx, approval),
    });
  }

  /** Locks the agent's cash wallet. @throws NOT_FOUND, SHIFT_NOT_OPEN, CURRENCY_MISMATCH */
  @InvalidateCache('wallets', 'shipping', 'approvals')
  async close(agentId: string, actorId: string, body: CloseShiftDto, request: IdempotentRequest): Promise<Answer> {
    const answer = await this.idempotency.run(
      actorId,
      request,
      (tx) => this.closeWithin(tx, agentId, actorId, body.counted),
      200,
    );
    if (!answer.replayed) this.logger.info({ event: 'shipping_shift_completed', agentId, userId: actorId });
    return answer;
  }

  private async closeWithin(
    tx: Transaction,
    agentId: string,
    actorId: string,
    { amount: counted, currency }: CloseShiftDto['counted'],
  ): Promise<ShiftResponse> {
    const { shiftId, ...till } = await this.openShift(tx, agentId);
    if (till.currency !== currency) throw failure('CURRENCY_MISMATCH');
    // What an earlier count found missing has been counted once: it is not expected again.
    const expected = till.cash - till.pending;
    const handedIn = Math.min(counted, expected);
    if (handedIn > 0) await this.tills.post(tx, { id: newId(), agentId, shiftId, amount: handedIn, currency, actorId });
    await tx.$queryRaw(countShift(shiftId, { expected, counted, actorId }));
    if (counted !== expected) {
      businessMetrics.cashVariances.inc({ direction: counted < expected ? 'short' : 'over' });
      await this.approvals.request(tx, {
        kind: 'CASH_VARIANCE',
        subjectId: shiftId,
        amount: counted - expected,
        currency,
        reason: counted < expected ? 'Cash is missing' : 'There is too much cash',
        payload: { agentId, expected, counted },
        requestedBy: actorId,
      });
    }
    return this.find(tx, shiftId);
  }

  /** An agent who holds cash is in a shift, whatever the books of the past say. */
  private async openShift(tx: Transaction, agentId: string): Promise<Till & { shiftId: string }> {
    const { shiftId, ...till } = await this.tills.lockTill(tx, agentId);
    if (shiftId !== null) return { ...till, shiftId };
    if (till.cash === till.pending) throw failure('SHIFT_NOT_OPEN');
    return this.tills.openTill(tx, agentId);
  }

  /** What is missing is written off; what is too much is the store's. */
  private async settle(tx: Transaction, { subjectId: shiftId, amount, currency, decidedBy, payload }: DecidedApproval) {
    const { agentId } = payload as { agentId: string };
    await this.tills.lockTill(tx, agentId);
    await this.closeCounted(tx, shiftId);
    const storeId = currentStore();
    await this.wallets.post(tx, {
      type: 'CASH_VARIANCE',
      reference: shiftId,
      actorId: decidedBy,
      currency,
      entries: [
        amount < 0
          ? { kind: 'AGENT_CASH', ownerId: agentId, amount: -amount }
          : { kind: 'CASH_VAULT', ownerId: storeId, amount: -amount },
        { kind: 'CASH_SHORT_OVER', ownerId: storeId, amount },
      ],
    });
  }

  /** What is missing is his to bring, in the shift that is open now; what was too much is his to take back. */
  private async leaveToAgent(tx: Transaction, { subjectId: shiftId, amount, payload }: DecidedApproval): Promise<void> {
    const { agentId } = payload as { agentId: string };
    const till = await this.tills.lockTill(tx, agentId);
    await this.closeCounted(tx, shiftId);
    if (amount > 0) return;
    // A shift that is opened now begins with it.
    if (till.shiftId === null) await this.tills.openTill(tx, agentId);
    else await tx.$executeRaw(chargeShift(till.shiftId, -amount));
  }

  private async closeCounted(tx: Transaction, shiftId: string): Promise<void> {
    const closed = await tx.$queryRaw<object[]>(closeShift(shiftId));
    if (closed.length !== 1) throw new Error('A variance was decided on of a shift that does not wait for it');
  }

  private async find(tx: Transaction, shiftId: string): Promise<ShiftResponse> {
    const [row] = await tx.$queryRaw<ShiftRow[]>(shiftOf(shiftId));
    if (!row) throw failure('NOT_FOUND');
    return toShift(row);
  }
}
