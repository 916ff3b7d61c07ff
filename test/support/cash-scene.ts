import type { TestApp } from './app.js';
import type { TestStore } from './factories.js';

/** Many of what lists of shifts and of the best agents show. */
export async function growCashScene(
  { sql }: TestApp,
  store: TestStore,
  ids: { agent: string; assignment: string },
  rows: number,
): Promise<void> {
  await sql.query(
    `INSERT INTO agent_shifts (
       store_id, id, agent_id, status, currency, opening_cash, expected, counted, counted_at, counted_by, closed_at
     )
     SELECT $1, uuid_v7(), $2, 'CLOSED', 'USD', 0, 0, 0, now(), $2, now() FROM generate_series(1, $3::int)`,
    [store.id, ids.agent, rows],
  );
  await sql.query(
    `INSERT INTO assignment_rejections (store_id, assignment_id, agent_id)
     SELECT $1, $2, id FROM delivery_agents WHERE store_id = $1
     ON CONFLICT DO NOTHING`,
    [store.id, ids.assignment],
  );
}
