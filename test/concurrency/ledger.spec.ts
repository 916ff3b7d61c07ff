import { jest } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { startApp, type TestApp } from '../support/app.js';
import { until } from '../support/background.js';
import { Factory, freshKey, type TestStore, type TestUser } from '../support/factories.js';
import { PATIENT } from '../support/shop.js';
import { verify } from '../support/verify.js';

jest.setTimeout(300_000);

const CLIENTS = 16;
const MOVEMENTS = 10_000;
const WALLETS = 10;
const OPENING = 5000;

interface Owner {
  user: TestUser;
  wallet: string;
}

interface Answer {
  status: number;
  body: { code?: string; id?: string };
}

interface Reading {
  entries: string;
  wallets: string;
  customers_and_counterparts: string;
  least: string;
}

let larder: TestApp;
let store: TestStore;
let manager: TestUser;
let owners: Owner[];
let own: { vault: string; psp: string };

beforeAll(async () => {
  larder = await startApp({ ...PATIENT, LOG_LEVEL: 'warn' });
  const factory = new Factory(larder.sql);
  store = await factory.store('demo');
  // Every withdrawal is paid at once: none waits for somebody to approve it.
  await larder.sql.query('UPDATE stores SET withdrawal_approval_threshold = 1000000000000');
  manager = await factory.user(store, 'MANAGER');
  owners = [];
  for (let index = 0; index < WALLETS; index += 1) {
    const user = await factory.user(store);
    await factory.topUp(store, user, OPENING);
    const { rows } = await larder.sql.query(`SELECT wallet_of($1, 'CUSTOMER', $2, 'USD') AS id`, [store.id, user.id]);
    owners.push({ user, wallet: rows[0].id });
  }
  const { rows } = await larder.sql.query(
    `SELECT wallet_of($1, 'CASH_VAULT', $1, 'USD') AS vault, wallet_of($1, 'PSP_CLEARING', $1, 'USD') AS psp`,
    [store.id],
  );
  own = rows[0];
});

afterEach(() => verify(larder.sql));
afterAll(() => larder.close());

async function post(path: string, user: TestUser, body: object, key = freshKey()): Promise<Answer> {
  const response = await fetch(`${larder.url}/api/wallets${path}`, {
    method: 'POST',
    headers: { authorization: user.bearer, 'idempotency-key': key, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

const below = (limit: number): number => Math.floor(Math.random() * limit);

/** A top-up, a withdrawal or, twice as often as both, a transfer. Of 20, one is sent again with its key. */
async function moveAtRandom(): Promise<Answer> {
  const [payer, receiver] = [owners[below(WALLETS)]!, owners[below(WALLETS)]!];
  const amount = { amount: 1 + below(2000), currency: 'USD' };
  const key = freshKey();
  const kind = below(6);
  const send = (): Promise<Answer> => {
    if (kind === 0) return post(`/${receiver.wallet}/top-ups`, manager, { amount }, key);
    if (kind === 1 || payer === receiver) return post(`/${payer.wallet}/withdrawals`, payer.user, { amount }, key);
    return post('/transfers', payer.user, { from: payer.wallet, to: receiver.wallet, amount }, key);
  };
  const answer = await send();
  if (below(20) === 0) {
    const { status, body } = await send();
    expect([status, body.id, body.code]).toEqual([answer.status, answer.body.id, answer.body.code]);
  }
  return answer;
}

/** One statement, so one snapshot: what anybody sees who looks at this moment. */
async function lookAtTheLedger(): Promise<Reading> {
  const { rows } = await larder.sql.query<Reading>(
    `SELECT (SELECT sum(amount) FROM ledger_entries) AS entries,
            (SELECT sum(b.balance) FROM wallets w, wallet_balance(w) b) AS wallets,
            (SELECT sum(balance) FROM wallets WHERE kind = 'CUSTOMER')
              + (SELECT sum(amount) FROM ledger_entries WHERE wallet_id IN ($1, $2)) AS customers_and_counterparts,
            (SELECT min(balance) FROM wallets WHERE NOT allow_negative) AS least`,
    [own.vault, own.psp],
  );
  return rows[0]!;
}

async function expectEveryBalanceToBeTheSumOfItsEntries(): Promise<void> {
  const { rows: wrong } = await larder.sql.query(
    `SELECT w.kind, b.balance, sum(e.amount)
       FROM wallets w
      CROSS JOIN LATERAL wallet_balance(w) b
       LEFT JOIN ledger_entries e ON e.wallet_id = w.id
      GROUP BY w.store_id, w.id, b.balance
     HAVING b.balance <> coalesce(sum(e.amount), 0)`,
  );
  expect(wrong).toEqual([]);
  const { rows: unbalanced } = await larder.sql.query(
    `SELECT t.id
       FROM ledger_transactions t
       LEFT JOIN ledger_entries e ON e.store_id = t.store_id AND e.transaction_id = t.id
      GROUP BY t.store_id, t.id
     HAVING count(e.id) < 2 OR sum(e.amount) <> 0`,
  );
  expect(unbalanced).toEqual([]);
}

async function deadlocks(): Promise<number> {
  const { rows } = await larder.sql.query(
    'SELECT deadlocks::int AS n FROM pg_stat_database WHERE datname = current_database()',
  );
  return rows[0].n;
}

function tally(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, body } of answers) {
    const outcome = status === 201 ? 'moved' : `${status} ${body.code}`;
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

it(`keeps the total at every read while ${CLIENTS} clients make ${MOVEMENTS} movements over ${WALLETS} wallets`, async () => {
  const answers: Answer[] = [];
  let readings = 0;
  let left = MOVEMENTS;
  let running = true;
  const client = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      answers.push(await moveAtRandom());
    }
  };
  const reader = async (): Promise<void> => {
    while (running) {
      const { least, ...totals } = await lookAtTheLedger();
      expect(totals).toEqual({ entries: '0', wallets: '0', customers_and_counterparts: '0' });
      expect(Number(least)).toBeGreaterThanOrEqual(0);
      readings += 1;
      // Checkpoints come and are used while money moves.
      await checkpoint();
      // A reading sums everything, which would take the two cores from those who move money.
      await sleep(50);
    }
  };
  const checkpoint = async (): Promise<void> => {
    for (const wallet of [own.vault, own.psp]) {
      await larder.sql.query('SELECT checkpoint_wallet($1, $2)', [store.id, wallet]);
    }
  };
  const isCheckpointed = async (): Promise<boolean> => {
    await checkpoint();
    return (await larder.sql.query('SELECT FROM wallet_checkpoints WHERE balance IS NOT NULL')).rowCount! > 0;
  };
  const started = performance.now();
  const clients = Promise.all(Array.from({ length: CLIENTS }, client)).finally(() => {
    running = false;
  });
  await Promise.all([clients, reader()]);
  const seconds = (performance.now() - started) / 1000;

  // One waits for all who write when it is marked, in whatever database of the server.
  await until(isCheckpointed, 60_000);
  const outcomes = tally(answers);
  const { rows: checkpoints } = await larder.sql.query(
    `SELECT count(*)::int AS filled,
            count(*) FILTER (WHERE k.balance <> (
              SELECT sum(e.amount) FROM ledger_entries e WHERE e.wallet_id = k.wallet_id AND e.id <= k.entry_id
            ))::int AS wrong
       FROM wallet_checkpoints k
      WHERE k.balance IS NOT NULL`,
  );
  process.stdout.write(
    `${MOVEMENTS} movements in ${seconds.toFixed(1)} s, ${(MOVEMENTS / seconds).toFixed(0)}/s; ` +
      `${readings} readings; ${checkpoints[0].filled} checkpoints; ${JSON.stringify(outcomes)}\n`,
  );
  expect(Object.keys(outcomes).sort()).toEqual(['409 INSUFFICIENT_FUNDS', 'moved']);
  expect(readings).toBeGreaterThan(10);
  expect(checkpoints[0].wrong).toBe(0);
  await expectEveryBalanceToBeTheSumOfItsEntries();
  const { rows } = await larder.sql.query(
    `SELECT count(*)::int AS posted FROM ledger_transactions WHERE store_id = $1`,
    [store.id],
  );
  expect(rows[0].posted).toBe(WALLETS + outcomes.moved!);
  expect(await deadlocks()).toBe(0);
});

it('lets opposite transfers at once pass each other, 200 times', async () => {
  const [ada, ben] = [owners[0]!, owners[1]!];
  const amount = { amount: 1, currency: 'USD' };
  for (const { wallet } of [ada, ben]) {
    await post(`/${wallet}/top-ups`, manager, { amount: { amount: 1000, currency: 'USD' } });
  }
  const balances = async (): Promise<object[]> =>
    (
      await larder.sql.query('SELECT id, balance FROM wallets WHERE id = ANY ($1) ORDER BY id', [
        [ada.wallet, ben.wallet],
      ])
    ).rows;
  const before = await balances();
  const answers: Answer[] = [];
  for (let round = 0; round < 200; round += 1) {
    answers.push(
      ...(await Promise.all([
        post('/transfers', ada.user, { from: ada.wallet, to: ben.wallet, amount }),
        post('/transfers', ben.user, { from: ben.wallet, to: ada.wallet, amount }),
        post('/transfers', manager, { from: ada.wallet, to: ben.wallet, amount }),
        post('/transfers', manager, { from: ben.wallet, to: ada.wallet, amount }),
      ])),
    );
  }
  expect(tally(answers)).toEqual({ moved: 800 });
  expect(await deadlocks()).toBe(0);
  expect(await balances()).toEqual(before);
  await expectEveryBalanceToBeTheSumOfItsEntries();
});
