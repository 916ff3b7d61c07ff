import { Injectable } from '@nestjs/common';
import type { Actor } from '../../http/actor.js';
import type { Transaction } from '../../platform/prisma/database.js';

/** What a payment does to its order, in the same transaction; the order's row is held. */
export interface PaidOrder {
  /** Its card is authorised. */
  confirm(tx: Transaction, orderId: string): Promise<void>;
  /** Its money will not come: cancelled while it can be, else left to staff. */
  giveUp(tx: Transaction, orderId: string, reason: string): Promise<void>;
  /** Staff let its money go. @throws what cancelling an order throws */
  cancel(tx: Transaction, orderId: string, actor: Actor, reason?: string): Promise<void>;
}

/** Orders are above payments: they say here, in onModuleInit, how they follow. */
@Injectable()
export class OrderSteps {
  private order?: PaidOrder;

  register(order: PaidOrder): void {
    this.order = order;
  }

  get of(): PaidOrder {
    if (!this.order) throw new Error('Nobody moves orders');
    return this.order;
  }
}
