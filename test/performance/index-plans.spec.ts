import pg from 'pg';
import { newId } from '../../src/common/ids.js';
import { runInContext } from '../../src/common/request-context.js';
import { Prisma } from '../../src/generated/prisma/client.js';
import { productsPage } from '../../src/modules/catalog/products.queries.js';
import { orderDocuments } from '../../src/modules/orders/orders.queries.js';
import { assignmentDocuments } from '../../src/modules/shipping/assignments.queries.js';
import { slotsFor, slotsOfZone } from '../../src/modules/slots/slots.queries.js';
import { entryPage } from '../../src/modules/wallets/wallets.queries.js';
import { createTestDatabase, databaseUrl, type TestDatabase } from '../support/database.js';
import { fillInBulk, ROWS, type Volume } from './volume.js';

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  Plans?: PlanNode[];
}

const LARGE = [
  'ledger_entries',
  'shipping_assignments',
  'delivery_agents',
  'products',
  'variants',
  'orders',
  'delivery_slots',
];

let database: TestDatabase;
let client: pg.Client;
let volume: Volume;

beforeAll(async () => {
  database = await createTestDatabase();
  const name = new URL(database.url).pathname.slice(1);
  client = new pg.Client({ connectionString: databaseUrl(process.env.TEST_DATABASE_URL ?? '', name) });
  await client.connect();
  volume = await fillInBulk(client);
}, 180_000);

afterAll(async () => {
  await client.end();
  await database.drop();
});

interface Case {
  index: string;
  what: string;
  sql: () => Prisma.Sql;
}

const yesterday = { from: new Date(Date.now() - 86_400_000), to: new Date() };

const cases: Case[] = [
  {
    index: 'idx_ledger_entries_wallet_amount',
    what: 'the sum of a wallet',
    sql: () => Prisma.sql`SELECT sum(amount) FROM ledger_entries WHERE wallet_id = ${volume.walletId}::uuid`,
  },
  {
    index: 'idx_ledger_entries_created',
    what: 'entries of a day, newest first',
    sql: () => Prisma.sql`
      SELECT id, amount
        FROM ledger_entries
       WHERE created_at >= ${yesterday.from}::timestamptz AND created_at < ${yesterday.to}::timestamptz
       ORDER BY created_at DESC
       LIMIT 100`,
  },
  {
    index: 'ledger_entries_pkey',
    what: "a page of a wallet's entries",
    sql: () => entryPage(volume.walletId, null, 21),
  },
  {
    index: 'idx_shipping_assignments_agent_status',
    what: "an agent's assignments in a status, newest first",
    sql: () => Prisma.sql`
      SELECT id
        FROM shipping_assignments
       WHERE agent_id = ${volume.agentId}::uuid AND status = ${'DELIVERED'}::text
       ORDER BY created_at DESC
       LIMIT 20`,
  },
  {
    index: 'idx_shipping_assignments_delivered_sla',
    what: 'what was delivered too late in a day',
    sql: () => Prisma.sql`
      SELECT count(*)
        FROM shipping_assignments
       WHERE status = 'DELIVERED'
         AND delivered_at >= ${yesterday.from}::timestamptz AND delivered_at < ${yesterday.to}::timestamptz
         AND delivered_at > promised_at`,
  },
  {
    index: 'idx_delivery_agents_zip_codes',
    what: 'agents who serve a zip code',
    sql: () => Prisma.sql`
      SELECT id FROM delivery_agents WHERE service_zip_codes @> ARRAY[${'10008'}::text] AND store_id = ${volume.storeId}::uuid`,
  },
  {
    index: 'idx_products_published',
    what: 'the shop window',
    sql: () => productsPage({ limit: 20, after: null, withUnpublished: false }),
  },
  {
    index: 'idx_products_category',
    what: 'products of a category',
    sql: () => productsPage({ limit: 20, after: null, category: volume.categoryId, withUnpublished: true }),
  },
  {
    index: 'idx_orders_customer',
    what: "a customer's orders",
    sql: () => orderDocuments({ viewerId: volume.customerId, ownerId: volume.customerId, after: null, limit: 20 }),
  },
  {
    index: 'idx_orders_status',
    what: 'orders to prepare',
    sql: () => orderDocuments({ viewerId: newId(), ownerId: null, status: 'CONFIRMED', after: null, limit: 20 }),
  },
  {
    index: 'idx_shipping_assignments_agent',
    what: 'what an agent has and may take',
    sql: () => assignmentDocuments({ viewer: volume.agentId, after: null, limit: 20 }),
  },
  {
    index: 'idx_shipping_assignments_status',
    what: 'failed deliveries',
    sql: () => assignmentDocuments({ viewer: null, status: 'FAILED', after: null, limit: 20 }),
  },
  {
    index: 'idx_delivery_zones_zip_codes',
    what: 'the zone of a zip code whose windows are asked for',
    sql: () => slotsFor('10008', undefined),
  },
  {
    index: 'delivery_slots_window_key',
    what: "a day's windows for a zip code",
    sql: () => slotsFor('10008', undefined),
  },
  {
    index: 'delivery_slots_window_key',
    what: "a zone's windows of a day",
    sql: () => slotsOfZone(volume.zoneId, undefined),
  },
];

it(`has ${ROWS} rows in each table that is asked`, async () => {
  for (const table of LARGE) {
    const { rows } = await client.query<{ count: string }>(`SELECT count(*) FROM ${table}`);
    expect(Number(rows[0]!.count)).toBeGreaterThanOrEqual(ROWS);
  }
});

describe.each(cases)('$index', ({ index, what, sql }) => {
  it.each(['these values', 'any values'] as const)(`finds ${what}, planned for %s`, async (planned) => {
    const statement = runInContext({ requestId: 'x', storeId: volume.storeId }, sql);
    const nodes = flat(await explain(statement, planned));
    expect(nodes.map((node) => node['Index Name'])).toContain(index);
    const scanned = nodes.filter((node) => node['Node Type'] === 'Seq Scan').map((node) => node['Relation Name'] ?? '');
    expect(scanned.filter((table) => LARGE.includes(table))).toEqual([]);
    // What was read, thrown away or not, is a small part of the table.
    const read = nodes.map(
      (node) => (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'],
    );
    expect(Math.max(...read)).toBeLessThan(ROWS / 50);
  });
});

it('books a place in a window by keys', async () => {
  const plans: string[] = [];
  const collect = ({ message = '' }) => plans.push(message);
  client.on('notice', collect);
  await client.query(`LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0; SET auto_explain.log_level = notice;
    SET auto_explain.log_nested_statements = on`);
  const { rows } = await client.query('SELECT * FROM book_slot($1, $2, $3)', [volume.storeId, volume.slotId, '10008']);
  await client.query('SET auto_explain.log_min_duration = -1');
  client.off('notice', collect);
  expect(rows).toMatchObject([{ refusal: null, ends_at: expect.any(Date) as Date }]);
  expect(plans.join()).toContain('delivery_slots_pkey');
  expect(plans.join()).toContain('delivery_zones_pkey');
  expect(plans.join()).not.toContain('Seq Scan');
});

async function explain({ text, values }: Prisma.Sql, planned: 'these values' | 'any values'): Promise<PlanNode> {
  await client.query(`SET plan_cache_mode = ${planned === 'any values' ? 'force_generic_plan' : 'force_custom_plan'}`);
  await client.query('DEALLOCATE ALL');
  await client.query(`PREPARE asked AS ${text}`);
  const literals = values.map((value) => literal(value)).join(', ');
  const execute = values.length > 0 ? `EXECUTE asked (${literals})` : 'EXECUTE asked';
  const { rows } = await client.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
    `EXPLAIN (ANALYZE, FORMAT JSON) ${execute}`,
  );
  return rows[0]!['QUERY PLAN'][0]!.Plan;
}

function literal(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  return client.escapeLiteral(value instanceof Date ? value.toISOString() : `${value as string | number}`);
}

function flat(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(flat)];
}
