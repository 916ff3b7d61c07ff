import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newId } from '../../src/common/ids.js';
import { Jobs } from '../../src/platform/jobs/jobs.service.js';
import { startApp, type TestApp } from '../support/app.js';
import { until } from '../support/background.js';
import { databaseUrl, withClient } from '../support/database.js';
import { Factory, type TestStore } from '../support/factories.js';

let larder: TestApp;
let make: Factory;
let store: TestStore;

beforeAll(async () => {
  larder = await startApp();
  make = new Factory(larder.sql);
});
beforeEach(async () => {
  store = await make.store(`watched-${newId()}`);
  await make.topUp(store, await make.user(store), 5000);
});
afterAll(() => larder.close());

/** What a scrape tells after the watch has looked. */
async function seen(): Promise<number> {
  const watch = larder.app.get(Jobs).schedules.get('ledger.watch')!;
  await watch.handler({ at: new Date(), signal: new AbortController().signal });
  const { text } = await larder.http.get('/metrics').expect(200);
  return Number(/^larder_ledger_imbalance (\d+)$/m.exec(text)?.[1]);
}

/** What no user of Larder's can do: with triggers and constraints off. */
async function damage(sql: string): Promise<void> {
  const name = new URL(larder.config.DATABASE_URL!).pathname.slice(1);
  await withClient(databaseUrl(process.env.TEST_DATABASE_URL ?? '', name), async (client) => {
    await client.query('SET session_replication_role = replica');
    const { rowCount } = await client.query(sql, [store.id]);
    expect(rowCount).toBe(1);
  });
}

const OF_STORE = 'WHERE store_id = $1 AND wallet_id IN (SELECT id FROM wallets WHERE store_id = $1 AND kind =';

describe('larder_ledger_imbalance', () => {
  it('is 0 of sound books, and in the log is nothing', async () => {
    expect(await seen()).toBe(0);
    expect(larder.logLines().filter(({ event }) => event === 'ledger_imbalance_detected')).toEqual([]);
  });

  it.each([
    [
      'a balance that was raised',
      "UPDATE wallets SET balance = balance + 7 WHERE store_id = $1 AND kind = 'CUSTOMER'",
      7,
    ],
    // Of its transaction, which is recent; a kept balance isn't summed.
    [
      'an entry of a customer that was changed',
      `UPDATE ledger_entries SET amount = amount + 5 ${OF_STORE} 'CUSTOMER')`,
      5,
    ],
    // Of its transaction, and of the books.
    ['an entry of the vault that is gone', `DELETE FROM ledger_entries ${OF_STORE} 'CASH_VAULT')`, 10_000],
    [
      'an old entry of the vault that was changed',
      `UPDATE ledger_entries SET amount = amount - 3, created_at = now() - interval '1 year' ${OF_STORE} 'CASH_VAULT')`,
      // The other entry of the transaction is recent, and alone.
      5003,
    ],
  ])('tells %s, and the log of which store', async (_name, sql, imbalance) => {
    const before = await seen();
    await damage(sql);
    expect((await seen()) - before).toBe(imbalance);
    expect(larder.logLines()).toContainEqual(
      expect.objectContaining({ event: 'ledger_imbalance_detected', level: 'error', storeId: store.id, imbalance }),
    );
  });

  it('is read without the history: what lies before a checkpoint is not summed again', async () => {
    const { rows } = await larder.sql.query<{ vault: string; bank: string }>(
      `SELECT wallet_of($1, 'CASH_VAULT', $1, 'USD') AS vault, wallet_of($1, 'PSP_CLEARING', $1, 'USD') AS bank`,
      [store.id],
    );
    await larder.sql.query(
      `SELECT count(ledger_post($1, 'SALE', gen_random_uuid()::text, NULL, NULL, 'USD', ARRAY[$2::uuid, $3::uuid], ARRAY[7, -7]))
         FROM generate_series(1, 10001)`,
      [store.id, rows[0]!.vault, rows[0]!.bank],
    );
    const filled = async (): Promise<number> =>
      (await larder.sql.query('SELECT FROM wallet_checkpoints WHERE store_id = $1 AND balance IS NOT NULL', [store.id]))
        .rowCount ?? 0;
    const before = await seen();
    // Marked by one reading, filled in by the next one after every transaction that was under way has ended: of other
    // databases, too.
    await until(async () => {
      const { rows: marks } = await larder.sql.query<{ ripe: boolean }>(
        `SELECT marked_in < pg_snapshot_xmin(pg_current_snapshot()) AS ripe
           FROM wallet_checkpoints WHERE store_id = $1 AND balance IS NULL`,
        [store.id],
      );
      return marks.every(({ ripe }) => ripe);
    }, 120_000);
    expect(await seen()).toBe(before);
    expect(await filled()).toBe(2);
    expect(await seen()).toBe(before);
  }, 180_000);
});
