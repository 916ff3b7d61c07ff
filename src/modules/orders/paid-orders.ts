import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Actor } from '../../http/actor.js';
import type { Transaction } from '../../platform/prisma/database.js';
import { OrderSteps, type PaidOrder } from '../payments/order-steps.js';
import { ChangeOrderStatus } from './change-order-status.js';
import { ORDER_STEPS } from './orders.states.js';

/** How orders follow their payments, in the transaction that records what became of these. */
@Injectable()
export class PaidOrders implements OnModuleInit, PaidOrder {
  constructor(
    private readonly payments: OrderSteps,
    private readonly changing: ChangeOrderStatus,
  ) {}

  onModuleInit(): void {
    this.payments.register(this);
  }

  async confirm(tx: Transaction, orderId: string): Promise<void> {
    await this.changing.stepWithin(tx, orderId, 'CONFIRMED', { roles: ['SYSTEM'] });
  }

  async giveUp(tx: Transaction, orderId: string, reason: string): Promise<void> {
    const { status } = await this.changing.lockWithin(tx, orderId);
    if (!ORDER_STEPS[status].CANCELLED) return;
    await this.changing.stepWithin(tx, orderId, 'CANCELLED', { roles: ['SYSTEM'], reason });
  }

  async cancel(tx: Transaction, orderId: string, actor: Actor, reason?: string): Promise<void> {
    await this.changing.stepWithin(tx, orderId, 'CANCELLED', { actorId: actor.id, roles: actor.roles, reason });
  }
}
