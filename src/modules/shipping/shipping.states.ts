import type { OrderStatus } from '../orders/orders.states.js';

export const ASSIGNMENT_STATUSES = [
  'OFFERED',
  'ACCEPTED',
  'PICKED_UP',
  'DELIVERED',
  'REJECTED',
  'EXPIRED',
  'FAILED',
  'CANCELLED',
] as const;
export type AssignmentStatus = (typeof ASSIGNMENT_STATUSES)[number];

/** One of these at most for an order: shipping_assignments_active_key. */
export const ACTIVE: readonly AssignmentStatus[] = ['OFFERED', 'ACCEPTED', 'PICKED_UP'];

/** Orders that can be offered; SHIPPING is one whose delivery failed. */
export const SHIPPABLE: readonly OrderStatus[] = ['CONFIRMED', 'PREPARING', 'SHIPPING'];

/** Steps that an agent takes with his own assignment, and from where. Accepting is accept_assignment() in the database. */
export const AGENT_STEPS = {
  REJECTED: ['OFFERED'],
  PICKED_UP: ['ACCEPTED'],
  DELIVERED: ['PICKED_UP'],
  FAILED: ['ACCEPTED', 'PICKED_UP'],
} as const satisfies Partial<Record<AssignmentStatus, readonly AssignmentStatus[]>>;
