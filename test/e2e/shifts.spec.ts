import { newId } from '../../src/common/ids.js';
import { freshKey } from '../support/factories.js';
import { verify } from '../support/verify.js';
import { addsUp, Cash, PRICE, USD } from './shifts.scene.js';

let cash: Cash;

beforeAll(async () => {
  cash = await Cash.open();
});
beforeEach(() => cash.begin());
afterEach(() => verify(cash.shop.larder.sql));
afterAll(() => cash.shop.close());

describe('a shift', () => {
  it('begins when an agent goes online, once, and is his only one', async () => {
    const online = () =>
      cash.shop.ask('patch', '/api/shipping/agents/me', cash.agent, { body: { status: 'ONLINE' } }).expect(200);
    await Promise.all([online(), online(), online()]);
    await cash.shop.ask('patch', '/api/shipping/agents/me', cash.agent, { body: { status: 'OFFLINE' } }).expect(200);
    await online();
    expect(await cash.shifts()).toMatchObject([
      { status: 'OPEN', openingCash: USD(0), expected: USD(0), counted: null },
    ]);
  });

  it('begins with his first delivery where he was online already, paid or not', async () => {
    expect(await cash.shifts()).toEqual([]);
    await cash.collect();
    const [shift] = await cash.shifts();
    expect(shift).toMatchObject({ status: 'OPEN', deliveries: 1, collected: USD(PRICE), expected: USD(PRICE) });
    const { rows } = await cash.shop.larder.sql.query(
      `SELECT type, payload FROM outbox_events WHERE aggregate_type = 'agent' AND aggregate_id = $1`,
      [cash.agent.id],
    );
    expect(rows).toEqual([{ type: 'agent.shift_opened', payload: { agentId: cash.agent.id, shiftId: shift!.id } }]);
  });

  it('is closed at once when the cash is what it should be, and the cash is in the vault', async () => {
    await cash.collect();
    await cash.collect();
    await cash.remit(500).expect(201);
    const before = await cash.books();
    const shift = await cash.counted(2 * PRICE - 500);
    expect(shift).toMatchObject({
      agentId: cash.agent.id,
      status: 'CLOSED',
      deliveries: 2,
      openingCash: USD(0),
      collected: USD(2 * PRICE),
      remitted: USD(500),
      expected: USD(2 * PRICE - 500),
      counted: USD(2 * PRICE - 500),
      handedIn: USD(2 * PRICE - 500),
      variance: null,
      outstanding: USD(0),
      countedBy: cash.shop.manager.id,
    });
    expect(await cash.moved(before)).toEqual({ cash: 1500, vault: -1500, shortOver: 0 });
    expect(await cash.shifts()).toEqual([shift]);
    addsUp(await cash.report());
  });

  it('is closed without cash too, when there was none; and not a second time', async () => {
    await cash.shop.ask('patch', '/api/shipping/agents/me', cash.agent, { body: { status: 'ONLINE' } }).expect(200);
    expect(await cash.counted(0)).toMatchObject({ status: 'CLOSED', expected: USD(0), handedIn: USD(0) });
    await cash.count(0).expect(409, /"SHIFT_NOT_OPEN"/);
    await cash.count(5).expect(409, /"SHIFT_NOT_OPEN"/);
  });

  it('is followed by the next one, which begins with nothing; a parcel under way is delivered in it', async () => {
    await cash.collect();
    const order = await cash.order();
    const parcel = await cash.shop.carried(cash.agent, order.id);
    expect(await cash.counted(PRICE)).toMatchObject({ status: 'CLOSED', deliveries: 1 });
    const body = { proof: { code: order.deliveryCode }, cashCollected: USD(PRICE) };
    await cash.shop.ask('post', `${parcel.path}/deliver`, cash.agent, { body }).expect(200);
    const [second, first] = await cash.shifts();
    expect(second).toMatchObject({ status: 'OPEN', openingCash: USD(0), deliveries: 1, expected: USD(PRICE) });
    expect(first).toMatchObject({ status: 'CLOSED', deliveries: 1 });
    addsUp(await cash.report());
  });

  it('is counted once for a key', async () => {
    await cash.collect();
    const key = freshKey();
    const first = await cash.count(PRICE, key).expect(200);
    const again = await cash.count(PRICE, key).expect(200).expect('idempotency-replayed', 'true');
    expect(again.text).toBe(first.text);
    await cash.count(PRICE - 1, key).expect(422, /"IDEMPOTENCY_KEY_REUSED"/);
  });

  it('is counted by managers, in the right money, of agents who exist', async () => {
    await cash.collect();
    for (const user of [cash.agent, cash.customer, await cash.shop.make.user(cash.shop.store, 'SUPPORT')]) {
      await cash.count(PRICE, freshKey(), user).expect(403);
    }
    await cash.shop
      .ask('post', cash.path('shifts/close'), cash.shop.manager, { body: { counted: USD(PRICE) } })
      .expect(400);
    const close = (body: object) =>
      cash.shop.ask('post', cash.path('shifts/close'), cash.shop.manager, { body, key: freshKey() });
    for (const amount of [-1, 1.5, '10', null]) {
      await close({ counted: { amount, currency: 'USD' } }).expect(400, /"VALIDATION_FAILED"/);
    }
    await close({ counted: { amount: PRICE, currency: 'EUR' } }).expect(400, /"CURRENCY_MISMATCH"/);
    await cash.shop
      .ask('post', `/api/shipping/agents/${newId()}/shifts/close`, cash.shop.manager, {
        body: { counted: USD(0) },
        key: freshKey(),
      })
      .expect(404);
    expect(await cash.shifts()).toMatchObject([{ status: 'OPEN' }]);
  });
});

describe('cash that is missing at the count', () => {
  it('stays the agent’s until somebody else has agreed to write it off', async () => {
    await cash.collect();
    await cash.collect();
    const before = await cash.books();
    const shift = await cash.counted(2 * PRICE - 300);
    expect(shift).toMatchObject({
      status: 'COUNTED',
      expected: USD(2 * PRICE),
      handedIn: USD(2 * PRICE - 300),
      variance: { amount: USD(-300), status: 'PENDING' },
      outstanding: USD(300),
      closedAt: null,
    });
    expect(await cash.moved(before)).toEqual({ cash: 1700, vault: -1700, shortOver: 0 });
    addsUp(await cash.report());
    await cash.decide(shift, 'approve', cash.shop.manager).expect(403, /"APPROVAL_OWN_REQUEST"/);
    await cash.decide(shift, 'approve').expect(200);
    expect(await cash.moved(before)).toEqual({ cash: 2000, vault: -1700, shortOver: -300 });
    expect(await cash.shifts()).toMatchObject([
      { status: 'CLOSED', variance: { amount: USD(-300), status: 'APPROVED' }, outstanding: USD(0) },
    ]);
    const { totals } = await cash.report();
    expect(totals).toMatchObject({ collected: USD(2000), remitted: USD(1700), writtenOff: USD(300), inHand: USD(0) });
    addsUp(await cash.report());
  });

  it('is his to bring when the others do not agree: in the shift that is open now', async () => {
    await cash.collect();
    const shift = await cash.counted(PRICE - 300);
    await cash.collect();
    await cash.decide(shift, 'reject').expect(200);
    const [open, closed] = await cash.shifts();
    expect(closed).toMatchObject({ status: 'CLOSED', variance: { status: 'REJECTED' }, outstanding: USD(0) });
    expect(open).toMatchObject({
      status: 'OPEN',
      charged: USD(300),
      collected: USD(PRICE),
      expected: USD(PRICE + 300),
    });
    addsUp(await cash.report());
    expect(await cash.counted(PRICE + 300)).toMatchObject({ status: 'CLOSED', variance: null });
    expect(await cash.walletOf('AGENT_CASH', cash.agent.id)).toBe(0);
  });

  it('opens a shift when he has none to bring it in', async () => {
    await cash.collect();
    await cash.decide(await cash.counted(0), 'reject').expect(200);
    expect(await cash.shifts()).toMatchObject([
      { status: 'OPEN', openingCash: USD(PRICE), charged: USD(0), expected: USD(PRICE) },
      { status: 'CLOSED' },
    ]);
    await cash.remit(PRICE).expect(201);
    expect(await cash.counted(0)).toMatchObject({ status: 'CLOSED', variance: null });
    addsUp(await cash.report());
  });

  it('is not asked for twice while it waits: neither in the next count nor as a remittance', async () => {
    await cash.collect();
    const first = await cash.counted(PRICE - 100);
    const { body } = await cash.remit(1).expect(409);
    expect(body).toMatchObject({
      code: 'REMITTANCE_EXCEEDS_CASH',
      details: [{ cashInHand: USD(100), underApproval: USD(100) }],
    });
    await cash.collect();
    const second = await cash.counted(PRICE - 50);
    expect(second).toMatchObject({ expected: USD(PRICE), openingCash: USD(0), variance: { amount: USD(-50) } });
    addsUp(await cash.report());
    await cash.decide(second, 'approve').expect(200);
    await cash.decide(first, 'approve').expect(200);
    expect(await cash.walletOf('AGENT_CASH', cash.agent.id)).toBe(0);
    addsUp(await cash.report());
  });

  it('still counts towards his float while nobody has decided', async () => {
    await cash.shop.larder.sql.query('UPDATE stores SET agent_float_limit = $2 WHERE id = $1', [
      cash.shop.store.id,
      PRICE,
    ]);
    await cash.collect();
    const shift = await cash.counted(0);
    const order = await cash.order();
    const { path: offer } = await cash.shop.carried(cash.agent, order.id, 'OFFERED');
    await cash.shop.ask('post', `${offer}/accept`, cash.agent).expect(403, /"FLOAT_LIMIT_REACHED"/);
    await cash.decide(shift, 'approve').expect(200);
    await cash.shop.ask('post', `${offer}/accept`, cash.agent).expect(200);
    await cash.shop.larder.sql.query('UPDATE stores SET agent_float_limit = 1000000 WHERE id = $1', [
      cash.shop.store.id,
    ]);
  });
});

describe('cash that is too much at the count', () => {
  it('lies beside the books until somebody else has agreed that it is the store’s', async () => {
    await cash.collect();
    const before = await cash.books();
    const shift = await cash.counted(PRICE + 70);
    expect(shift).toMatchObject({
      status: 'COUNTED',
      handedIn: USD(PRICE),
      variance: { amount: USD(70), status: 'PENDING' },
      outstanding: USD(0),
    });
    expect(await cash.moved(before)).toEqual({ cash: PRICE, vault: -PRICE, shortOver: 0 });
    await cash.decide(shift, 'approve').expect(200);
    expect(await cash.moved(before)).toEqual({ cash: PRICE, vault: -PRICE - 70, shortOver: 70 });
    addsUp(await cash.report());
  });

  it('is the agent’s to take back when they do not', async () => {
    await cash.collect();
    const before = await cash.books();
    const shift = await cash.counted(PRICE + 70);
    await cash.decide(shift, 'reject').expect(200);
    expect(await cash.moved(before)).toEqual({ cash: PRICE, vault: -PRICE, shortOver: 0 });
    expect(await cash.shifts()).toMatchObject([{ status: 'CLOSED', charged: USD(0) }]);
  });
});

it('the database keeps a count as it was written down', async () => {
  await cash.collect();
  const { id } = await cash.counted(PRICE - 1);
  const change = (what: string) => cash.shop.larder.sql.query(`UPDATE agent_shifts SET ${what} WHERE id = $1`, [id]);
  for (const what of ['counted = 0', 'expected = expected + 1', 'charged = 1', `agent_id = '${newId()}'`]) {
    await expect(change(what)).rejects.toThrow('stays');
  }
  await expect(cash.shop.larder.sql.query('DELETE FROM agent_shifts')).rejects.toThrow('append-only');
});
