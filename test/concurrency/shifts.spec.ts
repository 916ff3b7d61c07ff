import type { ShiftResponse } from '../../src/modules/shipping/dto/cash.dto.js';
import { freshKey, type TestUser } from '../support/factories.js';
import { PATIENT, type Reply, Shop, tally } from '../support/shop.js';
import { verify } from '../support/verify.js';

const USD = (amount: number) => ({ amount, currency: 'USD' });
const PRICE = 1000;
const AGENTS = 10;
const ROUNDS = 100;

let shop: Shop;
let customer: TestUser;
let other: TestUser;
let tea: string;
let agents: TestUser[];

beforeAll(async () => {
  shop = await Shop.open({}, PATIENT);
  customer = await shop.make.user(shop.store);
  other = await shop.make.user(shop.store, 'ADMIN');
  tea = await shop.make.variant(shop.store, { price: PRICE, onHand: 100_000 });
  agents = await Promise.all(Array.from({ length: AGENTS }, () => shop.make.agent(shop.store)));
});
afterEach(() => verify(shop.larder.sql));
afterAll(() => shop.close());

/** One agent's shift, and what is done to it. */
class Desk {
  constructor(private readonly agent: TestUser) {}

  count(amount: number, key = freshKey()): Promise<Reply> {
    return this.post('shifts/close', { counted: USD(amount) }, key);
  }

  remit(amount: number): Promise<Reply> {
    return this.post('remittances', { amount: USD(amount) }, freshKey());
  }

  async begin(): Promise<void> {
    await shop.call('patch', '/api/shipping/agents/me', this.agent, { body: { status: 'ONLINE' } });
  }

  /** A parcel that the agent has; what is left to do is to deliver it. */
  async carried(): Promise<() => Promise<Reply>> {
    const order = await shop.placed(customer, [{ variantId: tea, quantity: 1 }]);
    const { path } = await shop.carried(this.agent, order.id);
    const body = { proof: { code: order.deliveryCode }, cashCollected: USD(PRICE) };
    return () => shop.call('post', `${path}/deliver`, this.agent, { body });
  }

  async collect(): Promise<void> {
    const deliver = await this.carried();
    expect((await deliver()).status).toBe(200);
  }

  async cashInHand(): Promise<number> {
    const row = await shop.row<{ cash: number }>(
      `SELECT -balance::int AS cash FROM wallets WHERE kind = 'AGENT_CASH' AND owner_id = $1`,
      [this.agent.id],
    );
    return row.cash;
  }

  /** Ends a round: what was missing is written off, and what is left is counted rightly. */
  async settle(): Promise<void> {
    const { rows } = await shop.larder.sql.query<{ id: string }>(
      `SELECT id FROM approvals WHERE status = 'PENDING' AND payload ->> 'agentId' = $1`,
      [this.agent.id],
    );
    for (const { id } of rows) await shop.call('post', `/api/approvals/${id}/approve`, other, { body: {} });
    const held = await this.cashInHand();
    if (held > 0) expect((await this.count(held)).status).toBe(200);
    expect(await this.cashInHand()).toBe(0);
  }

  private post(rest: string, body: object, key: string): Promise<Reply> {
    return shop.call('post', `/api/shipping/agents/${this.agent.id}/${rest}`, shop.manager, { body, key });
  }
}

/** So many rounds, each agent's one after the other, the agents' side by side. */
async function rounds(play: (desk: Desk, round: number) => Promise<void>): Promise<void> {
  await Promise.all(
    agents.map(async (agent, index) => {
      const desk = new Desk(agent);
      for (let round = 0; round < ROUNDS / AGENTS; round++) await play(desk, round * AGENTS + index);
    }),
  );
}
const shiftOf = (reply: Reply): ShiftResponse => JSON.parse(reply.text) as ShiftResponse;
const decide = (shift: ShiftResponse, decision: 'approve' | 'reject') =>
  shop.call('post', `/api/approvals/${shift.variance!.approvalId}/${decision}`, other, { body: {} });

describe(`a count that comes at the same moment as something else, ${ROUNDS} rounds each`, () => {
  it('has the delivery in it or leaves it to the next shift', async () => {
    let counted = 0;
    await rounds(async (desk) => {
      await desk.begin();
      const deliver = await desk.carried();
      // The manager counts what lies there before the delivery: that is right, or the delivery's cash is missing.
      const [delivered, closed] = await Promise.all([deliver(), desk.count(0)]);
      expect([delivered.status, closed.status]).toEqual([200, 200]);
      const shift = shiftOf(closed);
      expect(shift).toMatchObject(
        shift.deliveries === 1
          ? { status: 'COUNTED', expected: USD(PRICE), variance: { amount: USD(-PRICE) }, outstanding: USD(PRICE) }
          : { status: 'CLOSED', deliveries: 0, expected: USD(0), variance: null },
      );
      expect(await desk.cashInHand()).toBe(PRICE);
      await desk.settle();
      counted += 1;
    });
    expect(counted).toBe(ROUNDS);
  });

  it('has the remittance in it, or is left with nothing to hand in', async () => {
    await rounds(async (desk) => {
      await desk.collect();
      const [remitted, closed] = await Promise.all([desk.remit(400), desk.count(600)]);
      expect(closed.status).toBe(200);
      // Where the count came first, it found 400 missing: they can't be handed in until somebody has decided.
      const isFirst = remitted.status === 201;
      expect(tally([remitted])).toEqual(isFirst ? { 201: 1 } : { '409 REMITTANCE_EXCEEDS_CASH': 1 });
      expect(shiftOf(closed)).toMatchObject(
        isFirst
          ? { status: 'CLOSED', expected: USD(600), remitted: USD(400), handedIn: USD(600) }
          : { status: 'COUNTED', expected: USD(1000), remitted: USD(0), variance: { amount: USD(-400) } },
      );
      await desk.settle();
    });
  });

  it('is the only one: of five counts one closes the shift', async () => {
    await rounds(async (desk) => {
      await desk.collect();
      const replies = await Promise.all(Array.from({ length: 5 }, () => desk.count(PRICE)));
      expect(tally(replies)).toEqual({ 200: 1, '409 SHIFT_NOT_OPEN': 4 });
      expect(await desk.cashInHand()).toBe(0);
    });
  });

  it('is one for a key that is sent five times at once', async () => {
    await rounds(async (desk) => {
      await desk.begin();
      const key = freshKey();
      const replies = await Promise.all(Array.from({ length: 5 }, () => desk.count(0, key)));
      const { 200: ok = 0, '409 IDEMPOTENCY_IN_PROGRESS': running = 0 } = tally(replies);
      expect([ok > 0, ok + running]).toEqual([true, 5]);
      const shifts = replies.filter(({ status }) => status === 200).map((reply) => shiftOf(reply).id);
      expect(new Set(shifts).size).toBe(1);
    });
  });
});

describe('a decision on what was missing, while the agent goes on', () => {
  it(`is written off or charged exactly once, whatever he delivers and counts meanwhile, ${ROUNDS} rounds`, async () => {
    await rounds(async (desk, round) => {
      await desk.collect();
      const shift = shiftOf(await desk.count(700));
      const deliver = await desk.carried();
      const decision = round % 2 === 0 ? 'approve' : 'reject';
      const [decided, delivered, closed] = await Promise.all([decide(shift, decision), deliver(), desk.count(PRICE)]);
      expect([decided.status, delivered.status]).toEqual([200, 200]);
      // There was nothing to count yet; or the delivery, or what the decision left to him, or both.
      expect(['200', '409 SHIFT_NOT_OPEN']).toEqual(expect.arrayContaining(Object.keys(tally([closed]))));
      await desk.settle();
    });
  });
});
