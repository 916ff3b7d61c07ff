import { Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { failure } from '../../common/exceptions/failure.js';
import { type Actor, isStaff } from '../../http/actor.js';
import { CacheInvalidation } from '../../platform/cache/invalidation/cache-invalidation.js';
import type { Tag } from '../../platform/cache/invalidation/tags.js';
import { LarderLogger } from '../../platform/logging/larder-logger.js';
import { businessMetrics } from '../../platform/metrics/business.metrics.js';
import { Database, type Transaction } from '../../platform/prisma/database.js';
import { readDatabaseError } from '../../platform/prisma/database-error.js';
import { InventoryService } from '../inventory/inventory.service.js';
import { CapturePayment } from '../payments/capture-payment.js';
import { type CashAtTheDoor, PaymentsService, type Sale } from '../payments/payments.service.js';
import { lockOrderForStep, moveOrder, orderForStep, type OrderStepRow, releaseBooking } from './orders.queries.js';
import { type OrderStatus, type StepEffect, stepFor, type StepRole } from './orders.states.js';

export interface StepBy {
  actorId?: string;
  roles: readonly StepRole[];
  reason?: string;
  /** What the agent took whose step it is. */
  cash?: CashAtTheDoor;
}

export interface StepTaken {
  order: OrderStepRow;
  to: OrderStatus;
  by: StepBy;
}

/** What modules above orders do in the transaction of a step, as shipping with its assignments. May refuse by throwing. */
export type StepListener = (tx: Transaction, step: StepTaken) => Promise<void>;

const MAX_ATTEMPTS = 3;
const BACKOFF_MS = 50;

@Injectable()
export class ChangeOrderStatus {
  private readonly listeners: StepListener[] = [];

  constructor(
    private readonly database: Database,
    private readonly inventory: InventoryService,
    private readonly payments: PaymentsService,
    private readonly capturing: CapturePayment,
    private readonly logger: LarderLogger,
    private readonly cacheInvalidation: CacheInvalidation,
  ) {}

  onStep(listener: StepListener): void {
    this.listeners.push(listener);
  }

  /**
   * A step that a request asks for: compare-and-set on status and version, up to 3 attempts, the step validated anew on each
   * (H7). Locks, in this order: the order, its assignment, slot, coupon, stock by variant id, wallets.
   * @throws NOT_FOUND, ORDER_INVALID_TRANSITION, ORDER_CANNOT_CANCEL_AFTER_SHIPPING, FORBIDDEN, ORDER_STATUS_CONFLICT
   */
  async change(
    orderId: string,
    to: OrderStatus,
    actor: Actor,
    { reason, version }: { reason?: string; version?: number },
  ): Promise<void> {
    // An agent's steps are those of his assignments: a customer who is one too can't deliver to himself.
    const roles = actor.roles.filter((role) => role !== 'AGENT');
    const by: StepBy = { actorId: actor.id, roles, reason };
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const [order] = await this.database.query<OrderStepRow>(orderForStep(orderId));
      if (!order || (!isStaff(actor) && order.customer_id !== actor.id)) throw failure('NOT_FOUND');
      if (version !== undefined && version !== order.version) throw failure('ORDER_STATUS_CONFLICT');
      if (await this.attempt(order, to, by)) return;
      businessMetrics.statusConflicts.inc({ outcome: attempt < MAX_ATTEMPTS ? 'retried' : 'refused' });
      this.logger.info({ event: 'order_status_update_retry', orderId, attempt });
      if (attempt < MAX_ATTEMPTS) await sleep(BACKOFF_MS * 2 ** (attempt - 1) * (0.5 + Math.random()));
    }
    throw failure('ORDER_STATUS_CONFLICT');
  }

  /**
   * A step inside a use case of another module, which has to succeed or fail with it: locks the order's row instead of
   * trying again.
   * @throws what change() throws, but ORDER_STATUS_CONFLICT
   */
  async stepWithin(tx: Transaction, orderId: string, to: OrderStatus, by: StepBy): Promise<OrderStepRow> {
    const order = await this.lockWithin(tx, orderId);
    if (!(await this.take(tx, order, to, by))) throw failure('ORDER_STATUS_CONFLICT');
    return order;
  }

  /** The order, its row held until the transaction ends. @throws NOT_FOUND */
  async lockWithin(tx: Transaction, orderId: string): Promise<OrderStepRow> {
    const [order] = await tx.$queryRaw<OrderStepRow[]>(lockOrderForStep(orderId));
    if (!order) throw failure('NOT_FOUND');
    return order;
  }

  private async attempt(order: OrderStepRow, to: OrderStatus, by: StepBy): Promise<boolean> {
    stepFor(order.status, to, by.roles);
    try {
      return await this.database.transaction((tx) => this.take(tx, order, to, by));
    } catch (error) {
      // Another request holds the row for longer than lock_timeout: lost, like a comparison that fails.
      if (readDatabaseError(error)?.failure === 'LOCKED') return false;
      throw error;
    }
  }

  /** False when the order was moved by someone else meanwhile; then nothing is changed. */
  private async take(tx: Transaction, order: OrderStepRow, to: OrderStatus, by: StepBy): Promise<boolean> {
    const step = stepFor(order.status, to, by.roles);
    const role = by.roles.find((candidate) => step.roles.includes(candidate)) ?? 'SYSTEM';
    const moved = await tx.$queryRaw<object[]>(
      moveOrder(order, to, { actorId: by.actorId ?? null, role, reason: by.reason ?? null }),
    );
    if (moved.length === 0) return false;
    this.cacheInvalidation.invalidateAfter(
      tx,
      'orders',
      ...(order.placed_before_today ? (['orders:past'] as const) : []),
      ...step.effects.flatMap(tagsOf),
    );
    for (const listener of this.listeners) await listener(tx, { order, to, by });
    for (const effect of step.effects) await this.cause(tx, effect, { order, to, by });
    return true;
  }

  private async cause(tx: Transaction, effect: StepEffect, { order, to, by }: StepTaken): Promise<void> {
    switch (effect) {
      case 'RELEASE_BOOKING':
        await tx.$executeRaw(releaseBooking(order.id));
        return;
      case 'RELEASE_STOCK':
        return this.inventory.releaseStock(tx, order.id);
      case 'SHIP_STOCK':
        return this.inventory.shipStock(tx, order.id);
      case 'RESTOCK':
        return this.inventory.restock(tx, order.id, by.actorId ?? null);
      case 'CAPTURE_PAYMENT':
        return this.capturing.captureShipped(tx, order.id);
      case 'COLLECT_CASH':
        return this.payments.collectCash(tx, saleOf(order), { actorId: by.actorId, cash: by.cash });
      case 'REVERSE_PAYMENT':
        return this.payments.reverse(tx, saleOf(order), {
          actorId: by.actorId,
          reason: by.reason ?? `order ${to.toLowerCase()}`,
        });
    }
  }
}

/** Of money its own use cases tell. */
function tagsOf(effect: StepEffect): Tag[] {
  if (effect === 'RELEASE_BOOKING') return ['slots'];
  return effect.endsWith('STOCK') ? ['inventory'] : [];
}

/** Prisma reads int8 as bigint, the fast lane as number: amounts are below 2^53 by CHECK. */
function saleOf(order: OrderStepRow): Sale {
  return {
    orderId: order.id,
    customerId: order.customer_id,
    currency: order.currency,
    total: Number(order.total),
  };
}
