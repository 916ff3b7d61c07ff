import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { runInContext } from '../../src/common/request-context.js';
import type { Prisma } from '../../src/generated/prisma/client.js';
import { activity } from '../../src/modules/dashboard/activity.queries.js';
import type { DayRange } from '../../src/modules/dashboard/day-range.js';
import { agentLeaderboard, deliveryByZip, fulfilment } from '../../src/modules/dashboard/deliveries.queries.js';
import { lowStock } from '../../src/modules/dashboard/low-stock.queries.js';
import { cashOutstanding, refundFigures } from '../../src/modules/dashboard/money-owed.queries.js';
import { mobile, overview } from '../../src/modules/dashboard/overview.queries.js';
import {
  orderTrends,
  salesByPaymentMethod,
  salesByStatus,
  topProducts,
} from '../../src/modules/dashboard/sales.queries.js';
import { createTestDatabase, databaseUrl, type TestDatabase } from '../support/database.js';
import { fillInBulk, ROWS, type Volume } from './volume.js';

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  Plans?: PlanNode[];
}

/** What grows with every order, as far as the volume has it. */
const LARGE = ['orders', 'shipping_assignments', 'ledger_entries', 'ledger_transactions', 'outbox_events'];
const DAYS = 100;
/** Of one store, on one day. */
const DAILY = ROWS / 2 / DAYS;
/** Today, and what can't have been folded yet. */
const LIVE_DAYS = 3;

const daysAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);

let database: TestDatabase;
let client: pg.Client;
let volume: Volume;

beforeAll(async () => {
  database = await createTestDatabase();
  const name = new URL(database.url).pathname.slice(1);
  client = new pg.Client({ connectionString: databaseUrl(process.env.TEST_DATABASE_URL ?? '', name) });
  await client.connect();
  volume = await fillInBulk(client);
  const spread = `now() - (${ROWS} - substr(number, 2)::int) * interval '${DAYS} days' / ${ROWS}`;
  await client.query(`SET session_replication_role = replica; UPDATE orders SET placed_at = ${spread};
    UPDATE shipping_assignments a SET agent_id = a.id, closed_at = o.placed_at, delivered_at = CASE a.status WHEN 'DELIVERED' THEN o.placed_at END
      FROM orders o WHERE o.store_id = a.store_id AND o.id = a.order_id;
    INSERT INTO outbox_events (store_id, aggregate_type, aggregate_id, type, payload)
    SELECT store_id, 'order', id, 'order.placed', '{}' FROM orders;
    SET session_replication_role = origin`);
  await client.query('VACUUM ANALYZE');
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  for (let ago = LIVE_DAYS; ago <= DAYS; ago++) {
    await client.query('SELECT fold_day($1, $2)', [volume.storeId, daysAgo(ago)]);
  }
  await client.query('COMMIT');
  await client.query('ANALYZE');
}, 180_000);

afterAll(async () => {
  await client.end();
  await database.drop();
});

const RANGED: [string, (range: DayRange) => Prisma.Sql][] = [
  ['order-trends', orderTrends],
  ['sales-by-status', salesByStatus],
  ['sales-by-payment-method', salesByPaymentMethod],
  ['top-products', (range) => topProducts(range, 'revenue', 10)],
  ['fulfilment', fulfilment],
  ['delivery-by-zip', deliveryByZip],
  ['agent-leaderboard', (range) => agentLeaderboard(range, 20)],
  ['refunds', refundFigures],
];
const LIVE: [string, () => Prisma.Sql][] = [
  ['low-stock', () => lowStock({ from: daysAgo(6), to: daysAgo(0) }, 5, 50)],
  ['cash-outstanding', cashOutstanding],
  ['overview', overview],
  ['mobile', mobile],
  ['activity', activity],
];

/** Rows of large tables that a statement looked at, thrown away or not, by the node that looked at most. */
async function mostRead(sql: () => Prisma.Sql): Promise<{ most: number; scanned: string[] }> {
  const { text, values } = runInContext({ requestId: 'x', storeId: volume.storeId }, sql);
  const { rows } = await client.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }>({
    text: `EXPLAIN (ANALYZE, FORMAT JSON) ${text}`,
    values: [...values],
  });
  const nodes = flat(rows[0]!['QUERY PLAN'][0]!.Plan).filter((node) => LARGE.includes(node['Relation Name'] ?? ''));
  const read = nodes.map(
    (node) => (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'],
  );
  const scanned = nodes.filter((node) => node['Node Type'] === 'Seq Scan').map((node) => node['Relation Name'] ?? '');
  return { most: Math.max(0, ...read), scanned };
}

function flat(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(flat)];
}

describe.each([
  ['thirty', 29],
  ['ninety', 89],
])('of %s days', (_name, back) => {
  it.each(RANGED)('%s reads no more of the base tables than the days that are not folded', async (_dashboard, sql) => {
    const { most, scanned } = await mostRead(() => sql({ from: daysAgo(back), to: daysAgo(0) }));
    expect(scanned).toEqual([]);
    expect(most).toBeLessThanOrEqual(LIVE_DAYS * DAILY * 1.1);
  });
});

it.each(LIVE)('%s reads no more of them than a few days', async (_dashboard, sql) => {
  const { most, scanned } = await mostRead(sql);
  expect(scanned).toEqual([]);
  expect(most).toBeLessThanOrEqual(LIVE_DAYS * DAILY * 1.1);
});
