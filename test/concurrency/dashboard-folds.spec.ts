import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { FoldDays } from '../../src/modules/dashboard/fold-days.js';
import { until } from '../support/background.js';
import { type TestUser, freshKey } from '../support/factories.js';
import { PATIENT, type Reply, Shop } from '../support/shop.js';
import { verify } from '../support/verify.js';
import { raceRounds } from '../support/race-rounds.js';

jest.setTimeout(300_000);

const ROUNDS = raceRounds(12);
const ORDERS = 12;
const LANES = 3;

let shop: Shop;
let customer: TestUser;
let variant: string;

beforeAll(async () => {
  shop = await Shop.open({ deliveryFee: 199 }, PATIENT);
  customer = await shop.make.user(shop.store);
  variant = await shop.make.variant(shop.store, { onHand: 10_000 });
  await shop.make.topUp(shop.store, customer, 10_000_000);
});
afterAll(() => shop.close());

/** Orders that were placed three days ago. */
async function oldOrders(): Promise<string[]> {
  const placed = await Promise.all(
    Array.from({ length: ORDERS }, (_, n) =>
      shop.placed(customer, [{ variantId: variant, quantity: 1 }], n % 2 ? 'WALLET' : 'COD'),
    ),
  );
  const ids = placed.map(({ id }) => id);
  await shop.larder.sql.query(`UPDATE orders SET placed_at = placed_at - interval '3 days' WHERE id = ANY ($1)`, [ids]);
  return ids;
}

function change(id: string, n: number): Promise<Reply> {
  if (n % 3 !== 2) return shop.call('patch', `/api/orders/${id}`, customer, { body: { status: 'CANCELLED' } });
  const body = { amount: { amount: 10, currency: 'USD' }, reason: 'late', destination: 'WALLET' };
  return shop.call('post', `/api/orders/${id}/refunds`, shop.manager, { key: freshKey(), body });
}

/** Some at once and one after the other, so that days are folded before, between and after them: the last but one waits for that. */
async function changeInLanes(ids: string[], folded: () => Promise<void>): Promise<Reply[]> {
  const replies: Reply[] = [];
  const queue = ids.entries();
  const lane = async (): Promise<void> => {
    for (const [n, id] of queue) {
      if (n === ids.length - 2) await folded();
      replies.push(await change(id, n));
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return replies;
}

describe('Old orders that are cancelled and refunded while their day is folded', () => {
  it(`are right in the rollups, in ${ROUNDS} rounds of ${ORDERS}`, async () => {
    const folds = shop.larder.app.get(FoldDays);
    const folded = (): number =>
      shop.larder.logLines().filter(({ event }) => event === 'dashboard_fold_completed').length;
    for (let round = 0; round < ROUNDS; round++) {
      const ids = await oldOrders();
      // What was moved to the past behind everybody's back has no mark yet: the first fold of a round is of a day without it.
      await shop.larder.sql.query(
        `INSERT INTO rollup_marks (store_id, at) SELECT store_id, placed_at FROM orders WHERE id = ANY ($1)`,
        [ids],
      );
      const before = folded();
      let done = false;
      const changing = changeInLanes(ids, () => until(() => folded() > before)).finally(() => (done = true));
      do {
        await folds.foldAll();
      } while (!done);
      const replies = await changing;
      expect(replies.filter(({ status }) => status === 200).length).toBe((ORDERS / 3) * 2);
      await verify(shop.larder.sql);
    }
    // Nothing is folded while somebody else on the server, in whatever database, takes long to write.
    await until(async () => {
      await folds.foldAll();
      return (await shop.row<{ marks: number }>('SELECT count(*)::int AS marks FROM rollup_marks')).marks === 0;
    }, 60_000);
    expect(folded()).toBeGreaterThan(ROUNDS);
    const { days } = await shop.row<{ days: number }>('SELECT count(*)::int AS days FROM order_days');
    expect(days).toBeGreaterThan(1);
    await verify(shop.larder.sql);
  });
});
