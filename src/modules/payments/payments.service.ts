import { Injectable } from '@nestjs/common';
import { failure } from '../../common/exceptions/failure.js';
import { money } from '../../common/money.js';
import { currentStore } from '../../common/request-context.js';
import { type Actor, isStaff } from '../../http/actor.js';
import { CacheInvalidation } from '../../platform/cache/invalidation/cache-invalidation.js';
import { Database, type Transaction } from '../../platform/prisma/database.js';
import type { PaymentResponse } from './dto/payment.dto.js';
import { postSale } from './payments.queries.js';
import { RefundPayment } from './refund-payment.js';
import { ReleasePayment } from './release-payment.js';

/** What was sold to whom, minor units. */
export interface Sale {
  orderId: string;
  /** Null for a guest. */
  customerId: string | null;
  currency: string;
  total: number;
}

/** What an agent took for a parcel, minor units: no more than its total. */
export interface CashAtTheDoor {
  agentId: string;
  collected: number;
}

interface Reversal {
  actorId?: string;
  reason: string;
}

@Injectable()
export class PaymentsService {
  constructor(
    private readonly database: Database,
    private readonly releasing: ReleasePayment,
    private readonly refunding: RefundPayment,
    readonly cacheInvalidation: CacheInvalidation,
  ) {}

  /** Its customer's own, or any for staff. @throws NOT_FOUND */
  async find(id: string, actor: Actor): Promise<PaymentResponse> {
    const payment = await this.database.prisma.payment.findFirst({
      where: { id, ...(isStaff(actor) ? {} : { order: { customerId: actor.id } }) },
    });
    if (!payment) throw failure('NOT_FOUND');
    return toResponse(payment);
  }

  /** For a caller who knows that it is there and may be seen. */
  async read(id: string, tx: Pick<Transaction, 'payment'> = this.database.prisma): Promise<PaymentResponse> {
    return toResponse(await tx.payment.findFirstOrThrow({ where: { id } }));
  }

  /**
   * Cash for an order is there: in the vault when staff took it, else in an agent's hand, who may have got a part of it only:
   * the rest the customer owes. The caller holds the order's row. An order that is paid already stays as it is.
   */
  async collectCash(tx: Transaction, sale: Sale, by: { actorId?: string; cash?: CashAtTheDoor }): Promise<void> {
    this.cacheInvalidation.invalidateAfter(tx, 'payments', 'wallets');
    const collected = by.cash ? by.cash.collected : sale.total;
    const captured = await tx.payment.updateMany({
      where: { orderId: sale.orderId, method: 'COD', status: 'PENDING' },
      data: { status: 'CAPTURED', capturedAmount: collected, updatedAt: new Date() },
    });
    if (captured.count === 0 && by.cash && collected > 0)
      throw new Error('Cash was taken for what is not to be paid in cash');
    if (captured.count === 0 || sale.total === 0) return;
    const cash = by.cash
      ? { kind: 'AGENT_CASH' as const, ownerId: by.cash.agentId, amount: -collected }
      : { kind: 'CASH_VAULT' as const, ownerId: currentStore(), amount: -collected };
    const owed = { kind: 'RECEIVABLES' as const, ownerId: currentStore(), amount: collected - sale.total };
    await tx.$queryRaw(postSale(sale.orderId, by.actorId ?? null, [cash, owed]));
  }

  /**
   * An order that ends early owes nothing: a pending payment is voided, what was captured and not yet refunded goes
   * back. The caller holds the order's row.
   */
  async reverse(tx: Transaction, sale: Sale, { actorId, reason }: Reversal): Promise<void> {
    this.cacheInvalidation.invalidateAfter(tx, 'payments', 'wallets');
    if (await this.releasing.release(tx, sale.orderId)) return;
    await this.refunding.rest(tx, { orderId: sale.orderId, actorId, reason });
  }
}

type PaymentRow = Awaited<ReturnType<Transaction['payment']['findFirstOrThrow']>>;

function toResponse(payment: PaymentRow): PaymentResponse {
  const { id, orderId, method, status, currency, failureCode } = payment;
  return {
    id,
    orderId,
    method,
    status,
    amount: money(payment.amount, currency),
    authorized: money(payment.authorizedAmount, currency),
    captured: money(payment.capturedAmount, currency),
    refunded: money(payment.refundedAmount, currency),
    failureCode,
    createdAt: payment.createdAt.toISOString(),
    updatedAt: payment.updatedAt.toISOString(),
  };
}
