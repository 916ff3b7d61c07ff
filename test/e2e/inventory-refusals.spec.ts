import { newId } from '../../src/common/ids.js';
import { encodeCursor } from '../../src/common/pagination.js';
import { freshKey, type TestUser } from '../support/factories.js';
import { InventoryScene, RECEIPT } from './inventory.scene.js';

let scene: InventoryScene;

beforeAll(async () => {
  scene = await InventoryScene.open();
});

afterAll(() => scene.close());

describe('bad input', () => {
  it.each<[string, object]>([
    ['no delta', { delta: undefined }],
    ['a delta of zero', { delta: 0 }],
    ['a fractional delta', { delta: 1.5 }],
    ['a delta of text', { delta: '5' }],
    ['a delta that is null', { delta: null }],
    ['a huge delta', { delta: 1_000_001 }],
    ['a delta beyond all numbers', { delta: 1e300 }],
    ['a receipt that takes', { delta: -5 }],
    ['a return that takes', { delta: -5, reason: 'RETURN' }],
    ['a damage that brings', { delta: 5, reason: 'DAMAGE' }],
    ['a sale, which only orders make', { reason: 'SALE', delta: -1 }],
    ['an unknown reason', { reason: 'GIFT' }],
    ['a reason of a prototype', { reason: 'toString' }],
    ['a list of reasons', { reason: ['RECEIPT'] }],
    ['no reason', { reason: undefined }],
    ['a long note', { note: 'x'.repeat(501) }],
    ['a note that is a number', { note: 5 }],
    ['a note with U+0000', { note: 'a\0b' }],
    ['an unknown field', { actorId: '0199c5a2-0000-7000-8000-000000000000' }],
  ])('%s is refused, and nothing changes', async (_what, changes) => {
    const variantId = await scene.variant(10);
    const { status, body } = await scene.adjust(variantId, { ...RECEIPT, ...changes });
    expect([status, body.code]).toEqual([400, 'VALIDATION_FAILED']);
    expect(body.details[0]).toEqual({ field: expect.any(String), message: expect.any(String) });
    expect((await scene.level(variantId)).body.onHand).toBe(10);
  });

  it('in the query of a list is refused', async () => {
    const variantId = await scene.variant();
    for (const query of ['?limit=0', '?limit=101', '?sort=x', '?sku=a']) {
      expect((await scene.movements(variantId, query)).body).toMatchObject({
        statusCode: 400,
        code: 'VALIDATION_FAILED',
      });
    }
    for (const query of ['?limit=0', '?sku=%00', `?sku=${'x'.repeat(65)}`, '?sku=a&sku=b']) {
      expect((await scene.list(query)).body).toMatchObject({ statusCode: 400, code: 'VALIDATION_FAILED' });
    }
    for (const cursor of [
      'x',
      encodeCursor('entries', '1'),
      encodeCursor('movements', newId()),
      encodeCursor('movements', '1'.repeat(19)),
    ]) {
      expect((await scene.movements(variantId, `?cursor=${cursor}`)).body).toMatchObject({
        statusCode: 400,
        code: 'INVALID_CURSOR',
      });
    }
    const foreignCursor = encodeCursor('products', newId());
    expect((await scene.list(`?cursor=${foreignCursor}`)).body).toMatchObject({
      statusCode: 400,
      code: 'INVALID_CURSOR',
    });
  });
});

describe('who may do it', () => {
  it('staff read, managers and admins adjust', async () => {
    const variantId = await scene.variant();
    const admin = await scene.factory.user(scene.store, 'ADMIN');
    for (const path of ['', `/${variantId}`, `/${variantId}/movements`]) {
      const get = (user?: TestUser) => {
        const request = scene.larder.http.get(`/api/inventory${path}`);
        return user ? request.set('authorization', user.bearer) : request;
      };
      expect((await get()).status).toBe(401);
      for (const user of [scene.users.customer, scene.users.agent]) expect((await get(user)).status).toBe(403);
      for (const user of [scene.users.support, scene.users.manager, admin]) expect((await get(user)).status).toBe(200);
    }
    expect((await scene.larder.http.post(`/api/inventory/${variantId}/adjustments`).send(RECEIPT)).status).toBe(401);
    for (const user of [scene.users.customer, scene.users.agent, scene.users.support])
      expect((await scene.adjust(variantId, RECEIPT, { user })).status).toBe(403);
    for (const user of [scene.users.manager, admin])
      expect((await scene.adjust(variantId, RECEIPT, { user })).status).toBe(201);
  });

  it("another store's variants are as unknown as those that never were", async () => {
    const foreign = await scene.factory.variant(scene.other, { onHand: 5 });
    for (const id of [foreign, newId(), 'no-id', '1']) {
      const answers = [
        await scene.level(id),
        await scene.movements(id),
        await scene.adjust(id, RECEIPT),
        await scene.adjust(id, RECEIPT, { key: freshKey() }),
      ];
      for (const { status, body } of answers) expect([status, body.code]).toEqual([404, 'NOT_FOUND']);
    }
    expect((await scene.list(`?sku=SKU-${foreign}`)).body.items).toEqual([]);
    const { rows } = await scene.larder.sql.query('SELECT on_hand FROM stock_levels WHERE variant_id = $1', [foreign]);
    expect(rows).toEqual([{ on_hand: 5 }]);
  });
});
