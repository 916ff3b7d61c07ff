import { Injectable } from '@nestjs/common';
import { failure } from '../../common/exceptions/failure.js';
import { money } from '../../common/money.js';
import { currentStore } from '../../common/request-context.js';
import { type Actor, isStaff } from '../../http/actor.js';
import { Database, type Transaction } from '../../platform/prisma/database.js';
import type { PaymentResponse } from './dto/payment.dto.js';
import { postSale } from './payments.queries.js';
import { RefundPayment } from './refund-payment.js';

/** What was sold to whom, minor units. */
export interface Sale {
  orderId: string;
  /** Null for a guest. */
  customerId: string | null;
  currency: string;
  total: number;
}

interface Reversal {
  actorId?: string;
  reason: string;
}

@Injectable()
export class PaymentsService {
  constructor(
    private readonly database: Database,
    private readonly refunding: RefundPayment,
  ) {}

  /** Its customer's own, or any for staff. @throws NOT_FOUND */
  async find(id: string, actor: Actor): Promise<PaymentResponse> {
    const payment = await this.database.prisma.payment.findFirst({
      where: { id, ...(isStaff(actor) ? {} : { order: { customerId: actor.id } }) },
    });
    if (!payment) throw failure('NOT_FOUND');
    return {
      id: payment.id,
      orderId: payment.orderId,
      method: payment.method,
      status: payment.status,
      amount: money(payment.amount, payment.currency),
      captured: money(payment.capturedAmount, payment.currency),
      refunded: money(payment.refundedAmount, payment.currency),
      createdAt: payment.createdAt.toISOString(),
      updatedAt: payment.updatedAt.toISOString(),
    };
  }

  /**
   * Cash for an order is there: in the agent's hand, or in the vault when staff took it. The caller holds the order's row.
   * An order that is paid already stays as it is.
   */
  async collectCash(tx: Transaction, sale: Sale, by: { actorId?: string; agentId?: string }): Promise<void> {
    const captured = await tx.payment.updateMany({
      where: { orderId: sale.orderId, method: 'COD', status: 'PENDING' },
      data: { status: 'CAPTURED', capturedAmount: sale.total, updatedAt: new Date() },
    });
    if (captured.count === 0 || sale.total === 0) return;
    const cash = by.agentId
      ? { kind: 'AGENT_CASH' as const, ownerId: by.agentId, amount: -sale.total }
      : { kind: 'CASH_VAULT' as const, ownerId: currentStore(), amount: -sale.total };
    await tx.$queryRaw(postSale(sale.orderId, by.actorId ?? null, [cash]));
  }

  /**
   * An order that ends early owes nothing: a pending payment is voided, what was captured and not yet refunded goes
   * back. The caller holds the order's row.
   */
  async reverse(tx: Transaction, sale: Sale, { actorId, reason }: Reversal): Promise<void> {
    const voided = await tx.payment.updateMany({
      where: { orderId: sale.orderId, status: { in: ['PENDING', 'AUTHORIZED'] } },
      data: { status: 'VOIDED', updatedAt: new Date() },
    });
    if (voided.count > 0) return;
    await this.refunding.rest(tx, { orderId: sale.orderId, actorId, reason });
  }
}
