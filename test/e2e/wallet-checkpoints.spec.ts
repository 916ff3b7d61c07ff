import { jest } from '@jest/globals';
import pg from 'pg';
import { newId } from '../../src/common/ids.js';
import { startApp, type TestApp } from '../support/app.js';
import { until } from '../support/background.js';
import { Factory, type TestStore, type TestUser } from '../support/factories.js';

jest.setTimeout(300_000);
/** What other tests may write for in one transaction. */
const WRITERS_MS = 120_000;

let larder: TestApp;
let store: TestStore;
let manager: TestUser;
let sales: string;
let vault: string;

beforeAll(async () => {
  larder = await startApp();
  const factory = new Factory(larder.sql);
  store = await factory.store('demo');
  manager = await factory.user(store, 'MANAGER');
  const { rows } = await larder.sql.query(
    `SELECT wallet_of($1, 'SALES', $1, 'USD') AS sales, wallet_of($1, 'CASH_VAULT', $1, 'USD') AS vault`,
    [store.id],
  );
  ({ sales, vault } = rows[0]);
});

afterAll(() => larder.close());

const SALE = `SELECT count(ledger_post($1, 'SALE', gen_random_uuid()::text, NULL, NULL, 'USD', ARRAY[$2::uuid, $3::uuid], ARRAY[7, -7]))
                FROM generate_series(1, $4::int)`;

const sell = (times: number, on: pg.Pool | pg.Client = larder.sql) => on.query(SALE, [store.id, sales, vault, times]);
const checkpoint = () => larder.sql.query('SELECT checkpoint_wallet($1, $2)', [store.id, sales]);

async function checkpoints(): Promise<{ entry_id: string; balance: string | null }[]> {
  const { rows } = await larder.sql.query(
    'SELECT entry_id, balance FROM wallet_checkpoints WHERE wallet_id = $1 ORDER BY entry_id',
    [sales],
  );
  return rows;
}

async function read(): Promise<{ balance: number; summed: number }> {
  const { rows } = await larder.sql.query('SELECT b.* FROM wallets w, wallet_balance(w) b WHERE w.id = $1', [sales]);
  return { balance: Number(rows[0].balance), summed: Number(rows[0].summed) };
}

/** Other databases of the same server may have transactions under way, which a checkpoint waits for too. */
async function fillMark(): Promise<void> {
  await until(async () => {
    await checkpoint();
    return (await checkpoints()).every(({ balance }) => balance !== null);
  }, WRITERS_MS);
}

describe('checkpoints of the store’s own wallets', () => {
  it('never leave out an entry with a lower id that commits later', async () => {
    const slow = new pg.Client({ connectionString: larder.config.DATABASE_URL });
    await slow.connect();
    await slow.query('BEGIN');
    await sell(1, slow);
    await sell(2);
    await checkpoint();
    await checkpoint();
    // The mark is above the entry that nobody sees yet, so it has no balance.
    expect(await checkpoints()).toEqual([{ entry_id: expect.any(String), balance: null }]);
    expect(await read()).toEqual({ balance: 14, summed: 2 });
    await slow.query('COMMIT');
    await slow.end();
    expect(await read()).toEqual({ balance: 21, summed: 3 });
    await fillMark();
    expect(await checkpoints()).toEqual([{ entry_id: expect.any(String), balance: '21' }]);
    expect(await read()).toEqual({ balance: 21, summed: 0 });
    await sell(1);
    expect(await read()).toEqual({ balance: 28, summed: 1 });
  });

  it('are not marked within a transaction that wrote before', async () => {
    await sell(1);
    const marks = (await checkpoints()).length;
    await larder.sql.query(
      `DO $$ BEGIN
         INSERT INTO stores (id, slug, name, currency) VALUES ('${newId()}', 'another', 'another', 'USD');
         PERFORM checkpoint_wallet('${store.id}', '${sales}');
       END $$`,
    );
    expect(await checkpoints()).toHaveLength(marks);
  });

  it('are written by reads that had to sum more than 10,000 entries', async () => {
    await sell(10_001);
    const balance = (await read()).balance;
    const readOverHttp = async () => {
      const { body } = await larder.http.get(`/api/wallets/${sales}`).set('authorization', manager.bearer).expect(200);
      expect(body.balance).toEqual({ amount: balance, currency: 'USD' });
    };
    await until(async () => {
      await readOverHttp();
      return (await read()).summed === 0;
    }, WRITERS_MS);
    expect(await read()).toEqual({ balance, summed: 0 });
    await readOverHttp();
  });

  it('let a read look at nothing but the entries after them', async () => {
    await larder.sql.query('ANALYZE');
    await sell(3);
    const { rows } = await larder.sql.query(
      `EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF)
       SELECT b.* FROM wallets w CROSS JOIN LATERAL wallet_balance(w) b WHERE w.id = '${sales}'`,
    );
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toMatch(/(using|on) ledger_entries_pkey .*\(actual rows=3[. ]/);
    expect(plan).not.toMatch(/Rows Removed by Filter: \d{4}/);
  });
});
