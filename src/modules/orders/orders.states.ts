import { failure } from '../../common/exceptions/failure.js';
import { type Role, STAFF } from '../../common/request-context.js';

export const ORDER_STATUSES = [
  'PENDING',
  'CONFIRMED',
  'PREPARING',
  'SHIPPING',
  'DELIVERED',
  'CANCELLED',
  'RETURNED',
  'EXPIRED',
] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

/**
 * What a step causes, in the transaction that takes it:
 * - RELEASE_STOCK: what was reserved is free again
 * - RELEASE_BOOKING: its place in a delivery slot and its use of a coupon are free again
 * - SHIP_STOCK: what was reserved leaves the shelf
 * - RESTOCK: what left the shelf is back
 * - CAPTURE_PAYMENT: what is still only held on a card is taken
 * - COLLECT_CASH: a pending cash payment is captured
 * - REVERSE_PAYMENT: a pending payment is voided, a captured one refunded
 */
export type StepEffect =
  | 'RELEASE_BOOKING'
  | 'RELEASE_STOCK'
  | 'SHIP_STOCK'
  | 'RESTOCK'
  | 'CAPTURE_PAYMENT'
  | 'COLLECT_CASH'
  | 'REVERSE_PAYMENT';

/** SYSTEM: a timer or a payment provider, never a request. */
export type StepRole = Role | 'SYSTEM';

export interface Step {
  roles: readonly StepRole[];
  effects: readonly StepEffect[];
}

const COURIERS = ['AGENT', ...STAFF] as const;
const UNDO_ORDER = ['RELEASE_BOOKING', 'RELEASE_STOCK', 'REVERSE_PAYMENT'] as const;
/** SYSTEM cancels when the money that was held for an order can't be taken. */
const CANCELLERS = ['CUSTOMER', ...STAFF, 'SYSTEM'] as const;
const SEND_OFF = ['SHIP_STOCK', 'CAPTURE_PAYMENT'] as const;

/** Which step is allowed, for whom, and what it causes. What isn't here doesn't happen. DESIGN 3.1. */
export const ORDER_STEPS: Readonly<Record<OrderStatus, Partial<Record<OrderStatus, Step>>>> = {
  PENDING: {
    CONFIRMED: { roles: ['SYSTEM'], effects: [] },
    CANCELLED: { roles: ['CUSTOMER', ...STAFF], effects: UNDO_ORDER },
    EXPIRED: { roles: ['SYSTEM'], effects: UNDO_ORDER },
  },
  CONFIRMED: {
    PREPARING: { roles: STAFF, effects: [] },
    SHIPPING: { roles: COURIERS, effects: SEND_OFF },
    CANCELLED: { roles: CANCELLERS, effects: UNDO_ORDER },
  },
  PREPARING: {
    SHIPPING: { roles: COURIERS, effects: SEND_OFF },
    CANCELLED: { roles: CANCELLERS, effects: UNDO_ORDER },
  },
  SHIPPING: {
    DELIVERED: { roles: COURIERS, effects: ['COLLECT_CASH'] },
    RETURNED: { roles: STAFF, effects: ['RESTOCK', 'REVERSE_PAYMENT'] },
  },
  DELIVERED: {
    RETURNED: { roles: STAFF, effects: ['RESTOCK', 'REVERSE_PAYMENT'] },
  },
  CANCELLED: {},
  RETURNED: {},
  EXPIRED: {},
};

const PAST_CANCELLING: readonly OrderStatus[] = ['SHIPPING', 'DELIVERED', 'RETURNED'];

/** @throws ORDER_CANNOT_CANCEL_AFTER_SHIPPING, ORDER_INVALID_TRANSITION, FORBIDDEN */
export function stepFor(from: OrderStatus, to: OrderStatus, roles: readonly StepRole[]): Step {
  const step = ORDER_STEPS[from][to];
  if (!step) {
    if (to === 'CANCELLED' && PAST_CANCELLING.includes(from)) throw failure('ORDER_CANNOT_CANCEL_AFTER_SHIPPING');
    throw failure('ORDER_INVALID_TRANSITION', [{ from, to, allowed: Object.keys(ORDER_STEPS[from]) }]);
  }
  if (!roles.some((role) => step.roles.includes(role))) throw failure('FORBIDDEN');
  return step;
}
