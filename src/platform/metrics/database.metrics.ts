import type pg from 'pg';
import { Counter, Gauge, Histogram } from 'prom-client';
import { registry } from './registry.js';

const registers = [registry];
let observedPool: pg.Pool | undefined;

/** The pool whose figures are read at each scrape. */
export function observePool(pool: pg.Pool): void {
  observedPool = pool;
}

/** What the database does, by table and operation; ids and values are never labels. */
export const databaseMetrics = {
  queryDuration: new Histogram({
    name: 'larder_db_query_duration_seconds',
    help: 'Time of a statement, from sending it to its answer',
    labelNames: ['operation', 'table'] as const,
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 1, 3],
    registers,
  }),
  slowQueries: new Counter({
    name: 'larder_db_slow_queries_total',
    help: 'Statements slower than a threshold (ms)',
    labelNames: ['operation', 'table', 'threshold'] as const,
    registers,
  }),
  pool: new Gauge({
    name: 'larder_db_pool_connections',
    help: 'Connections of the pool, and requests that wait for one',
    labelNames: ['state'] as const,
    registers,
    collect() {
      if (!observedPool) return;
      const { totalCount, idleCount, waitingCount } = observedPool;
      this.set({ state: 'active' }, totalCount - idleCount);
      this.set({ state: 'idle' }, idleCount);
      this.set({ state: 'waiting' }, waitingCount);
    },
  }),
  acquireFailures: new Counter({
    name: 'larder_db_pool_acquire_failures_total',
    help: 'Requests that waited too long for a connection',
    registers,
  }),
  transactionRetries: new Counter({
    name: 'larder_db_transaction_retries_total',
    help: 'Transactions run again after a serialization failure or deadlock',
    labelNames: ['sqlstate'] as const,
    registers,
  }),
  lockConflicts: new Counter({
    name: 'larder_db_lock_conflicts_total',
    help: 'Rows that were locked by another request',
    labelNames: ['resource'] as const,
    registers,
  }),
};
