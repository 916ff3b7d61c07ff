import { Injectable } from '@nestjs/common';
import { CacheInvalidation } from '../../platform/cache/invalidation/cache-invalidation.js';
import { LarderLogger } from '../../platform/logging/larder-logger.js';
import { businessMetrics } from '../../platform/metrics/business.metrics.js';
import type { Transaction } from '../../platform/prisma/database.js';
import { payRefund, refundRest, releaseRefund, settleRefund } from './refund-payment.queries.js';

/**
 * Money on its way back, inside the transactions of those who know why. Each locks, in this order: the order, stock by variant
 * id, the payment, the customer's wallet. docs/refunds.md has the states of a refund.
 */
@Injectable()
export class RefundPayment {
  constructor(
    private readonly logger: LarderLogger,
    readonly cacheInvalidation: CacheInvalidation,
  ) {}

  /**
   * An order that ended: all that is left of what was captured goes back the way it came, a customer's cash to his wallet.
   * Nothing captured, or nothing left: nothing happens.
   */
  async rest(tx: Transaction, { orderId, actorId, reason }: RestOfOrder): Promise<void> {
    this.cacheInvalidation.invalidateAfter(tx, 'refunds', 'payments', 'wallets');
    await tx.$executeRaw(refundRest(orderId, actorId ?? null, reason));
  }

  /** Somebody else has agreed to it: paid now, its goods on the shelf, or by a card's provider once this is committed. */
  async pay(tx: Transaction, refundId: string, actorId: string): Promise<void> {
    this.cacheInvalidation.invalidateAfter(tx, 'refunds', 'payments', 'wallets', 'inventory');
    await tx.$executeRaw(payRefund(refundId, actorId));
  }

  /** Somebody else has refused it: its money and its pieces are free again. */
  async reject(tx: Transaction, refundId: string, actorId: string): Promise<void> {
    this.cacheInvalidation.invalidateAfter(tx, 'refunds', 'payments', 'wallets');
    if (await this.done(tx, releaseRefund(refundId, 'REJECTED', actorId))) {
      businessMetrics.refunds.inc({ outcome: 'rejected' });
    }
  }

  /** The provider has given the money back, and its goods are on the shelf. The second time nothing happens. */
  async succeeded(tx: Transaction, refundId: string): Promise<void> {
    this.cacheInvalidation.invalidateAfter(tx, 'refunds', 'payments', 'wallets', 'inventory');
    if (await this.done(tx, settleRefund(refundId))) businessMetrics.refunds.inc({ outcome: 'succeeded' });
  }

  /** The provider will never give it back: as if it had not been asked for, told to staff. The second time nothing happens. */
  async failed(tx: Transaction, refundId: string): Promise<void> {
    this.cacheInvalidation.invalidateAfter(tx, 'refunds', 'payments', 'wallets');
    if (!(await this.done(tx, releaseRefund(refundId, 'FAILED', null)))) return;
    businessMetrics.refunds.inc({ outcome: 'failed' });
    this.logger.warn({ event: 'refund_payment_failed', refundId });
  }

  private async done(tx: Transaction, statement: ReturnType<typeof settleRefund>): Promise<boolean> {
    const [row] = await tx.$queryRaw<{ done: boolean }[]>(statement);
    return row?.done ?? false;
  }
}

export interface RestOfOrder {
  orderId: string;
  actorId?: string;
  reason: string;
}
