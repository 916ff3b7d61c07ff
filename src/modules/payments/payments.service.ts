import { Injectable } from '@nestjs/common';
import { failure } from '../../common/exceptions/failure.js';
import { newId } from '../../common/ids.js';
import { money } from '../../common/money.js';
import { currentStore } from '../../common/request-context.js';
import { type Actor, isStaff } from '../../http/actor.js';
import { Database, type Transaction } from '../../platform/prisma/database.js';
import { WalletsService } from '../wallets/wallets.service.js';
import type { PaymentResponse } from './dto/payment.dto.js';
import { postSale } from './payments.queries.js';

/** What a sale is made of, minor units. */
export interface Sale {
  orderId: string;
  /** Null for a guest. */
  customerId: string | null;
  currency: string;
  total: number;
  /** subtotal - discount */
  goods: number;
  deliveryFee: number;
  tax: number;
}

interface Reversal {
  actorId?: string;
  reason: string;
}

@Injectable()
export class PaymentsService {
  constructor(
    private readonly database: Database,
    private readonly wallets: WalletsService,
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
   * An order that ends early owes nothing: a pending payment is voided, a captured one goes back to the customer's wallet.
   * The caller holds the order's row.
   */
  async reverse(tx: Transaction, sale: Sale, { actorId, reason }: Reversal): Promise<void> {
    const voided = await tx.payment.updateMany({
      where: { orderId: sale.orderId, status: { in: ['PENDING', 'AUTHORIZED'] } },
      data: { status: 'VOIDED', updatedAt: new Date() },
    });
    if (voided.count > 0) return;
    const [refunded] = await tx.payment.updateManyAndReturn({
      where: { orderId: sale.orderId, status: 'CAPTURED', refundedAmount: 0 },
      data: { status: 'REFUNDED', refundedAmount: sale.total, updatedAt: new Date() },
      select: { id: true, method: true },
    });
    if (!refunded || sale.total === 0) return;
    const refundId = newId();
    await tx.refund.create({
      data: {
        storeId: currentStore(),
        id: refundId,
        paymentId: refunded.id,
        amount: sale.total,
        destination: refunded.method === 'WALLET' ? 'ORIGINAL' : 'WALLET',
        status: 'SUCCEEDED',
        reason,
        actorId,
      },
    });
    await this.wallets.post(tx, {
      type: 'SALE_REFUND',
      reference: refundId,
      actorId,
      currency: sale.currency,
      entries: [
        sale.customerId
          ? { kind: 'CUSTOMER', ownerId: sale.customerId, amount: sale.total }
          : { kind: 'CASH_VAULT', ownerId: currentStore(), amount: sale.total },
        ...revenue(sale, -1),
      ],
    });
  }
}

function revenue({ goods, deliveryFee, tax }: Sale, sign: 1 | -1) {
  const ownerId = currentStore();
  return [
    { kind: 'SALES' as const, ownerId, amount: sign * goods },
    { kind: 'DELIVERY_FEES' as const, ownerId, amount: sign * deliveryFee },
    { kind: 'TAXES' as const, ownerId, amount: sign * tax },
  ].filter(({ amount }) => amount !== 0);
}
