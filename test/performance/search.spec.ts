import pg from 'pg';
import { newId } from '../../src/common/ids.js';
import { runInContext } from '../../src/common/request-context.js';
import { type FoundRow, foundPage, RANK, type SearchWanted } from '../../src/modules/catalog/search.queries.js';
import { createTestDatabase, databaseUrl, type TestDatabase } from '../support/database.js';

const PRODUCTS = 100_000;
const OTHERS = 20_000;
const LIMIT = 20;
/** The newest that are looked at first; by their key, every tenth is unpublished and passed over. */
const NEWEST_READ = (50 * (LIMIT + 1)) / 0.85;
/** What the index may name for one rank. */
const MOST_READ = 2_000 / 0.85;

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  Plans?: PlanNode[];
}

let database: TestDatabase;
let client: pg.Client;
const storeId = newId();
const categoryId = '01900000-0000-7000-9000-000000000008';

beforeAll(async () => {
  database = await createTestDatabase();
  const name = new URL(database.url).pathname.slice(1);
  client = new pg.Client({ connectionString: databaseUrl(process.env.TEST_DATABASE_URL ?? '', name) });
  await client.connect();
  await fillInBulk();
}, 120_000);

afterAll(async () => {
  await client.end();
  await database.drop();
});

/**
 * A catalog loaded a moment ago, without statistics, in a store that is one of three. Names and descriptions are of 5,000
 * made-up words; "house" is in every second name, "organic" in every second description, "saffron" in fifty names, and
 * "vintage" in the older half of the descriptions.
 */
async function fillInBulk(): Promise<void> {
  const { rows } = await client.query<{ indexdef: string }>(
    `SELECT indexdef FROM pg_indexes WHERE indexname = 'idx_products_search'`,
  );
  for (const table of ['products', 'variants', 'stock_levels', 'search_words']) {
    await client.query(`ALTER TABLE ${table} SET (autovacuum_enabled = false)`);
  }
  await client.query(`SET session_replication_role = replica; DROP INDEX idx_products_search`);
  await client.query(
    `CREATE FUNCTION made_up(n int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
       SELECT substr(translate(md5((n % 5000)::text), '0123456789', 'ghijklmnop'), 1, 5 + n % 4)
     $$`,
  );
  for (const [store, count] of [
    [storeId, PRODUCTS],
    [newId(), OTHERS / 2],
    [newId(), OTHERS / 2],
  ] as const) {
    await client.query('INSERT INTO stores (id, slug, name, currency) VALUES ($1::uuid, $1::text, $2, $3)', [
      store,
      'x',
      'USD',
    ]);
    await client.query(
      `INSERT INTO products (store_id, id, slug, name, description, category_id, published)
       SELECT $1, ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'product-' || n,
              concat_ws(' ', made_up(n), CASE n % 2 WHEN 0 THEN 'House' END, CASE n % 2000 WHEN 0 THEN 'saffron' END, made_up(n * 7)),
              concat_ws(' ', made_up(n * 3), made_up(n * 11), CASE n / 3 % 2 WHEN 0 THEN 'organic' END,
                        CASE WHEN n <= $2::int / 2 THEN 'vintage' END, made_up(n * 13)),
              ('01900000-0000-7000-9000-' || lpad(to_hex(n % 400), 12, '0'))::uuid, n % 10 <> 3
         FROM generate_series(1, $2::int) n`,
      [store, count],
    );
  }
  await client.query(
    `INSERT INTO variants (store_id, id, product_id, sku, price, currency) SELECT store_id, id, id, upper(slug), 100, 'USD' FROM products`,
  );
  await client.query('INSERT INTO stock_levels (store_id, variant_id) SELECT store_id, id FROM variants');
  await client.query(
    `INSERT INTO search_words SELECT DISTINCT p.store_id, l.lexeme FROM products p, unnest(p.search_text) l`,
  );
  await client.query(`${rows[0]!.indexdef}; SET session_replication_role = origin`);
}

const statementFor = (search: string, changes: Partial<SearchWanted> = {}) =>
  runInContext({ requestId: 'test', storeId }, () =>
    foundPage({ search, limit: LIMIT, after: null, withUnpublished: false, ...changes }),
  );

/** The nodes of the plan that did something. */
async function executed(search: string, changes?: Partial<SearchWanted>): Promise<PlanNode[]> {
  const { text, values } = statementFor(search, changes);
  const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
    `EXPLAIN (ANALYZE, FORMAT JSON) ${text}`,
    values,
  );
  return flat(rows[0]!['QUERY PLAN'][0].Plan);
}

function flat(node: PlanNode): PlanNode[] {
  return node['Actual Loops'] === 0 ? [] : [node, ...(node.Plans ?? []).flatMap(flat)];
}

/** Rows that a node took out of a table, wanted or not. */
function rowsRead(node: PlanNode): number {
  if (!node['Relation Name']) return 0;
  const removed = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
  return (node['Actual Rows'] + removed) * node['Actual Loops'];
}

/** Either gives the newest first; with statistics the planner takes the shorter one. */
const NEWEST = ['idx_products_published', 'products_pkey'];

interface Case {
  what: string;
  search: string;
  changes?: Partial<SearchWanted>;
  /** One of these at least. */
  uses: string[];
  without?: string;
  most: number;
  finds: number;
  ranks: number[];
}

const FULL = LIMIT + 1;
const cases: Case[] = [
  {
    what: 'a word that every second name has',
    search: 'house',
    uses: NEWEST,
    without: 'idx_products_search',
    most: NEWEST_READ,
    finds: FULL,
    ranks: [RANK.WORDS_IN_NAME],
  },
  {
    what: 'a word that every second description has',
    search: 'organic',
    uses: NEWEST,
    most: NEWEST_READ,
    finds: FULL,
    ranks: [RANK.WORDS_ANYWHERE],
  },
  {
    what: 'a word of the older half of the catalog',
    search: 'vintage',
    uses: ['idx_products_search'],
    most: MOST_READ,
    finds: FULL,
    ranks: [RANK.WORDS_ANYWHERE],
  },
  {
    what: 'a letter',
    search: 'h',
    uses: NEWEST,
    most: NEWEST_READ,
    finds: FULL,
    ranks: [RANK.WORDS_BEGUN_IN_NAME],
  },
  {
    what: 'a rare word',
    search: 'saffron',
    uses: ['idx_products_search'],
    most: NEWEST_READ,
    finds: FULL,
    ranks: [RANK.WORDS_IN_NAME],
  },
  {
    what: 'a rare word and a letter',
    search: 'saffron h',
    uses: ['idx_products_search'],
    most: NEWEST_READ,
    finds: FULL,
    ranks: [RANK.WORDS_BEGUN_IN_NAME],
  },
  {
    what: 'a rare word, misspelt',
    search: 'safron',
    uses: ['idx_products_search'],
    most: NEWEST_READ,
    finds: FULL,
    ranks: [RANK.NEAR_IN_NAME],
  },
  {
    what: 'a common word, misspelt',
    search: 'huose',
    uses: NEWEST,
    most: NEWEST_READ,
    finds: FULL,
    ranks: [RANK.NEAR_IN_NAME],
  },
  {
    what: 'a word that nothing has',
    search: 'zzxqykw',
    uses: ['idx_products_search'],
    most: NEWEST_READ,
    finds: 0,
    ranks: [],
  },
  {
    what: 'a SKU',
    search: 'product-77777',
    uses: ['idx_variants_sku'],
    most: NEWEST_READ,
    finds: 1,
    ranks: [RANK.SKU],
  },
  {
    what: 'a common word in a category',
    search: 'house',
    changes: { category: categoryId },
    uses: ['idx_products_category'],
    without: 'idx_products_search',
    most: NEWEST_READ,
    finds: FULL,
    ranks: [RANK.WORDS_IN_NAME],
  },
  {
    what: 'a word that nothing in a category has',
    search: 'zzxqykw',
    changes: { category: categoryId },
    uses: ['idx_products_category'],
    // All 250 products of the category have been looked at.
    without: 'idx_products_search',
    most: NEWEST_READ,
    finds: 0,
    ranks: [],
  },
];

describe.each(['without statistics', 'with statistics'])('a search in %s', (statistics) => {
  beforeAll(async () => {
    if (statistics === 'with statistics') await client.query('ANALYZE');
  });

  it.each(cases)('for $what uses $uses and reads few rows', async ({ search, changes, uses, without, most }) => {
    const nodes = await executed(search, changes);
    const indexes = nodes.map((node) => node['Index Name']);
    expect(uses.filter((index) => indexes.includes(index))).not.toEqual([]);
    expect(indexes).not.toContain(without ?? 'products_slug_key');
    const scanned = nodes.filter((node) => node['Node Type'] === 'Seq Scan').map((node) => node['Relation Name']);
    expect(scanned.filter((table) => table !== 'categories')).toEqual([]);
    expect(Math.max(...nodes.map(rowsRead))).toBeLessThanOrEqual(most);
  });

  it.each(cases)('for $what finds what it should', async ({ search, changes, finds, ranks }) => {
    const { text, values } = statementFor(search, changes);
    const { rows } = await client.query<FoundRow>(text, values);
    expect([rows.length, [...new Set(rows.map(({ rank }) => rank))]]).toEqual([finds, ranks]);
  });

  it('for a misspelt word looks its neighbours up by their letters', async () => {
    const plans: string[] = [];
    const collect = ({ message = '' }) => plans.push(message);
    client.on('notice', collect);
    await client.query(`LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0; SET auto_explain.log_nested_statements = on;
      SET auto_explain.log_level = notice`);
    const { rows } = await client.query<{ near: string }>('SELECT near_words($1, $2) AS near', [storeId, 'safron']);
    await client.query('SET auto_explain.log_min_duration = -1');
    client.off('notice', collect);
    expect(rows[0]?.near).toBe('saffron');
    expect(plans.join()).toContain('idx_search_words_like');
    expect(plans.join()).not.toContain('Seq Scan');
  });
});

it('shows every product with a word once, newest first, page by page', async () => {
  const seen: string[] = [];
  let after: SearchWanted['after'] = null;
  for (;;) {
    const { text, values } = statementFor('saffron', { after });
    const { rows }: { rows: FoundRow[] } = await client.query<FoundRow>(text, values);
    const page = rows.slice(0, LIMIT);
    seen.push(...page.map(({ id }) => id));
    if (rows.length <= LIMIT) break;
    after = page.at(-1)!;
  }
  const { rows } = await client.query<{ id: string }>(
    `SELECT id FROM products WHERE store_id = $1 AND name LIKE '%saffron%' AND published ORDER BY id DESC`,
    [storeId],
  );
  expect(seen).toEqual(rows.map(({ id }) => id));
  expect(seen.length).toBe(PRODUCTS / 2000);
});
