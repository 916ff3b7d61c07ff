import { Injectable } from '@nestjs/common';
import { failure } from '../../common/exceptions/failure.js';
import { newId } from '../../common/ids.js';
import type { Visitor } from '../../http/guest.js';
import { CacheInvalidation } from '../../platform/cache/invalidation/cache-invalidation.js';
import { InvalidateCache } from '../../platform/cache/invalidation/invalidate-cache.decorator.js';
import {
  type Answer,
  IdempotencyService,
  type IdempotentRequest,
} from '../../platform/idempotency/idempotency.service.js';
import { Database, type Transaction } from '../../platform/prisma/database.js';
import { LookAtPayment } from './look-at-payment.js';
import {
  finishOperation,
  operationById,
  type OperationRow,
  runningOperation,
  writeLeasedOperation,
} from './payment-operations.queries.js';
import { PaymentsService } from './payments.service.js';
import { lockOrderOfPayment, payerOf, type PayerRow, type PaymentOrderRow } from './payments.queries.js';
import { PaymentProviders } from './providers/payment-providers.js';
import type { NextAction } from './providers/payment-provider.js';
import { RunOperation } from './run-operation.js';

/** Whoever tries more cards than this is trying them out. */
const MAX_CARDS = 10;

interface Begun {
  operationId: string;
}

/** The customer gives his card: written and committed, then asked for, then recorded. Never asked for inside a transaction. */
@Injectable()
export class ConfirmPayment {
  constructor(
    private readonly database: Database,
    private readonly idempotency: IdempotencyService,
    private readonly payments: PaymentsService,
    private readonly providers: PaymentProviders,
    private readonly running: RunOperation,
    private readonly looking: LookAtPayment,
    readonly cacheInvalidation: CacheInvalidation,
  ) {}

  /**
   * 200 when the card is charged or held, or the customer has to act; 202 when nobody knows yet. The same key never asks for
   * another card: it answers what is known by now.
   * @throws NOT_FOUND, for a payment that is not the visitor's too, PAYMENT_SOURCE_INVALID, PAYMENT_DECLINED, PAYMENT_CLOSED,
   * PAYMENT_IN_PROGRESS, PAYMENT_ATTEMPTS_EXCEEDED, IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_IN_PROGRESS
   */
  @InvalidateCache('payments')
  async confirm(
    paymentId: string,
    source: string,
    { actor, cartTokenHash }: Visitor,
    request: IdempotentRequest,
  ): Promise<Answer> {
    const [payer] = await this.database.query<PayerRow>(payerOf(paymentId, actor?.id ?? null, cartTokenHash));
    if (!payer) throw failure('NOT_FOUND');
    const token = this.providers.find(payer.provider ?? '')?.tokenOf(source);
    if (token === null) throw failure('PAYMENT_SOURCE_INVALID');
    const principal = actor?.id ?? `cart ${payer.cart_id}`;
    const begun = await this.idempotency.run(principal, request, (tx) => this.begin(tx, paymentId, token), 200);
    const { operationId } = begun.body as Begun;
    const nextAction = await this.askProvider(paymentId, operationId, !begun.replayed);
    return { ...(await this.answer(operationId, nextAction)), replayed: begun.replayed };
  }

  /** Locks the order. */
  private async begin(tx: Transaction, paymentId: string, source: string | undefined): Promise<Begun> {
    const [order] = await tx.$queryRaw<PaymentOrderRow[]>(lockOrderOfPayment(paymentId));
    const payment = await tx.payment.findFirst({
      where: { id: paymentId, method: 'CARD', status: 'PENDING' },
      select: { amount: true, _count: { select: { operations: { where: { kind: 'AUTHORIZE' } } } } },
    });
    if (!order || order.overdue || !payment || source === undefined) throw failure('PAYMENT_CLOSED');
    const [running] = await tx.$queryRaw<OperationRow[]>(runningOperation(paymentId));
    if (running?.action_required && running.source === source) return { operationId: running.id };
    if (running && !running.action_required) throw failure('PAYMENT_IN_PROGRESS');
    if (payment._count.operations >= MAX_CARDS) throw failure('PAYMENT_ATTEMPTS_EXCEEDED');
    // Another card instead of the one whose bank waits for the customer.
    if (running) await tx.$executeRaw(finishOperation(running.id, { status: 'FAILED', code: 'SUPERSEDED' }));
    const operation = { id: newId(), paymentId, kind: 'AUTHORIZE' as const, amount: Number(payment.amount), source };
    await tx.$executeRaw(writeLeasedOperation(operation, this.running.leaseMs));
    return { operationId: operation.id };
  }

  /** @param first nobody has asked for it before; else only when it is due, or waits for the customer */
  private async askProvider(paymentId: string, operationId: string, first: boolean): Promise<NextAction | null> {
    const [operation] = await this.database.query<OperationRow>(operationById(operationId));
    if (operation?.status !== 'PENDING') return null;
    if (operation.action_required && operation.payment_ref) {
      const state = await this.looking.look(paymentId, operation.payment_ref);
      return state?.state === 'ACTION_REQUIRED' ? state.nextAction : null;
    }
    const outcome = await this.running.runDue(operationId, { early: first });
    return outcome?.result === 'ACTION_REQUIRED' ? outcome.nextAction : null;
  }

  private async answer(operationId: string, nextAction: NextAction | null): Promise<Pick<Answer, 'status' | 'body'>> {
    const [operation] = await this.database.query<OperationRow>(operationById(operationId));
    if (!operation) throw new Error('An operation that is gone');
    const { status, failure_code: failureCode } = operation;
    const payment = await this.payments.read(operation.payment_id);
    if (payment.status === 'VOIDED' || failureCode === 'ORDER_ENDED') throw failure('PAYMENT_CLOSED');
    if (status === 'FAILED') throw failure('PAYMENT_DECLINED', [{ code: 'PAYMENT_DECLINED', failureCode }]);
    return { status: status === 'SUCCEEDED' || nextAction ? 200 : 202, body: { ...payment, nextAction } };
  }
}
