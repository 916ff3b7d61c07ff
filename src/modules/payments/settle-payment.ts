import { Injectable } from '@nestjs/common';
import { newId } from '../../common/ids.js';
import { currentStore } from '../../common/request-context.js';
import { LarderLogger } from '../../platform/logging/larder-logger.js';
import type { Transaction } from '../../platform/prisma/database.js';
import { OrderSteps } from './order-steps.js';
import { writeFinishedOperation, writeOperation } from './payment-operations.queries.js';
import { captureMode, type CaptureModeRow, postSale, writePaymentEvent } from './payments.queries.js';
import { RefundPayment } from './refund-payment.js';

/** What a payment looks like to these steps. */
type CardPayment = NonNullable<Awaited<ReturnType<SettlePayment['read']>>>;

/**
 * What a definite answer of a provider means for a payment, its order and the ledger. Every function runs in a transaction that
 * holds the order's row, which keeps all others from the payment too. A payment that is VOIDED has an order that ended: money
 * that comes for it all the same goes back by itself.
 */
@Injectable()
export class SettlePayment {
  constructor(
    private readonly orders: OrderSteps,
    private readonly refunds: RefundPayment,
    private readonly logger: LarderLogger,
  ) {}

  /** The card is held for the amount: the order is confirmed, and where the store says so the money is taken at once. */
  async authorized(tx: Transaction, paymentId: string, ref: string | null): Promise<void> {
    const payment = await this.read(tx, paymentId);
    if (payment.status === 'PENDING') {
      await this.change(tx, payment, {
        status: 'AUTHORIZED',
        authorizedAmount: payment.amount,
        ref,
        failureCode: null,
      });
      await this.tell(tx, payment, 'payment.authorized');
      await this.orders.of.confirm(tx, payment.orderId);
      const [mode] = await tx.$queryRaw<CaptureModeRow[]>(captureMode());
      if (mode?.card_capture === 'AUTOMATIC') await this.capture(tx, payment);
    } else if (payment.status === 'VOIDED') {
      this.logger.warn({ event: 'payment_authorization_late_detected', paymentId, orderId: payment.orderId });
      await this.change(tx, payment, { authorizedAmount: payment.amount, ref });
      await this.giveBackHold(tx, paymentId);
    }
  }

  /** Another card may be tried until the order expires. */
  async declined(
    tx: Transaction,
    paymentId: string,
    { code, ref }: { code: string; ref?: string | null },
  ): Promise<void> {
    const payment = await this.read(tx, paymentId);
    await this.change(tx, payment, { failureCode: code, ref });
  }

  /** The customer is to answer his bank. False when his order does not wait any more. */
  async expectCustomer(tx: Transaction, paymentId: string, ref: string): Promise<boolean> {
    const payment = await this.read(tx, paymentId);
    await this.change(tx, payment, { ref });
    return payment.status === 'PENDING';
  }

  /** Has the money taken that is held, by a job, once this is committed. */
  async capture(tx: Transaction, { id: paymentId, amount }: { id: string; amount: bigint }): Promise<void> {
    await tx.$queryRaw(writeOperation({ id: newId(), paymentId, kind: 'CAPTURE', amount: Number(amount) }));
  }

  /** The money is there: the sale is on the ledger, once. For an order that ended meanwhile it goes back. */
  async captured(tx: Transaction, paymentId: string): Promise<void> {
    const payment = await this.read(tx, paymentId);
    const { orderId, amount } = payment;
    await this.change(tx, payment, {
      status: 'CAPTURED',
      capturedAmount: amount,
      authorizedAmount: 0n,
      failureCode: null,
    });
    await tx.$queryRaw(
      postSale(orderId, null, [{ kind: 'PSP_CLEARING', ownerId: currentStore(), amount: -Number(amount) }]),
    );
    await this.tell(tx, payment, 'payment.captured');
    if (payment.status !== 'VOIDED') return;
    this.logger.warn({ event: 'payment_capture_late_detected', paymentId, orderId });
    await this.refunds.rest(tx, { orderId, reason: 'Paid after the order had ended' });
  }

  /** Somebody took the money without Larder's asking for it, in the provider's own pages as it seems. */
  async capturedUnasked(tx: Transaction, paymentId: string): Promise<void> {
    const { amount } = await this.read(tx, paymentId);
    await tx.$executeRaw(writeFinishedOperation({ id: newId(), paymentId, kind: 'CAPTURE', amount: Number(amount) }));
    await this.captured(tx, paymentId);
  }

  /** An order that can still be cancelled is; one on its way is staff's to settle: they may capture again. */
  async captureFailed(tx: Transaction, paymentId: string, code: string): Promise<void> {
    const payment = await this.read(tx, paymentId);
    await this.change(tx, payment, { failureCode: code });
    if (payment.status === 'VOIDED') return this.giveBackHold(tx, paymentId);
    this.logger.error({ event: 'payment_capture_failed', paymentId, orderId: payment.orderId, code });
    await this.tell(tx, payment, 'payment.capture_failed', { code });
    await this.orders.of.giveUp(tx, payment.orderId, `The card could not be charged: ${code}`);
  }

  async voided(tx: Transaction, paymentId: string): Promise<void> {
    const payment = await this.read(tx, paymentId);
    await this.change(tx, payment, { authorizedAmount: 0n });
    await this.tell(tx, payment, 'payment.voided');
  }

  /** What the provider holds for an order that ended, or might come to hold, it is told to let go. */
  async giveBackHold(tx: Transaction, paymentId: string): Promise<void> {
    const { amount, providerRef } = await this.read(tx, paymentId);
    if (!providerRef) return;
    const before = await tx.paymentOperation.count({
      where: { paymentId, kind: 'VOID', providerRef: null, status: { not: 'FAILED' } },
    });
    if (before > 0) return;
    await tx.$queryRaw(writeOperation({ id: newId(), paymentId, kind: 'VOID', amount: Number(amount) }));
  }

  async read(tx: Transaction, paymentId: string) {
    return tx.payment.findFirstOrThrow({
      where: { id: paymentId },
      select: {
        id: true,
        orderId: true,
        status: true,
        amount: true,
        currency: true,
        providerRef: true,
        capturedAmount: true,
      },
    });
  }

  /** @param changes ref: the provider's id; undefined leaves it, null forgets it */
  private async change(
    tx: Transaction,
    { id }: CardPayment,
    {
      ref,
      ...changes
    }: {
      status?: 'AUTHORIZED' | 'CAPTURED';
      authorizedAmount?: bigint;
      capturedAmount?: bigint;
      failureCode?: string | null;
      ref?: string | null;
    },
  ): Promise<void> {
    await tx.payment.updateMany({ where: { id }, data: { ...changes, providerRef: ref, updatedAt: new Date() } });
  }

  private async tell(tx: Transaction, payment: CardPayment, type: string, more: object = {}): Promise<void> {
    const { id, orderId, amount, currency } = payment;
    const payload = { paymentId: id, orderId, amount: { amount: Number(amount), currency }, ...more };
    await tx.$executeRaw(writePaymentEvent(id, type, payload));
  }
}
