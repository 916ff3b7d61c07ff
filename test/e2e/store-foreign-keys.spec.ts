import type pg from 'pg';
import { newId } from '../../src/common/ids.js';
import { startApp, type TestApp } from '../support/app.js';
import { databaseUrl, withClient } from '../support/database.js';
import { openScene, type Scene } from '../support/scene.js';
import { fillTables } from './store-foreign-keys.scene.js';

interface ForeignKey {
  name: string;
  relation: string;
  columns: string[];
  target: string;
  targetColumns: string[];
}

interface Column {
  name: string;
  type: string;
}

let larder: TestApp;
let our: Scene;
let their: Scene;
let keys: ForeignKey[];

beforeAll(async () => {
  larder = await startApp({ LOG_LEVEL: 'warn' });
  our = await openScene(larder, 'demo', 'DELIVERED');
  their = await openScene(larder, 'theirs', 'DELIVERED');
  for (const scene of [our, their]) await fillTables(larder.sql, scene);
  const { rows } = await larder.sql.query<ForeignKey>(`
    SELECT c.conname AS name, c.conrelid::regclass::text AS relation, c.confrelid::regclass::text AS target,
           (SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(c.conkey) WITH ORDINALITY k (num, n)
              JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.num) AS columns,
           (SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(c.confkey) WITH ORDINALITY k (num, n)
              JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.num) AS "targetColumns"
      FROM pg_constraint c
     WHERE c.contype = 'f'
     ORDER BY 1`);
  keys = rows;
});

afterAll(() => larder.close());

it('every table says which store a row is of, but stores themselves, what workers share, and news that no payment is known for', async () => {
  const { rows } = await larder.sql.query<{ name: string }>(`
    SELECT t.tablename AS name
      FROM pg_tables t
     WHERE t.schemaname = 'public' AND t.tablename NOT IN ('stores', '_prisma_migrations', 'job_workers', 'job_schedules', 'outbox_subscribers', 'provider_events')
       AND NOT EXISTS (
         SELECT 1 FROM information_schema.columns c
          WHERE c.table_name = t.tablename AND c.column_name = 'store_id' AND c.is_nullable = 'NO'
       )`);
  expect(rows).toEqual([]);
});

it('every foreign key is of the store or carries it along', () => {
  expect(keys.length).toBeGreaterThan(15);
  const loose = keys.filter(({ columns, target, targetColumns }) =>
    target === 'stores' ? columns.join() !== 'store_id' : columns[0] !== 'store_id' || targetColumns[0] !== 'store_id',
  );
  expect(loose).toEqual([]);
});

it('every column that names a row of a table has a foreign key, or there is a reason why not', async () => {
  const { rows } = await larder.sql.query<{ name: string }>(`
    SELECT c.table_name || '.' || c.column_name AS name
      FROM information_schema.columns c
     WHERE c.table_schema = 'public' AND c.data_type = 'uuid' AND c.column_name LIKE '%\\_id'
     ORDER BY 1`);
  const known = keys.flatMap(({ relation, columns }) => columns.map((column) => `${relation}.${column}`));
  const reasons: Record<string, string> = {
    'approval_decisions.approver_id': 'who did it, kept even when he goes',
    'approvals.subject_id': 'of several tables',
    'payment_settlements.actor_id': 'who did it, kept even when he goes',
    'provider_events.store_id': 'empty when no payment is known; its payment names the store otherwise',
    'withdrawals.actor_id': 'who did it, kept even when he goes',
    'idempotency_keys.store_id': 'written on every order: its own store is the only one that looks',
    'ledger_entries.wallet_id': 'looked up by ledger_apply_entries(); a share lock on SALES would queue all orders',
    'ledger_transactions.actor_id': 'who did it, kept even when he goes',
    'ledger_transactions.store_id': 'through its entries',
    'order_history.actor_id': 'who did it, kept even when he goes',
    'outbox_events.aggregate_id': 'of several tables',
    'outbox_events.store_id': 'written on every order',
    'refresh_tokens.family_id': 'a login, which is no row',
    'refunds.actor_id': 'who did it, kept even when he goes',
    'remittances.actor_id': 'who did it, kept even when he goes',
    'rollup_marks.store_id': 'written by whoever changes something old: its store would be locked by all of them',
    'stock_movements.actor_id': 'who did it, kept even when he goes',
    'stock_movements.order_id': 'history, kept even when its order goes',
    'wallets.owner_id': 'a user or the store itself',
    'assignment_rejections.agent_id': 'an agent who has seen the offer',
  };
  expect(rows.map(({ name }) => name).filter((name) => !known.includes(name) && !reasons[name])).toEqual([]);
});

it("refuses a reference to another store's row by each of them", async () => {
  const outcomes: Record<string, string> = {};
  const name = new URL(larder.config.DATABASE_URL ?? '').pathname.slice(1);
  await withClient(databaseUrl(process.env.TEST_DATABASE_URL ?? '', name), async (client) => {
    for (const key of keys.filter(({ target }) => target !== 'stores'))
      outcomes[key.name] = await referAcross(client, key);
  });
  expect(outcomes).toEqual(Object.fromEntries(Object.keys(outcomes).map((key) => [key, '23503 of this key'])));
});

/** Writes a row of ours, sound but for one thing: it names a row of theirs. Says how it was refused. */
async function referAcross(
  client: pg.Client,
  { name, relation, columns, target, targetColumns }: ForeignKey,
): Promise<string> {
  const field = columns[1]!;
  const { rows: strangers } = await client.query<{ id: string }>(
    `SELECT ${targetColumns[1]} AS id FROM ${target} WHERE store_id = $1 LIMIT 1`,
    [their.store.id],
  );
  const row = { ...(await soundRow(client, relation, field)), [field]: strangers[0]?.id };
  await client.query('BEGIN');
  try {
    await removeOurs(client, relation);
    const names = Object.keys(row).join();
    await client.query(
      `INSERT INTO ${relation} (${names}) SELECT ${names} FROM jsonb_populate_record(NULL::${relation}, $1)`,
      [row],
    );
    await client.query('SET CONSTRAINTS ALL IMMEDIATE');
    return 'accepted';
  } catch (error) {
    const { code, constraint, message } = error as pg.DatabaseError;
    return constraint === name ? `${code} of this key` : `${code} ${constraint ?? message}`;
  } finally {
    await client.query('ROLLBACK');
  }
}

/** In the way of another row with the same keys. What can't be removed gets other keys from soundRow. */
async function removeOurs(client: pg.Client, relation: string): Promise<void> {
  if (!['payment_operations', 'refund_lines'].includes(relation)) return;
  await client.query(`DELETE FROM ${relation} WHERE store_id = $1`, [our.store.id]);
}

/** One of our rows under keys of its own, or one made up by the types of its columns. */
async function soundRow(client: pg.Client, relation: string, field: string): Promise<Record<string, unknown>> {
  const { rows: columns } = await client.query<Column>(
    `SELECT column_name AS name, data_type AS type
       FROM information_schema.columns
      WHERE table_schema = 'public' AND table_name = $1 AND is_generated = 'NEVER'`,
    [relation],
  );
  const { rows } = await client.query<{ row: Record<string, unknown> }>(
    `SELECT to_jsonb(t) AS row FROM ${relation} t WHERE store_id = $1 ORDER BY ${field} IS NULL LIMIT 1`,
    [our.store.id],
  );
  const row = rows[0]?.row ?? Object.fromEntries(columns.map(({ name, type }) => [name, madeUp(name, type)]));
  for (const { name, type } of columns) {
    if (name === 'id') row.id = type === 'uuid' ? newId() : 900_000_000;
    if (name === 'line_no' && relation === 'order_lines') row.line_no = 999;
    if (/^(slug|sku|email|number|reference|key)$/.test(name)) row[name] = newId();
    if (name === 'token_hash' && row[name] !== null) row[name] = `\\x${newId().replaceAll('-', '')}`;
  }
  const written = Object.entries(row).filter(([name]) => columns.some((column) => column.name === name));
  return { ...Object.fromEntries(written), store_id: our.store.id };
}

function madeUp(name: string, type: string): unknown {
  if (type === 'uuid') return newId();
  if (type === 'xid8') return '1';
  if (type === 'bigint' || type === 'integer') return 1;
  if (type === 'date' || type.startsWith('timestamp')) return new Date().toISOString();
  return { status: 'SUCCEEDED', destination: 'WALLET', currency: 'USD' }[name] ?? 'x';
}
