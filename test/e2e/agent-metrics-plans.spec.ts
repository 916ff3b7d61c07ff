import pg from 'pg';
import { newId } from '../../src/common/ids.js';
import { runInContext } from '../../src/common/request-context.js';
import type { Prisma } from '../../src/generated/prisma/client.js';
import { agentMetrics, leaderboard } from '../../src/modules/shipping/agent-metrics.queries.js';
import { dueOffers, nextAgent } from '../../src/modules/shipping/offers.queries.js';
import { shiftPage } from '../../src/modules/shipping/shifts.queries.js';
import { createTestDatabase, databaseUrl, type TestDatabase } from '../support/database.js';

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  Plans?: PlanNode[];
}

/** Deliveries of two stores with a hundred agents each, one every ten minutes: two years. */
const ROWS = 100_000;
const LARGE = ['shipping_assignments', 'assignment_rejections', 'agent_shifts', 'remittances'];
const [storeId, otherId] = [newId(), newId()];
const DAY_MS = 86_400_000;
const lastDays = (days: number) => ({ from: new Date(Date.now() - days * DAY_MS), to: new Date() });

let database: TestDatabase;
let client: pg.Client;
let agentId: string;

beforeAll(async () => {
  database = await createTestDatabase();
  const name = new URL(database.url).pathname.slice(1);
  client = new pg.Client({ connectionString: databaseUrl(process.env.TEST_DATABASE_URL ?? '', name) });
  await client.connect();
  await fill();
  const { rows } = await client.query<{ id: string }>(`SELECT md5('agent8')::uuid AS id`);
  agentId = rows[0]!.id;
}, 120_000);
afterAll(async () => {
  await client.end();
  await database.drop();
});

/** Triggers and foreign keys are off meanwhile, so the client has to be a superuser's. */
async function fill(): Promise<void> {
  const store = `(CASE n % 2 WHEN 0 THEN '${storeId}' ELSE '${otherId}' END)::uuid`;
  const agent = `md5('agent' || n % 200)::uuid`;
  const id = `('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid`;
  const at = `now() - (${ROWS} - n) * interval '10 minutes'`;
  const series = (rows: number) => `FROM generate_series(1, ${rows}) AS n`;
  await client.query(`
    SET session_replication_role = replica;
    INSERT INTO stores (id, slug, name, currency) VALUES ('${storeId}', 'ours', 'x', 'USD'), ('${otherId}', 'other', 'x', 'USD');
    INSERT INTO delivery_agents (store_id, id, name, status, service_zip_codes)
    SELECT ${store}, ${agent}, 'Agent', 'ONLINE', ARRAY[(10000 + n % 20)::text] ${series(200)};
    INSERT INTO wallets (store_id, id, kind, owner_id, currency, balance_kept, allow_negative)
    SELECT ${store}, ${id}, 'AGENT_CASH', ${agent}, 'USD', true, true ${series(200)};
    INSERT INTO shipping_assignments (
      store_id, id, order_id, agent_id, status, zip, currency, offered_at, accepted_at, picked_up_at, delivered_at, closed_at,
      promised_at, offer_expires_at, shift_id
    )
    SELECT ${store}, ${id}, md5('order' || n / 2 * 2 + n % 2)::uuid, ${agent}, CASE n % 50 WHEN 0 THEN 'FAILED' ELSE 'DELIVERED' END,
           '10001', 'USD', ${at}, ${at}, ${at}, CASE n % 50 WHEN 0 THEN NULL ELSE ${at} END, ${at}, ${at}, ${at},
           md5('shift' || n % 10000)::uuid
      ${series(ROWS)};
    INSERT INTO shipping_assignments (store_id, id, order_id, status, zip, currency, promised_at, offer_expires_at)
    SELECT ${store}, gen_random_uuid(), md5('open' || n)::uuid, 'OFFERED', '10001', 'USD', now(),
           now() + CASE WHEN n <= 20 THEN -1 ELSE 1 END * interval '1 minute'
      ${series(2000)};
    INSERT INTO assignment_rejections (store_id, assignment_id, agent_id, created_at)
    SELECT ${store}, ${id}, ${agent}, ${at} ${series(ROWS)};
    INSERT INTO agent_shifts (
      store_id, id, agent_id, status, currency, opening_cash, expected, counted, opened_at, counted_at, counted_by, closed_at
    )
    SELECT ${store}, md5('shift' || n)::uuid, ${agent}, 'CLOSED', 'USD', 0, 0, 0, ${at}, now(), ${agent}, now() ${series(10000)};
    INSERT INTO remittances (store_id, id, agent_id, amount, currency, actor_id, shift_id)
    SELECT ${store}, ${id}, ${agent}, 1, 'USD', ${agent}, md5('shift' || n % 10000)::uuid ${series(ROWS)};
    SET session_replication_role = origin`);
  await client.query('VACUUM ANALYZE');
}

interface Case {
  what: string;
  indexes: string[];
  sql: () => Prisma.Sql;
}

const CASES: Case[] = [
  {
    what: "an agent's metrics of a month",
    indexes: [
      'idx_shipping_assignments_agent_closed',
      'idx_assignment_rejections_agent',
      'idx_shipping_assignments_order',
    ],
    sql: () => agentMetrics(agentId, lastDays(30)),
  },
  {
    what: 'the leader board of a day',
    indexes: ['idx_shipping_assignments_closed', 'idx_assignment_rejections_created'],
    sql: () => leaderboard(lastDays(1), 20),
  },
  { what: 'offers that ran out', indexes: ['idx_shipping_assignments_expiring'], sql: () => dueOffers(100) },
  {
    what: 'the next agent for a parcel',
    indexes: ['idx_shipping_assignments_order'],
    sql: () => nextAgent(newId(), '10008'),
  },
  {
    what: "a page of an agent's shifts",
    indexes: ['idx_agent_shifts_agent', 'idx_shipping_assignments_shift', 'idx_remittances_shift'],
    sql: () => shiftPage({ agentId, from: null, to: null, before: null, limit: 21 }),
  },
];

describe.each(CASES)('$what', ({ indexes, sql }) => {
  it.each(['force_custom_plan', 'force_generic_plan'])(
    'is found by index, without reading the rest, with %s',
    async (mode) => {
      const nodes = flat(await explain(runInContext({ requestId: 'x', storeId }, sql), mode));
      expect(nodes.map((node) => node['Index Name'])).toEqual(expect.arrayContaining(indexes));
      const scanned = nodes
        .filter((node) => node['Node Type'] === 'Seq Scan')
        .map((node) => node['Relation Name'] ?? '');
      expect(scanned.filter((table) => LARGE.includes(table))).toEqual([]);
      const read = nodes.map(
        (node) => (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'],
      );
      expect(Math.max(...read)).toBeLessThan(ROWS / 50);
    },
  );
});

async function explain({ text, values }: Prisma.Sql, mode: string): Promise<PlanNode> {
  await client.query(`SET plan_cache_mode = ${mode}`);
  await client.query('DEALLOCATE ALL');
  await client.query(`PREPARE asked AS ${text}`);
  const literals = values.map((value) =>
    value === null
      ? 'NULL'
      : client.escapeLiteral(value instanceof Date ? value.toISOString() : `${value as string | number}`),
  );
  const { rows } = await client.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
    `EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE asked (${literals.join(', ')})`,
  );
  return rows[0]!['QUERY PLAN'][0]!.Plan;
}

function flat(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(flat)];
}
