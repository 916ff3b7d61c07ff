import type pg from 'pg';
import { newId } from '../../src/common/ids.js';
import { verify } from '../support/verify.js';
import { ImportScene } from './import.scene.js';

let scene: ImportScene;
let client: pg.PoolClient;

beforeAll(async () => {
  scene = await ImportScene.open();
  client = await scene.sql.connect();
});
afterAll(async () => {
  client.release();
  await scene.close();
});

/** Posts entries in statements of their own, with larder.ledger_bulk as given for each. */
async function post(statements: { bulk: 'on' | 'off'; entries: [string, number][] }[]): Promise<void> {
  const id = newId();
  await client.query('BEGIN');
  try {
    await client.query(
      `INSERT INTO ledger_transactions (store_id, id, type, reference) VALUES ($1, $2::uuid, 'TEST', $2::uuid::text)`,
      [scene.store.id, id],
    );
    for (const { bulk, entries } of statements) {
      await client.query(`SET LOCAL larder.ledger_bulk = ${bulk}`);
      await client.query(
        `INSERT INTO ledger_entries (store_id, wallet_id, transaction_id, amount, currency)
         SELECT $1, wallet_of($1, e.kind, $1, 'USD'), $2, e.amount, 'USD' FROM unnest($3::text[], $4::bigint[]) AS e (kind, amount)`,
        [scene.store.id, id, entries.map(([kind]) => kind), entries.map(([, amount]) => amount)],
      );
    }
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

describe('posting to the ledger in bulk', () => {
  it('takes what balances', () =>
    post([
      {
        bulk: 'on',
        entries: [
          ['SALES', 500],
          ['PSP_CLEARING', -500],
        ],
      },
    ]));

  it.each([
    [
      'entries that do not add up',
      [
        {
          bulk: 'on' as const,
          entries: [
            ['SALES', 500],
            ['PSP_CLEARING', -499],
          ] as [string, number][],
        },
      ],
    ],
    ['no entries at all', []],
    [
      'what adds up over two statements only',
      [
        { bulk: 'on' as const, entries: [['SALES', 500]] as [string, number][] },
        { bulk: 'on' as const, entries: [['PSP_CLEARING', -500]] as [string, number][] },
      ],
    ],
    [
      'what was begun otherwise and does not add up',
      [
        { bulk: 'off' as const, entries: [['SALES', 500]] as [string, number][] },
        {
          bulk: 'on' as const,
          entries: [
            ['SALES', 1],
            ['PSP_CLEARING', -1],
          ] as [string, number][],
        },
      ],
    ],
  ])('refuses %s', async (_what, statements) => {
    await expect(post(statements)).rejects.toThrow(/balance/);
  });

  it('refuses transactions that have no entries from the same statement on', async () => {
    const id = newId();
    await client.query('BEGIN');
    try {
      await client.query('SET LOCAL larder.ledger_bulk = on');
      const opened = client.query(
        `INSERT INTO ledger_transactions (store_id, id, type, reference) VALUES ($1, $2::uuid, 'TEST', $2::uuid::text)`,
        [scene.store.id, id],
      );
      await expect(opened).rejects.toThrow('has no entries');
    } finally {
      await client.query('ROLLBACK');
    }
  });

  it('leaves the other way of posting as it was', async () => {
    await post([
      { bulk: 'off', entries: [['SALES', 500]] },
      { bulk: 'off', entries: [['PSP_CLEARING', -500]] },
    ]);
    await expect(
      post([
        {
          bulk: 'off',
          entries: [
            ['SALES', 500],
            ['PSP_CLEARING', -1],
          ],
        },
      ]),
    ).rejects.toThrow(/balance/);
    await verify(scene.sql);
  });
});
