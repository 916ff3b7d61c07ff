import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '../../src/common/ids.js';
import type { Role } from '../../src/common/request-context.js';
import { openScene, type Scene } from '../support/scene.js';
import { type TestUser, tokenFor } from '../support/factories.js';
import { Shop } from '../support/shop.js';
import { statementsOf } from '../support/statements.js';

const RANGED = [
  'order-trends',
  'sales-by-status',
  'sales-by-payment-method',
  'top-products',
  'fulfilment',
  'delivery-by-zip',
  'agent-leaderboard',
  'refunds',
];
const DASHBOARDS = [...RANGED, 'overview', 'cash-outstanding', 'wallet-liabilities', 'low-stock', 'activity', 'mobile'];

let shop: Shop;
/** A store in which an order was delivered, and one in which nothing ever happened. */
let busy: Scene;
let other: TestUser;

beforeAll(async () => {
  shop = await Shop.open();
  busy = await openScene(shop.larder, 'busy', 'DELIVERED');
  other = shop.manager;
});
afterAll(() => shop.close());

const ask = (name: string, user: TestUser, query = '') => shop.ask('get', `/api/dashboard/${name}${query}`, user);

describe.each(DASHBOARDS)('the dashboard %s', (name) => {
  it('says how old it is, and sends nothing twice to who has it', async () => {
    const answer = await ask(name, busy.manager).expect(200);
    expect(Date.parse((answer.body as { generatedAt: string }).generatedAt)).toBeGreaterThan(Date.now() - 60_000);
    expect(answer.headers).toMatchObject({
      age: expect.stringMatching(/^[0-9]+$/) as unknown,
      'cache-control': expect.stringContaining('private') as unknown,
      'content-type': 'application/json; charset=utf-8',
    });
    const again = await ask(name, busy.manager).set('if-none-match', answer.headers.etag!).expect(304);
    expect(again.text).toBe('');
  });

  it('is for staff', async () => {
    for (const role of ['SUPPORT', 'MANAGER', 'ADMIN'] satisfies Role[]) {
      await ask(name, { ...busy.manager, bearer: `Bearer ${await tokenFor(busy.store, newId(), [role])}` }).expect(200);
    }
    await ask(name, busy.customer).expect(403);
    await ask(name, busy.agent).expect(403);
    await shop.larder.http.get(`/api/dashboard/${name}`).expect(401);
  });

  it('is of its own store', async () => {
    const own = await ask(name, busy.manager).expect(200);
    const theirs = await ask(name, other).expect(200);
    const names = Object.values(busy.ids).filter((id) => id !== '');
    expect(names.filter((id) => theirs.text.includes(id))).toEqual([]);
    expect(theirs.text).not.toBe(own.text);
  });

  it('is one statement', async () => {
    await ask(name, busy.manager).expect(200);
    expect(await statementsOf(() => ask(name, busy.manager))).toBeLessThanOrEqual(1);
  });
});

describe('A hundred people who look at once', () => {
  it('cost two statements: which day it is in the store, and the figures', async () => {
    const crowded = await shop.make.store('crowded');
    const user = await shop.make.user(crowded, 'MANAGER');
    const statements = await statementsOf(() =>
      Promise.all(Array.from({ length: 100 }, () => ask('order-trends', user).expect(200))),
    );
    expect(statements).toBe(2);
  });
});

describe.each(RANGED)('the days of %s', (name) => {
  it.each([
    ['the end before the beginning', '?from=2026-03-02&to=2026-03-01'],
    ['more than 366', '?from=2025-01-01&to=2026-01-02'],
    ['a beginning after today', '?from=9000-01-01'],
  ])('are refused: %s', async (_what, query) => {
    const { body } = await ask(name, busy.manager, query).expect(400);
    expect(body).toMatchObject({ code: 'RANGE_INVALID' });
  });

  it.each(['?from=2026-02-30', '?to=yesterday', '?from=2026-03-01T00:00:00Z', '?to=2026-3-1'])(
    'are days: %s is none',
    async (query) => {
      const { body } = await ask(name, busy.manager, query).expect(400);
      expect(body).toMatchObject({ code: 'VALIDATION_FAILED' });
    },
  );

  it('are at most a leap year, and the last thirty where nothing is said', async () => {
    await ask(name, busy.manager, '?from=2024-01-01&to=2024-12-31').expect(200);
    const { body } = await ask(name, busy.manager).expect(200);
    const { from, to } = body as { from: string; to: string };
    expect(Date.parse(to) - Date.parse(from)).toBe(29 * 86_400_000);
    expect(to).toBe(new Date().toISOString().slice(0, 10));
  });

  it('may begin with an hour that the clocks skip', async () => {
    // Cairo's clocks went from 0:00 to 1:00 on 2026-04-24.
    const cairo = await shop.make.store(`cairo-${name}`);
    await shop.larder.sql.query(`UPDATE stores SET timezone = 'Africa/Cairo' WHERE id = $1`, [cairo.id]);
    const user = { ...busy.manager, bearer: `Bearer ${await tokenFor(cairo, newId(), ['MANAGER'])}` };
    await ask(name, user, '?from=2026-04-24&to=2026-04-24').expect(200);
  });
});
