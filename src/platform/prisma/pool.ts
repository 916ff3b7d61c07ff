import pg from 'pg';
import type { LarderConfig } from '../../config/config.js';
import { GrowingPool } from './growing-pool.js';
import type { QueryObserver } from './query-observer.js';

/** Numbers of our own statements: int8 as a number (amounts are below 2^53 by CHECK), everything else as pg does it. */
export const fastTypes: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === 20 ? Number : (pg.types.getTypeParser(oid, format) as unknown)) as typeof pg.types.getTypeParser,
};

type PoolSettings = Pick<
  LarderConfig,
  | 'DATABASE_URL'
  | 'POOL_SIZE'
  | 'POOL_ACQUIRE_TIMEOUT_MS'
  | 'STATEMENT_TIMEOUT_MS'
  | 'LOCK_TIMEOUT_MS'
  | 'TRANSACTION_TIMEOUT_MS'
>;

/**
 * The one pool of the process; a worker has a small one besides, for the work of taking work. Every connection speaks UTC (adapter-pg drops offsets) and carries the server-side limits,
 * so that no statement, lock wait or forgotten transaction outlives the request it is for.
 */
export function createPool(config: PoolSettings, observer: QueryObserver, name = 'larder'): pg.Pool {
  class ObservedClient extends pg.Client {
    constructor(options?: pg.ClientConfig) {
      super(options);
      observer.watch(this);
    }
  }
  const options: pg.PoolConfig & { Client: typeof pg.Client } = {
    connectionString: config.DATABASE_URL,
    max: config.POOL_SIZE,
    connectionTimeoutMillis: config.POOL_ACQUIRE_TIMEOUT_MS,
    idleTimeoutMillis: 30_000,
    statement_timeout: config.STATEMENT_TIMEOUT_MS,
    // The server's own limit comes first; this one is for a server that answers no more.
    query_timeout: config.TRANSACTION_TIMEOUT_MS,
    lock_timeout: config.LOCK_TIMEOUT_MS,
    idle_in_transaction_session_timeout: config.TRANSACTION_TIMEOUT_MS,
    // Compiling a statement took 0.2 to 8 s of dashboards that then ran for 10 to 100 ms.
    options: '-c TimeZone=UTC -c jit=off',
    application_name: name,
    keepAlive: true,
    Client: ObservedClient,
  };
  const pool = new GrowingPool(options);
  // An idle connection that breaks is the pool's to replace; the observer has told of it.
  pool.on('error', () => undefined);
  return pool;
}
