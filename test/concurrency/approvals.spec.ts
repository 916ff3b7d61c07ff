import { until } from '../support/background.js';
import type { TestUser } from '../support/factories.js';
import { sumOfMetric } from '../support/metrics.js';
import { PATIENT, type Reply, Shop, tally } from '../support/shop.js';
import { verify } from '../support/verify.js';

const ROUNDS = 200;
const AMOUNT = 100;

type How = 'approve' | 'reject';

let shop: Shop;
let customer: TestUser;
let [ada, ben]: TestUser[] = [];
let asked = 0;

beforeAll(async () => {
  shop = await Shop.open({}, { ...PATIENT, LARDER_ROLE: 'all', LOG_LEVEL: 'warn' });
  customer = await shop.make.user(shop.store);
  ada = shop.manager;
  ben = await shop.make.user(shop.store, 'ADMIN');
  await shop.make.topUp(shop.store, customer, 1_000_000_000);
  await shop.larder.sql.query('UPDATE stores SET withdrawal_approval_threshold = 0 WHERE id = $1', [shop.store.id]);
});
afterEach(() => verify(shop.larder.sql));
afterAll(() => shop.close());

/** So many withdrawals of the customer's, each waiting for so many approvers. */
async function waiting(count: number, required: number): Promise<string[]> {
  await shop.larder.sql.query('UPDATE stores SET approvals_required = $2 WHERE id = $1', [shop.store.id, required]);
  const { rows } = await shop.larder.sql.query<{ id: string }>(
    `SELECT w.response -> 'withdrawal' ->> 'approvalId' AS id
       FROM generate_series($4::int + 1, $4 + $3) AS n
      CROSS JOIN LATERAL withdraw_money(
        $1, $2, 'a race', 'key ' || n, '', NULL, 'race ' || n, wallet_of($1, 'CUSTOMER', $2, 'USD'),
        wallet_of($1, 'PSP_CLEARING', $1, 'USD'), $5, 'USD'
      ) w`,
    [shop.store.id, customer.id, count, asked, AMOUNT],
  );
  asked += count;
  return rows.map(({ id }) => id);
}

const decide = (id: string, how: How, user: TestUser): Promise<Reply> =>
  shop.call('post', `/api/approvals/${id}/${how}`, user, { body: {} });

/** What there is to see of a request afterwards: transitions and effects are counted, not looked up. */
const outcome = (id: string) =>
  shop.row<{ status: string; approved: number; told: string[]; effects: string[]; withdrawal: string }>(
    `SELECT a.status, a.approved, w.status AS withdrawal,
            ARRAY(SELECT e.type FROM outbox_events e WHERE e.aggregate_id = a.id AND e.type <> 'approval.requested') AS told,
            ARRAY(SELECT t.type FROM ledger_transactions t WHERE t.reference = a.subject_id::text) AS effects
       FROM approvals a
       JOIN withdrawals w ON w.id = a.subject_id
      WHERE a.id = $1`,
    [id],
  );
const STATES = {
  PENDING: { status: 'PENDING', withdrawal: 'REQUESTED', told: [], effects: [] },
  APPROVED: { status: 'APPROVED', withdrawal: 'PAID', told: ['approval.approved'], effects: ['WITHDRAWAL_PAID'] },
  REJECTED: {
    status: 'REJECTED',
    withdrawal: 'REJECTED',
    told: ['approval.rejected'],
    effects: ['WITHDRAWAL_RETURNED'],
  },
};

/** Both at once, who is first changing from round to round, four requests in flight beside each other. */
async function race(
  required: number,
  moves: [How, () => TestUser][],
  judge: (replies: Reply[], id: string) => Promise<void>,
) {
  const ids = await waiting(ROUNDS, required);
  let next = 0;
  const player = async (): Promise<void> => {
    for (let round = next++; round < ids.length; round = next++) {
      const id = ids[round]!;
      const send = moves.map(
        ([how, user]) =>
          () =>
            decide(id, how, user()),
      );
      const replies = await Promise.all((round % 2 ? send : send.toReversed()).map((ask) => ask()));
      await judge(round % 2 ? replies : replies.toReversed(), id);
    }
  };
  await Promise.all(Array.from({ length: 4 }, player));
}

const ADA = () => ada!;
const BEN = () => ben!;

describe(`in ${ROUNDS} rounds of two decisions at once`, () => {
  it('two approvers where one is enough: one decides, the other is told', async () => {
    await race(
      1,
      [
        ['approve', ADA],
        ['approve', BEN],
      ],
      async (replies, id) => {
        expect(tally(replies)).toEqual({ 200: 1, '409 APPROVAL_DECIDED': 1 });
        expect(await outcome(id)).toEqual({ ...STATES.APPROVED, approved: 1 });
      },
    );
  });

  it('two approvers where it takes two: both count, and it happens once', async () => {
    await race(
      2,
      [
        ['approve', ADA],
        ['approve', BEN],
      ],
      async (replies, id) => {
        expect(tally(replies)).toEqual({ 200: 2 });
        expect(replies.map(({ body }) => body.status).sort()).toEqual(['APPROVED', 'PENDING']);
        expect(await outcome(id)).toEqual({ ...STATES.APPROVED, approved: 2 });
      },
    );
  });

  it.each([
    [1, 'APPROVED'],
    [2, 'PENDING'],
  ] as const)('a double click where it takes %i counts once', async (required, status) => {
    const duplicates = () => sumOfMetric(shop.larder, 'larder_approval_duplicates_total', 'WITHDRAWAL');
    const before = await duplicates();
    await race(
      required,
      [
        ['approve', ADA],
        ['approve', ADA],
      ],
      async (replies, id) => {
        expect(tally(replies)).toEqual({ 200: 2 });
        expect(replies.map(({ body }) => body.status)).toEqual([status, status]);
        expect(await outcome(id)).toEqual({ ...STATES[status], approved: 1 });
      },
    );
    expect(await duplicates()).toBe(before + ROUNDS);
  });

  it('approval against rejection where one is enough: the first decides', async () => {
    const won = { APPROVED: 0, REJECTED: 0 };
    await race(
      1,
      [
        ['approve', ADA],
        ['reject', BEN],
      ],
      async (replies, id) => {
        expect(tally(replies)).toEqual({ 200: 1, '409 APPROVAL_DECIDED': 1 });
        const winner = replies[0]!.status === 200 ? 'APPROVED' : 'REJECTED';
        expect(await outcome(id)).toEqual({ ...STATES[winner], approved: winner === 'APPROVED' ? 1 : 0 });
        won[winner] += 1;
      },
    );
    process.stdout.write(`approve against reject: ${JSON.stringify(won)}\n`);
    expect(won.APPROVED > 0 && won.REJECTED > 0).toBe(true);
  });

  it('approval against rejection where it takes two: the rejection wins', async () => {
    await race(
      2,
      [
        ['approve', ADA],
        ['reject', BEN],
      ],
      async ([approval, rejection], id) => {
        expect(rejection!.status).toBe(200);
        const counted = approval!.status === 200 ? 1 : 0;
        if (!counted) expect(approval!.body.code).toBe('APPROVAL_DECIDED');
        expect(await outcome(id)).toEqual({ ...STATES.REJECTED, approved: counted });
      },
    );
  });
});

it('and everybody concerned is told of each once', async () => {
  await until(async () => {
    const { waits } = await shop.row<{ waits: boolean }>(
      `SELECT EXISTS (SELECT 1 FROM outbox_events WHERE published_at IS NULL)
           OR EXISTS (SELECT 1 FROM graphile_worker._private_jobs) AS waits`,
    );
    return !waits;
  }, 100_000);
  const { rows } = await shop.larder.sql.query<{ type: string; user_id: string; events: number; notes: number }>(
    `SELECT n.type, n.user_id, count(DISTINCT n.payload ->> 'approvalId')::int AS events, count(*)::int AS notes
       FROM notifications n
      GROUP BY 1, 2`,
  );
  const decided = async (status: string) =>
    (await shop.row<{ n: number }>('SELECT count(*)::int AS n FROM approvals WHERE status = $1', [status])).n;
  const told = (type: string, user: TestUser, count: number) => ({
    type,
    user_id: user.id,
    events: count,
    notes: count,
  });
  const expected = [
    told('approval.requested', ada!, asked),
    told('approval.requested', ben!, asked),
    told('approval.approved', customer, await decided('APPROVED')),
    told('approval.rejected', customer, await decided('REJECTED')),
  ];
  expect(rows).toHaveLength(expected.length);
  expect(rows).toEqual(expect.arrayContaining(expected));
  const waited = await sumOfMetric(shop.larder, 'larder_approval_lock_wait_seconds_sum');
  const waits = await sumOfMetric(shop.larder, 'larder_approval_lock_wait_seconds_count');
  process.stdout.write(`${waits} decisions waited ${((waited / waits) * 1000).toFixed(1)} ms on average\n`);
  expect(waits).toBe(6 * ROUNDS * 2);
});
