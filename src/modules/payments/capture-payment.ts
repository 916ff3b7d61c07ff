import { Injectable } from '@nestjs/common';
import { failure } from '../../common/exceptions/failure.js';
import { newId } from '../../common/ids.js';
import type { Actor } from '../../http/actor.js';
import { CacheInvalidation } from '../../platform/cache/invalidation/cache-invalidation.js';
import { InvalidateCache } from '../../platform/cache/invalidation/invalidate-cache.decorator.js';
import {
  type Answer,
  IdempotencyService,
  type IdempotentRequest,
} from '../../platform/idempotency/idempotency.service.js';
import { Database, type Transaction } from '../../platform/prisma/database.js';
import { OrderSteps } from './order-steps.js';
import {
  operationById,
  type OperationRow,
  runningOperation,
  writeLeasedOperation,
} from './payment-operations.queries.js';
import { PaymentsService } from './payments.service.js';
import { lockOrderOfPayment } from './payments.queries.js';
import { RunOperation } from './run-operation.js';
import { SettlePayment } from './settle-payment.js';

interface Begun {
  operationId: string;
}

/** Staff take the money that is held on a card, or let it go. One of both happens, whoever asks first. */
@Injectable()
export class CapturePayment {
  constructor(
    private readonly database: Database,
    private readonly idempotency: IdempotencyService,
    private readonly payments: PaymentsService,
    private readonly orders: OrderSteps,
    private readonly settling: SettlePayment,
    private readonly running: RunOperation,
    readonly cacheInvalidation: CacheInvalidation,
  ) {}

  /**
   * 200 when the money is there; 202 when nobody knows yet: the same key tells later.
   * @throws NOT_FOUND, PAYMENT_INVALID_TRANSITION, PAYMENT_IN_PROGRESS, PAYMENT_CAPTURE_FAILED
   */
  @InvalidateCache('payments')
  async capture(paymentId: string, actor: Actor, request: IdempotentRequest): Promise<Answer> {
    const begun = await this.idempotency.run(actor.id, request, (tx) => this.begin(tx, paymentId), 200);
    const { operationId } = begun.body as Begun;
    await this.running.runDue(operationId, { early: !begun.replayed });
    const [operation] = await this.database.query<OperationRow>(operationById(operationId));
    if (operation?.status === 'FAILED') {
      const { failure_code: failureCode } = operation;
      throw failure('PAYMENT_CAPTURE_FAILED', [{ code: 'PAYMENT_CAPTURE_FAILED', failureCode }]);
    }
    const body = await this.payments.read(paymentId);
    return { status: operation?.status === 'SUCCEEDED' ? 200 : 202, body, replayed: begun.replayed };
  }

  /**
   * Lets the money go, and with it the order, which is cancelled.
   * @throws NOT_FOUND, PAYMENT_INVALID_TRANSITION, PAYMENT_IN_PROGRESS, ORDER_CANNOT_CANCEL_AFTER_SHIPPING
   */
  @InvalidateCache('payments')
  async void(paymentId: string, actor: Actor, reason: string | undefined, request: IdempotentRequest): Promise<Answer> {
    return this.idempotency.run(
      actor.id,
      request,
      async (tx) => {
        const { orderId } = await this.lock(tx, paymentId, ['PENDING', 'AUTHORIZED']);
        const [running] = await tx.$queryRaw<OperationRow[]>(runningOperation(paymentId));
        if (running?.kind === 'CAPTURE') throw failure('PAYMENT_IN_PROGRESS');
        await this.orders.of.cancel(tx, orderId, actor, reason);
        return this.payments.read(paymentId, tx);
      },
      200,
    );
  }

  /** An order leaves the shop: what is held for it is taken, by a job. The caller holds the order's row. */
  async captureShipped(tx: Transaction, orderId: string): Promise<void> {
    const payment = await tx.payment.findFirst({
      where: { orderId, method: 'CARD', status: 'AUTHORIZED' },
      select: { id: true, amount: true },
    });
    if (!payment) return;
    const running = await tx.$queryRaw<OperationRow[]>(runningOperation(payment.id));
    if (running.length === 0) await this.settling.capture(tx, payment);
  }

  private async begin(tx: Transaction, paymentId: string): Promise<Begun> {
    const { amount } = await this.lock(tx, paymentId, ['AUTHORIZED']);
    const running = await tx.$queryRaw<OperationRow[]>(runningOperation(paymentId));
    if (running.length > 0) throw failure('PAYMENT_IN_PROGRESS');
    const operation = { id: newId(), paymentId, kind: 'CAPTURE' as const, amount: Number(amount) };
    await tx.$executeRaw(writeLeasedOperation(operation, this.running.leaseMs));
    return { operationId: operation.id };
  }

  /** Locks the order of a card's payment in one of these states. */
  private async lock(
    tx: Transaction,
    paymentId: string,
    states: string[],
  ): Promise<{ orderId: string; amount: bigint }> {
    await tx.$queryRaw(lockOrderOfPayment(paymentId));
    const payment = await tx.payment.findFirst({
      where: { id: paymentId },
      select: { orderId: true, amount: true, method: true, status: true },
    });
    if (!payment) throw failure('NOT_FOUND');
    const { method, status } = payment;
    if (method !== 'CARD' || !states.includes(status))
      throw failure('PAYMENT_INVALID_TRANSITION', [{ method, status }]);
    return payment;
  }
}
