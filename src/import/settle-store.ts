import type pg from 'pg';
import { newId } from '../common/ids.js';
import { runInContext } from '../common/request-context.js';
import { type FoldConnection, type Folded, foldStore, settledMoment } from '../modules/dashboard/fold-store.js';

export interface Settled extends Folded {
  seconds: number;
}

/** $1: the store. Who fills one is alone, to the end of the session, and the job that folds days leaves it alone meanwhile. */
export const FILL_ALONE = `SELECT pg_advisory_lock(hashtextextended('fill ' || $1, 0))`;

const OWN_WALLETS = 'SELECT id FROM wallets WHERE store_id = $1 AND owner_id = $1';
const CHECKPOINT = 'SELECT checkpoint_wallet($1, $2)';
const TELL_CACHE = `SELECT enqueue_job($1, 'cache.invalidate', '{}', p_key => 'all')`;
const SERIALIZATION_FAILURE = '40001';
const ATTEMPTS = 5;

/**
 * What a command does when it has filled a store: balances of the store's own wallets are summed up to here, past days are added up
 * for the dashboards, and instances are told that what they have cached is old. Stopped or killed, days are left to the job.
 */
export async function settleStore(clients: pg.Client[], storeId: string, isStopped: () => boolean): Promise<Settled> {
  const started = performance.now();
  const client = clients[0]!;
  try {
    const { rows } = await client.query<{ id: string }>(OWN_WALLETS, [storeId]);
    // Each in a transaction of its own, which marks, or fills in when everybody has ended who had begun before the mark.
    const checkpoint = async (): Promise<void> => {
      for (const { id } of rows) await client.query(CHECKPOINT, [storeId, id]);
    };
    await checkpoint();
    const connections = clients.map(foldingOver);
    const moment = await settledMoment(connections[0]!, isStopped);
    await checkpoint();
    const folded = await runInContext({ requestId: newId(), storeId }, async () =>
      moment === undefined ? { days: 0, done: false } : foldStore(connections, moment, isStopped),
    );
    return { ...folded, seconds: (performance.now() - started) / 1000 };
  } finally {
    await client.query(TELL_CACHE, [storeId]);
  }
}

export function toldOfDays({ days, done, seconds }: Settled): string {
  const rest = done ? '' : '; the others are left to a Larder that works (LARDER_ROLE)';
  return `Added up ${days} days for the dashboards in ${seconds.toFixed(1)} s${rest}.`;
}

function foldingOver(client: pg.Client): FoldConnection {
  return {
    query: async <Row extends object>({ text, values }: { text: string; values: unknown[] }) =>
      (await client.query<Row>({ text, values })).rows,
    inOneSnapshot: async ({ text, values }) => {
      for (let attempt = 1; ; attempt++) {
        await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
        try {
          await client.query({ text, values });
          await client.query('COMMIT');
          return;
        } catch (error) {
          await client.query('ROLLBACK').catch(() => undefined);
          if (attempt === ATTEMPTS || (error as pg.DatabaseError).code !== SERIALIZATION_FAILURE) throw error;
        }
      }
    },
  };
}
