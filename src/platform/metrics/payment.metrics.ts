import { Counter, Gauge, Histogram } from 'prom-client';
import { registry } from './registry.js';

const registers = [registry];

/** What providers of payments are asked, and what they tell. Ids are never labels. */
export const paymentMetrics = {
  operations: new Counter({
    name: 'larder_payment_operations_total',
    help: 'Times a provider was asked, by outcome; UNKNOWN is asked again',
    labelNames: ['provider', 'kind', 'outcome'] as const,
    registers,
  }),
  duration: new Histogram({
    name: 'larder_payment_operation_seconds',
    help: 'Time that a provider took to answer',
    labelNames: ['provider', 'kind'] as const,
    buckets: [0.01, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  }),
  webhooks: new Counter({
    name: 'larder_payment_webhooks_total',
    help: 'News from providers, by what became of them',
    labelNames: ['provider', 'result'] as const,
    registers,
  }),
  pending: new Gauge({
    name: 'larder_payment_operations_pending',
    help: 'Operations without a definite answer, as the sweeper last found them',
    registers,
  }),
  oldest: new Gauge({
    name: 'larder_payment_operations_oldest_seconds',
    help: 'Age of the oldest of them',
    registers,
  }),
};
