import { setTimeout as sleep } from 'node:timers/promises';
import { runInContext } from '../../src/common/request-context.js';
import { OfferAgain } from '../../src/modules/shipping/offer-again.js';
import { Database } from '../../src/platform/prisma/database.js';
import type { TestUser } from '../support/factories.js';
import { raceRounds } from '../support/race-rounds.js';
import { PATIENT, type Reply, Shop, tally } from '../support/shop.js';
import { verify } from '../support/verify.js';

const BATCH = 10;
const ROUNDS = raceRounds(200);
/** The offers of a round run out within so many milliseconds, while agents and workers are at them. */
const SPREAD_MS = 40;

let shop: Shop;
let customer: TestUser;
let tea: string;
let agents: TestUser[];

beforeAll(async () => {
  shop = await Shop.open({}, PATIENT);
  customer = await shop.make.user(shop.store);
  tea = await shop.make.variant(shop.store, { onHand: 100_000 });
  agents = await Promise.all(Array.from({ length: 4 }, () => shop.make.agent(shop.store)));
});
afterEach(() => verify(shop.larder.sql));
afterAll(() => shop.close());

interface Parcel {
  orderId: string;
  offerId: string;
  agent: TestUser;
}
interface Offer {
  id: string;
  status: string;
  agent: string | null;
}

const inStore = <T>(run: () => Promise<T>): Promise<T> =>
  runInContext({ requestId: 'offers', storeId: shop.store.id }, run);
const worker = () => shop.larder.app.get(OfferAgain);
const sweep = () => inStore(() => worker().expireDue());
const soon = async <T>(run: () => Promise<T>): Promise<T> => {
  await sleep(Math.random() * SPREAD_MS);
  return run();
};
/** Offered to one agent, or to all. */
const offered = async (to: 'one' | 'all', index: number): Promise<Parcel> => {
  const order = await shop.placed(customer, [{ variantId: tea, quantity: 1 }]);
  const agent = agents[index % agents.length]!;
  const body = { orderId: order.id, agentId: to === 'one' ? agent.id : undefined };
  const offer = await shop.call('post', '/api/shipping/assignments', shop.manager, { body });
  expect(offer.status).toBe(201);
  return { orderId: order.id, offerId: offer.body.id, agent };
};
/** The first has run out already and the second does not, however busy the machine; the others at a moment of the next few. */
const runOutSoon = (parcels: Parcel[]) =>
  shop.larder.sql.query(
    `UPDATE shipping_assignments
        SET offer_expires_at = clock_timestamp() + interval '1 millisecond' *
              CASE array_position($1::uuid[], id) WHEN 1 THEN 0 WHEN 2 THEN 60000 ELSE random() * $2::int END
      WHERE id = ANY ($1)`,
    [parcels.map(({ offerId }) => offerId), SPREAD_MS],
  );
const offersOf = async ({ orderId }: Parcel): Promise<Offer[]> => {
  const { rows } = await shop.larder.sql.query<Offer>(
    `SELECT id, status, agent_id AS agent FROM shipping_assignments WHERE order_id = $1 ORDER BY offered_at, id`,
    [orderId],
  );
  return rows;
};
const step = ({ offerId, agent }: Parcel, name: string): Promise<Reply> =>
  shop.call('post', `/api/shipping/assignments/${offerId}/${name}`, agent);
/** So many rounds, some at once: what agents do with the offers, and three workers who look for what has run out. */
async function rounds(to: 'one' | 'all', act: (parcel: Parcel) => Promise<Reply>) {
  const ended: { reply: Reply; offers: Offer[]; parcel: Parcel }[] = [];
  while (ended.length < ROUNDS) {
    const parcels = await Promise.all(Array.from({ length: BATCH }, (_, index) => offered(to, index)));
    await runOutSoon(parcels);
    const [replies] = await Promise.all([
      Promise.all(parcels.map((parcel) => soon(() => act(parcel)))),
      ...Array.from({ length: 3 }, () => soon(sweep)),
    ]);
    await sleep(SPREAD_MS);
    await sweep();
    for (const [index, parcel] of parcels.entries()) {
      ended.push({ parcel, reply: replies[index]!, offers: await offersOf(parcel) });
    }
  }
  return ended;
}

describe(`an agent who accepts in the very moment that the offer runs out, ${ROUNDS} rounds`, () => {
  it.each(['one', 'all'] as const)('has it, or it is offered again: one of both, offered to %s', async (to) => {
    const seen: Record<string, number> = {};
    for (const { reply, offers, parcel } of await rounds(to, (one) => step(one, 'accept'))) {
      const [kind = ''] = Object.keys(tally([reply]));
      seen[kind] = (seen[kind] ?? 0) + 1;
      if (reply.status === 200) {
        expect(offers).toEqual([{ id: parcel.offerId, status: 'ACCEPTED', agent: parcel.agent.id }]);
      } else {
        expect(reply.status).toBe(409);
        expect(offers.map(({ status }) => status)).toEqual(['EXPIRED', 'OFFERED']);
        if (to === 'one') expect(offers[1]!.agent).not.toBe(parcel.agent.id);
      }
    }
    const { 200: won = 0, '409 ASSIGNMENT_EXPIRED': late = 0, ...lost } = seen;
    expect([won > 0, late + Object.values(lost).reduce((sum, count) => sum + count, 0) > 0]).toEqual([true, true]);
    // The parcels of the next test are not carried by those of this one.
    await shop.larder.sql.query(
      `UPDATE shipping_assignments SET status = 'CANCELLED', closed_at = now() WHERE closed_at IS NULL`,
    );
  });
});

describe(`an agent who turns an offer down in the very moment that it runs out, ${ROUNDS} rounds`, () => {
  it('is followed by one next offer, whichever came first and however often the job is run', async () => {
    const goOn = (id: string) =>
      inStore(() => shop.larder.app.get(Database).transaction((tx) => worker().afterRejection(tx, id)));
    const played = await rounds('one', async (parcel) => {
      const reply = await step(parcel, 'reject');
      if (reply.status === 204) await Promise.all([goOn(parcel.offerId), goOn(parcel.offerId)]);
      return reply;
    });
    const seen = { rejected: 0, expired: 0 };
    for (const { reply, offers, parcel } of played) {
      const rejected = reply.status === 204;
      seen[rejected ? 'rejected' : 'expired'] += 1;
      expect(offers.map(({ status }) => status)).toEqual([rejected ? 'REJECTED' : 'EXPIRED', 'OFFERED']);
      expect(offers[1]!.agent).not.toBe(parcel.agent.id);
    }
    expect(Math.min(seen.rejected, seen.expired)).toBeGreaterThan(0);
    const { jobs } = await shop.row(
      `SELECT count(*)::int AS jobs FROM graphile_worker.jobs WHERE task_identifier = 'shipping.offer-again'`,
    );
    expect(jobs).toBe(seen.rejected);
  });
});
