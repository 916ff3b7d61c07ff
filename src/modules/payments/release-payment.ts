import { Injectable } from '@nestjs/common';
import { newId } from '../../common/ids.js';
import type { Transaction } from '../../platform/prisma/database.js';
import {
  finishOperation,
  type OperationIdRow,
  type OperationRow,
  runningOperation,
  withdrawOperation,
  writeOperation,
} from './payment-operations.queries.js';

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
    const { id: paymentId, amount, providerRef } = payment;
    const [running] = await tx.$queryRaw<OperationRow[]>(runningOperation(paymentId));
    const inTheWay = running && !(await this.end(tx, running, providerRef));
    if (inTheWay || !providerRef) return true;
    await tx.$queryRaw(writeOperation({ id: newId(), paymentId, kind: 'VOID', amount: Number(amount) }));
    return true;
  }

  /** False when only the provider's answer can end it: a capture that may have happened, an authorisation without an id to void. */
  private async end(tx: Transaction, { id, kind }: OperationRow, providerRef: string | null): Promise<boolean> {
    const withdrawn = await tx.$queryRaw<OperationIdRow[]>(withdrawOperation(id, 'ORDER_ENDED'));
    if (withdrawn.length > 0) return true;
    if (kind === 'CAPTURE' || !providerRef) return false;
    await tx.$executeRaw(finishOperation(id, { status: 'FAILED', code: 'ORDER_ENDED' }));
    return true;
  }
}
