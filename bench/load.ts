import autocannon from 'autocannon';
import type { Served } from './processes.ts';
import { nextOrder, pick, type Scene } from './scene.ts';

export const OPERATIONS = [
  'place an order',
  'place an order with window and coupon',
  'list 20 products',
  'read an order',
] as const;
export type Operation = (typeof OPERATIONS)[number];

export interface Figures {
  perSecond: number;
  p50: number;
  p95: number;
  p99: number;
  cpuMsPerRequest: number;
  backendMsPerRequest: number;
  statementsPerRequest: number;
  failed: number;
}

/** Builds each request anew: keys, lines and customers differ. Both servers are sent the same bytes. */
function requestsOf(operation: Operation, scene: Scene): autocannon.Request {
  switch (operation) {
    case 'place an order':
    case 'place an order with window and coupon':
      return {
        method: 'POST',
        path: '/api/orders',
        setupRequest: (request) => {
          const { customer, body, key } = nextOrder(scene, operation !== 'place an order');
          const headers = {
            'content-type': 'application/json',
            authorization: `Bearer ${customer.token}`,
            'x-customer': customer.id,
            'idempotency-key': key,
          };
          return { ...request, headers, body: JSON.stringify(body) };
        },
      };
    case 'list 20 products':
      return { method: 'GET', path: '/api/products?limit=20' };
    case 'read an order':
      return {
        method: 'GET',
        setupRequest: (request) => {
          const { id, customer } = pick(scene.orders);
          const headers = { authorization: `Bearer ${customer.token}`, 'x-customer': customer.id };
          return { ...request, path: `/api/orders/${id}`, headers };
        },
      };
  }
}

export async function measure(
  served: Served,
  operation: Operation,
  scene: Scene,
  { connections, seconds }: { connections: number; seconds: number },
): Promise<Figures> {
  const options = { url: served.url, connections, requests: [requestsOf(operation, scene)] };
  await autocannon({ ...options, duration: 2 });
  const before = await countersOf(served);
  const result = await autocannon({ ...options, duration: seconds });
  const after = await countersOf(served);
  const answered = result.requests.total;
  return {
    perSecond: answered / result.duration,
    p50: result.latency.p50,
    p95: percentile95(result),
    p99: result.latency.p99,
    cpuMsPerRequest: ((after.cpu - before.cpu) * 1000) / answered,
    backendMsPerRequest: ((after.backends - before.backends) * 1000) / answered,
    statementsPerRequest: (after.statements - before.statements) / answered,
    failed: result.non2xx + result.errors,
  };
}

async function countersOf(served: Served): Promise<{ cpu: number; backends: number; statements: number }> {
  return {
    cpu: await served.cpuSeconds(),
    backends: await served.backendCpuSeconds(),
    statements: await served.statements(),
  };
}

/** autocannon gives p90 and p97.5; between them is what is meant. */
function percentile95({ latency }: autocannon.Result): number {
  return latency.p90 + ((latency.p97_5 - latency.p90) * 5) / 7.5;
}
