import { newId } from '../../src/common/ids.js';
import type { ShiftResponse } from '../../src/modules/shipping/dto/cash.dto.js';
import { verify } from '../support/verify.js';
import { addsUp, Cash, PRICE, USD } from './shifts.scene.js';

let cash: Cash;

beforeAll(async () => {
  cash = await Cash.open();
});
beforeEach(() => cash.begin());
afterEach(() => verify(cash.shop.larder.sql));
afterAll(() => cash.shop.close());

describe('reports', () => {
  it('tell of part payments and change, and of corrections by hand', async () => {
    await cash.collect(PRICE - 400);
    await cash.collect(PRICE + 100);
    await cash.collect();
    await cash.correct(250);
    const told = await cash.report();
    expect(told.totals).toMatchObject({
      shifts: 1,
      deliveries: 3,
      due: USD(3 * PRICE),
      short: USD(400),
      above: USD(100),
      collected: USD(3 * PRICE - 300),
      adjusted: USD(-250),
      inHand: USD(3 * PRICE - 550),
    });
    addsUp(told);
    await cash.counted(3 * PRICE - 550);
    addsUp(await cash.report());
  });

  it('are of the shifts opened in a range, whose end is not in it', async () => {
    await cash.collect();
    const { openedAt } = await cash.counted(PRICE);
    const next = new Date(Date.parse(openedAt) + 1).toISOString();
    const shown = async (from: string, to: string) => (await cash.report(`?from=${from}&to=${to}`)).totals.shifts;
    expect(await shown(openedAt, next)).toBe(1);
    const day = new Date(Date.parse(openedAt) - 86_400_000).toISOString();
    expect(await shown(day, openedAt)).toBe(0);
    expect(await shown(openedAt, openedAt)).toBe(0);
    expect(await shown(day, next)).toBe(1);
  });

  it('are for the agent himself and for staff', async () => {
    await cash.collect();
    const support = await cash.shop.make.user(cash.shop.store, 'SUPPORT');
    const colleague = await cash.shop.make.agent(cash.shop.store);
    for (const rest of ['shifts', 'cash']) {
      for (const user of [cash.agent, support, cash.shop.manager])
        await cash.shop.ask('get', cash.path(rest), user).expect(200);
      await cash.shop.ask('get', cash.path(rest), colleague).expect(404);
      await cash.shop.ask('get', cash.path(rest), cash.customer).expect(403);
      await cash.shop.ask('get', `/api/shipping/agents/${newId()}/${rest}`, support).expect(404);
    }
  });

  it('come page by page, newest first', async () => {
    for (let i = 0; i < 3; i++) {
      await cash.collect();
      await cash.counted(PRICE);
    }
    const first = await cash.shop.ask('get', cash.path('shifts?limit=2'), cash.agent).expect(200);
    const { items, nextCursor } = first.body as { items: ShiftResponse[]; nextCursor: string };
    const rest = await cash.shop.ask('get', cash.path(`shifts?limit=2&cursor=${nextCursor}`), cash.agent).expect(200);
    const all = [...items, ...(rest.body as { items: ShiftResponse[] }).items];
    expect(all.map(({ id }) => id)).toEqual((await cash.shifts()).map(({ id }) => id));
    expect(all).toHaveLength(3);
    await cash.shop.ask('get', cash.path('shifts?cursor=nonsense'), cash.agent).expect(400, /"INVALID_CURSOR"/);
  });

  it.each([
    ['from=2026-11-21T08:00:00', 'VALIDATION_FAILED'],
    ['from=yesterday', 'VALIDATION_FAILED'],
    ['to=2026-02-30', 'VALIDATION_FAILED'],
    ['from=2026-02-02&to=2026-02-01', 'RANGE_INVALID'],
    ['from=2020-01-01&to=2026-02-01', 'RANGE_INVALID'],
  ])('refuse a range like %s', async (query, code) => {
    await cash.shop.ask('get', cash.path(`cash?${query}`), cash.agent).expect(400, new RegExp(`"${code}"`));
  });
});
