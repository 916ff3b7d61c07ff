import { Injectable } from '@nestjs/common';
import { newId } from '../../common/ids.js';
import type { Transaction } from '../../platform/prisma/database.js';
import { finishOperation, type OperationRow, runningOperation, writeOperation } from './payment-operations.queries.js';

/** Letting go of money that was not taken yet. */
@Injectable()
export class ReleasePayment {
  /**
   * An order that ends owes nothing: a payment that waits, or is held on a card, is voided, and its provider told so once this
   * is committed. What the provider is being asked right now is left to its answer, which finds the payment voided. The caller
   * holds the order's row.
   * @returns false when the payment was captured or ended before
   */
  async release(tx: Transaction, orderId: string): Promise<boolean> {
    const [payment] = await tx.payment.updateManyAndReturn({
      where: { orderId, status: { in: ['PENDING', 'AUTHORIZED'] } },
      data: { status: 'VOIDED', updatedAt: new Date() },
      select: { id: true, amount: true, providerRef: true },
    });
    if (!payment) return false;
    const { id: paymentId, providerRef } = payment;
    const [running] = await tx.$queryRaw<OperationRow[]>(runningOperation(paymentId));
    // Without its id there is nothing yet that could be voided; a capture under way must not meet a void.
    if (!providerRef || running?.kind === 'CAPTURE') return true;
    if (running) await tx.$executeRaw(finishOperation(running.id, { status: 'FAILED', code: 'ORDER_ENDED' }));
    const amount = Number(payment.amount);
    await tx.$queryRaw(writeOperation({ id: newId(), paymentId, kind: 'VOID', amount }));
    return true;
  }
}
