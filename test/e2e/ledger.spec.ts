import { jest } from '@jest/globals';
import type pg from 'pg';
import { newId } from '../../src/common/ids.js';
import { runInContext } from '../../src/common/request-context.js';
import type { PostingEntry } from '../../src/modules/wallets/ledger.queries.js';
import { WalletsService } from '../../src/modules/wallets/wallets.service.js';
import { Database } from '../../src/platform/prisma/database.js';
import { startApp, type TestApp } from '../support/app.js';
import { Factory, type TestStore, type TestUser } from '../support/factories.js';

jest.setTimeout(120_000);

let larder: TestApp;
let factory: Factory;
let store: TestStore;
let other: TestStore;
let customer: TestUser;
let agent: TestUser;
let wallet: string;
let vault: string;
let sales: string;
let cash: string;

beforeAll(async () => {
  larder = await startApp();
  factory = new Factory(larder.sql);
  store = await factory.store('demo');
  other = await factory.store('other');
  customer = await factory.user(store);
  agent = await factory.user(store, 'AGENT');
  [wallet, vault, sales, cash] = await Promise.all([
    walletOf('CUSTOMER', customer.id),
    walletOf('CASH_VAULT', store.id),
    walletOf('SALES', store.id),
    walletOf('AGENT_CASH', agent.id),
  ]);
  await factory.topUp(store, customer, 1000);
});

afterAll(async () => {
  const { rows } = await larder.sql.query(
    `SELECT w.kind FROM wallets w, wallet_balance(w) b
      WHERE b.balance <> (SELECT coalesce(sum(e.amount), 0) FROM ledger_entries e WHERE e.wallet_id = w.id)`,
  );
  expect(rows).toEqual([]);
  await larder.close();
});

async function walletOf(kind: string, ownerId: string, of = store): Promise<string> {
  const { rows } = await larder.sql.query('SELECT wallet_of($1, $2, $3, $4) AS id', [of.id, kind, ownerId, 'USD']);
  return rows[0].id;
}

/** SQLSTATE and message of what the database refuses; everything is rolled back. */
async function refusalOf(work: (client: pg.PoolClient) => Promise<unknown>): Promise<string> {
  const client = await larder.sql.connect();
  try {
    await client.query('BEGIN');
    await work(client);
    await client.query('COMMIT');
    return 'accepted';
  } catch (error) {
    await client.query('ROLLBACK');
    const { code, constraint, message } = error as pg.DatabaseError;
    return `${code} ${constraint ?? message.replace(/[0-9a-f-]{36}/, '<id>')}`;
  } finally {
    client.release();
  }
}

interface RawEntry {
  walletId: string;
  amount: number | string;
  currency?: string;
  storeId?: string;
}

/** As somebody with psql would, one statement for each row. */
async function insert(client: pg.PoolClient, entries: RawEntry[], id = newId()): Promise<void> {
  await client.query('INSERT INTO ledger_transactions (store_id, id, type, reference) VALUES ($1, $2, $3, $4)', [
    store.id,
    id,
    'BY_HAND',
    newId(),
  ]);
  await insertEntries(client, entries, id);
}

async function insertEntries(client: pg.PoolClient, entries: RawEntry[], transactionId: string): Promise<void> {
  for (const { walletId, amount, currency = 'USD', storeId = store.id } of entries) {
    await client.query(
      'INSERT INTO ledger_entries (store_id, wallet_id, transaction_id, amount, currency) VALUES ($1, $2, $3, $4, $5)',
      [storeId, walletId, transactionId, amount, currency],
    );
  }
}

const NOT_BALANCED = '23000 ledger transaction <id> does not balance';

describe('the database itself refuses', () => {
  it('a transaction that does not balance, has one entry or none', async () => {
    const unbalanced = [
      { walletId: wallet, amount: 5 },
      { walletId: vault, amount: -4 },
    ];
    expect(await refusalOf((client) => insert(client, unbalanced))).toBe(NOT_BALANCED);
    expect(await refusalOf((client) => insert(client, [{ walletId: wallet, amount: 5 }]))).toBe(NOT_BALANCED);
    expect(await refusalOf((client) => insert(client, []))).toBe(NOT_BALANCED);
    const balanced = [
      { walletId: wallet, amount: 5 },
      { walletId: vault, amount: -5 },
    ];
    expect(await refusalOf((client) => insert(client, balanced))).toBe('accepted');
  });

  it('what is added after an early check', async () => {
    const refusal = await refusalOf(async (client) => {
      const id = newId();
      await insert(
        client,
        [
          { walletId: wallet, amount: 5 },
          { walletId: vault, amount: -5 },
        ],
        id,
      );
      await client.query('SET CONSTRAINTS ALL IMMEDIATE');
      await insertEntries(client, [{ walletId: wallet, amount: 5 }], id);
    });
    expect(refusal).toBe(NOT_BALANCED);
  });

  it('more entries for a transaction that was posted before, even balanced ones', async () => {
    const { rows } = await larder.sql.query('SELECT id FROM ledger_transactions LIMIT 1');
    const pair = [
      { walletId: wallet, amount: 5 },
      { walletId: vault, amount: -5 },
    ];
    expect(
      await refusalOf((client) =>
        client.query(
          `INSERT INTO ledger_entries (store_id, wallet_id, transaction_id, amount, currency)
           SELECT $1, w.id, $2, w.amount, 'USD' FROM unnest($3::uuid[], $4::bigint[]) AS w (id, amount)`,
          [store.id, rows[0].id, pair.map((entry) => entry.walletId), pair.map((entry) => entry.amount)],
        ),
      ),
    ).toBe('23000 a posted ledger transaction takes no more entries');
  });

  it.each([
    [0, '23514 ledger_entries_amount_check'],
    ['9007199254740992', '23514 ledger_entries_amount_check'],
    ['-9007199254740992', '23514 ledger_entries_amount_check'],
  ])('an entry of %s', async (amount, expected) => {
    expect(await refusalOf((client) => insert(client, [{ walletId: vault, amount }]))).toBe(expected);
  });

  it('an entry for a wallet of another store or currency, for none, or of no transaction', async () => {
    const abroad = await walletOf('SALES', other.id, other);
    const noWallet = '23503 an entry names no wallet of its store and currency';
    for (const wrong of [{ walletId: abroad }, { walletId: newId() }, { walletId: wallet, currency: 'EUR' }]) {
      expect(await refusalOf((client) => insert(client, [{ ...wrong, amount: 5 }]))).toBe(noWallet);
    }
    const foreign = { walletId: abroad, amount: 5, storeId: other.id };
    expect(await refusalOf((client) => insert(client, [foreign]))).toMatch(/^23503 ledger_entries_.*fkey$/);
    const lost = await refusalOf((client) => insertEntries(client, [{ walletId: wallet, amount: 5 }], newId()));
    expect(lost).toMatch(/^23503 ledger_entries_.*fkey$/);
  });

  const CHANGES: [string, string][] = [
    ['ledger_entries', 'UPDATE ledger_entries SET amount = amount'],
    ['ledger_entries', 'DELETE FROM ledger_entries'],
    ['ledger_entries', 'TRUNCATE ledger_entries'],
    ['ledger_transactions', 'UPDATE ledger_transactions SET memo = memo'],
    ['ledger_transactions', 'DELETE FROM ledger_transactions'],
    ['ledger_transactions', 'TRUNCATE ledger_transactions CASCADE'],
    ['wallets', 'DELETE FROM wallets'],
    ['wallets', 'TRUNCATE wallets CASCADE'],
  ];

  it.each(CHANGES)('changing %s: %s', async (table, statement) => {
    const expected = /^(42501 permission denied for table |23000 (\w+) is append-only)/;
    expect(await refusalOf((client) => client.query(statement))).toMatch(expected);
    // And with the grants given back: the trigger alone holds.
    const refusal = await refusalOf(async (client) => {
      await client.query('GRANT ALL ON wallets, ledger_transactions, ledger_entries TO CURRENT_USER');
      await client.query(statement);
    });
    expect(refusal).toMatch(new RegExp(`^23000 (${table}|ledger_entries) is append-only`));
  });

  it('a balance changed or opened by hand, and a wallet turned into another', async () => {
    const update = (assignment: string) =>
      refusalOf((client) => client.query(`UPDATE wallets SET ${assignment} WHERE id = $1`, [wallet]));
    expect(await update('balance = balance + 1')).toBe('23000 a balance changes only by ledger entries');
    for (const assignment of [
      'allow_negative = true',
      "kind = 'AGENT_EARNINGS'",
      "currency = 'EUR'",
      `owner_id = '${newId()}'`,
      `store_id = '${other.id}'`,
    ]) {
      expect(await update(assignment)).toBe('23000 what a wallet is never changes');
    }
    const opened = await refusalOf((client) =>
      client.query(
        `INSERT INTO wallets (store_id, id, kind, owner_id, currency, balance, balance_kept)
         VALUES ($1, $2, 'CUSTOMER', $3, 'USD', 5, true)`,
        [store.id, newId(), newId()],
      ),
    );
    expect(opened).toBe('23000 a wallet is opened empty');
  });

  it('a customer below zero and an agent with more cash handed in than he holds', async () => {
    const overdraw = [
      { walletId: wallet, amount: -1_000_000 },
      { walletId: vault, amount: 1_000_000 },
    ];
    expect(await refusalOf((client) => insert(client, overdraw))).toBe('23514 wallets_balance_check');
    const tooMuch = [
      { walletId: cash, amount: 1 },
      { walletId: vault, amount: -1 },
    ];
    expect(await refusalOf((client) => insert(client, tooMuch))).toBe('23514 wallets_agent_cash_check');
  });

  it('the same business fact twice', async () => {
    const fact = newId();
    const post = (type: string, of: string) =>
      refusalOf((client) =>
        client.query(`SELECT ledger_post($1, $2, $3, NULL, NULL, 'USD', ARRAY[$4::uuid, $5::uuid], ARRAY[1, -1])`, [
          store.id,
          type,
          of,
          sales,
          vault,
        ]),
      );
    expect(await post('SALE', fact)).toBe('accepted');
    expect(await post('SALE', fact)).toBe('23505 ledger_transactions_reference_key');
    expect(await post('SALE_REFUND', fact)).toBe('accepted');
  });
});

describe('posting for other modules', () => {
  const fact = (entries: PostingEntry[], reference = newId()) =>
    runInContext({ requestId: 'test', storeId: store.id }, () =>
      larder.app
        .get(Database)
        .transaction((tx) =>
          larder.app.get(WalletsService).post(tx, { type: 'COD_COLLECTED', reference, currency: 'USD', entries }),
        ),
    );

  it('finds the wallets by what they are for and leaves out entries of zero', async () => {
    const id = await fact([
      { kind: 'AGENT_CASH', ownerId: agent.id, amount: -1100 },
      { kind: 'SALES', ownerId: store.id, amount: 1000 },
      { kind: 'DELIVERY_FEES', ownerId: store.id, amount: 100 },
      { kind: 'TAXES', ownerId: store.id, amount: 0 },
    ]);
    const { rows } = await larder.sql.query(
      `SELECT w.kind, e.amount::int FROM ledger_entries e JOIN wallets w ON w.id = e.wallet_id
        WHERE e.transaction_id = $1 ORDER BY e.amount`,
      [id],
    );
    expect(rows).toEqual([
      { kind: 'AGENT_CASH', amount: -1100 },
      { kind: 'DELIVERY_FEES', amount: 100 },
      { kind: 'SALES', amount: 1000 },
    ]);
    expect(await fact([{ kind: 'SALES', ownerId: store.id, amount: 0 }])).toBeNull();
  });

  it('tells why money can not move', async () => {
    const overdraw: PostingEntry[] = [
      { kind: 'CUSTOMER', ownerId: customer.id, amount: -5_000_000 },
      { kind: 'SALES', ownerId: store.id, amount: 5_000_000 },
    ];
    await expect(fact(overdraw)).rejects.toMatchObject({ code: 'INSUFFICIENT_FUNDS' });
    const remittance: PostingEntry[] = [
      { kind: 'AGENT_CASH', ownerId: agent.id, amount: 5_000_000 },
      { kind: 'CASH_VAULT', ownerId: store.id, amount: -5_000_000 },
    ];
    await expect(fact(remittance)).rejects.toMatchObject({ code: 'REMITTANCE_EXCEEDS_CASH' });
    await expect(fact([{ kind: 'SALES', ownerId: store.id, amount: 1 }])).rejects.toThrow('does not balance');
    // Nobody of another store has a wallet here.
    const stranger = await factory.user(other);
    await expect(
      fact([
        { kind: 'CUSTOMER', ownerId: stranger.id, amount: 1 },
        { kind: 'SALES', ownerId: store.id, amount: -1 },
      ]),
    ).rejects.toThrow();
  });
});
