import { Counter, Histogram } from 'prom-client';
import { registry } from './registry.js';

const registers = [registry];

/** What happens in the shops, over all stores: no ids as labels. */
export const businessMetrics = {
  ordersPlaced: new Counter({
    name: 'larder_orders_placed_total',
    help: 'Orders placed',
    labelNames: ['payment_method'] as const,
    registers,
  }),
  ordersRefused: new Counter({
    name: 'larder_orders_refused_total',
    help: 'Orders refused, by code; INSUFFICIENT_STOCK is an oversell that did not happen',
    labelNames: ['code'] as const,
    registers,
  }),
  ordersExpired: new Counter({
    name: 'larder_orders_expired_total',
    help: 'Orders that waited for their payment for too long',
    registers,
  }),
  oversellRejects: new Counter({
    name: 'larder_oversell_rejects_total',
    help: 'Orders refused because the stock would have been oversold',
    registers,
  }),
  statusConflicts: new Counter({
    name: 'larder_order_status_conflicts_total',
    help: 'Compare-and-set of an order status that lost, by outcome',
    labelNames: ['outcome'] as const,
    registers,
  }),
  refunds: new Counter({
    name: 'larder_refunds_total',
    help: 'Refunds that staff asked for, and what became of those that had to wait',
    labelNames: ['outcome'] as const,
    registers,
  }),
  assignments: new Counter({
    name: 'larder_shipping_assignments_total',
    help: 'Steps of assignments',
    labelNames: ['step'] as const,
    registers,
  }),
  cashVariances: new Counter({
    name: 'larder_cash_variances_total',
    help: 'Counts of agents\u2019 cash that were not as expected, by direction: short or over',
    labelNames: ['direction'] as const,
    registers,
  }),
  acceptanceLatency: new Histogram({
    name: 'larder_shipping_acceptance_seconds',
    help: 'Time from an offer to its acceptance',
    buckets: [1, 5, 15, 60, 300, 900],
    registers,
  }),
};
