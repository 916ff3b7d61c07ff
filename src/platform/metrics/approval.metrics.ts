import { Counter, Histogram } from 'prom-client';
import { registry } from './registry.js';

const registers = [registry];

export const approvalMetrics = {
  lockWait: new Histogram({
    name: 'larder_approval_lock_wait_seconds',
    help: 'Time that a decision waited for the row of its request',
    buckets: [0.001, 0.005, 0.02, 0.1, 0.25, 0.5, 1],
    registers,
  }),
  decisions: new Counter({
    name: 'larder_approval_decisions_total',
    help: 'Decisions that counted',
    labelNames: ['kind', 'decision'] as const,
    registers,
  }),
  duplicates: new Counter({
    name: 'larder_approval_duplicates_total',
    help: 'Decisions that the same person had made before: nothing was done',
    labelNames: ['kind'] as const,
    registers,
  }),
};
