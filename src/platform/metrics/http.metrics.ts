import { Counter, Gauge, Histogram } from 'prom-client';
import { registry } from './registry.js';

const registers = [registry];

/** Labels are route templates, never paths: the number of series stays bounded. */
export const httpMetrics = {
  duration: new Histogram({
    name: 'larder_http_request_duration_seconds',
    help: 'Time from the request to the end of its answer',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 8],
    registers,
  }),
  active: new Gauge({ name: 'larder_http_requests_active', help: 'Requests under way', registers }),
  idempotency: new Counter({
    name: 'larder_idempotency_total',
    help: 'Requests with an Idempotency-Key, by what became of them',
    labelNames: ['result'] as const,
    registers,
  }),
};
