import { freshKey } from '../support/factories.js';
import { statementsOf } from '../support/statements.js';
import { InventoryScene, RECEIPT } from './inventory.scene.js';

let scene: InventoryScene;

beforeAll(async () => {
  scene = await InventoryScene.open();
});

afterAll(() => scene.close());

describe('the level of a variant', () => {
  it('tells what is on hand, reserved and available', async () => {
    const variantId = await scene.variant(10);
    await scene.larder.sql.query('UPDATE stock_levels SET reserved = 3 WHERE variant_id = $1', [variantId]);
    const { status, body } = await scene.level(variantId);
    expect([status, body]).toEqual([200, { variantId, onHand: 10, reserved: 3, available: 7 }]);
  });
});

describe('an adjustment', () => {
  it('changes the level and leaves a movement with who, why and when', async () => {
    const variantId = await scene.variant(0);
    const steps = [
      { delta: 20, reason: 'RECEIPT', note: 'From the mill — “fresh”' },
      { delta: -2, reason: 'DAMAGE' },
      { delta: 1, reason: 'RETURN', note: null },
      { delta: -4, reason: 'CORRECTION' },
      { delta: 3, reason: 'CORRECTION' },
    ];
    let onHand = 0;
    for (const step of steps) {
      onHand += step.delta;
      const { status, body } = await scene.adjust(variantId, step);
      expect([status, body]).toEqual([201, { variantId, onHand, reserved: 0, available: onHand }]);
    }
    const { body } = await scene.movements(variantId);
    expect(body).toEqual({
      items: steps
        .map(({ delta, reason, note = null }) => ({
          id: expect.any(String),
          delta,
          reason,
          note,
          orderId: null,
          actorId: scene.users.manager.id,
          createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        }))
        .reverse(),
      nextCursor: null,
    });
  });

  it('may leave exactly what is reserved, not one piece less, and then changes nothing', async () => {
    const variantId = await scene.variant(10);
    await scene.larder.sql.query('UPDATE stock_levels SET reserved = 4 WHERE variant_id = $1', [variantId]);
    for (const key of [undefined, freshKey()]) {
      const { status, body } = await scene.adjust(variantId, { delta: -7, reason: 'DAMAGE' }, { key });
      expect([status, body.code]).toEqual([409, 'STOCK_BELOW_RESERVED']);
      expect(body.details).toEqual([{ variantId, onHand: 10, reserved: 4, available: 6, delta: -7 }]);
    }
    expect((await scene.movements(variantId)).body.items).toHaveLength(1);
    expect((await scene.adjust(variantId, { delta: -6, reason: 'DAMAGE' })).body).toMatchObject({
      onHand: 4,
      available: 0,
    });
  });

  it('below zero is refused', async () => {
    const variantId = await scene.variant(1);
    const { status, body } = await scene.adjust(variantId, { delta: -2, reason: 'CORRECTION' });
    expect([status, body.code]).toEqual([409, 'STOCK_BELOW_RESERVED']);
  });

  it('beyond what the database counts to is refused', async () => {
    const variantId = await scene.variant(2_147_000_000);
    for (const key of [undefined, freshKey()]) {
      const { status, body } = await scene.adjust(variantId, { delta: 1_000_000, reason: 'RECEIPT' }, { key });
      expect([status, body.code]).toEqual([400, 'VALUE_OUT_OF_RANGE']);
    }
  });

  it('of twenty at once: all add up', async () => {
    const variantId = await scene.variant(100);
    const deltas = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? index + 1 : -index));
    const answers = await Promise.all(
      deltas.map((delta, index) =>
        scene.adjust(variantId, { delta, reason: 'CORRECTION' }, { key: index % 3 ? undefined : freshKey() }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(deltas.map(() => 201));
    const { rows } = await scene.larder.sql.query(
      `SELECT s.on_hand, count(*)::int AS movements, sum(m.delta)::int AS moved
         FROM stock_levels s JOIN stock_movements m USING (store_id, variant_id)
        WHERE s.variant_id = $1 GROUP BY s.on_hand`,
      [variantId],
    );
    const expected = deltas.reduce((sum, delta) => sum + delta, 100);
    expect(rows).toEqual([{ on_hand: expected, movements: 21, moved: expected }]);
  });

  it('of twenty who take from the last ten: exactly ten get one', async () => {
    const variantId = await scene.variant(10);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => scene.adjust(variantId, { delta: -1, reason: 'DAMAGE' })),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(10);
    expect(answers.filter(({ body }) => body.code === 'STOCK_BELOW_RESERVED')).toHaveLength(10);
    expect((await scene.level(variantId)).body.onHand).toBe(0);
  });
});

describe('an adjustment with an Idempotency-Key', () => {
  it('counts once however often it is sent, and says that it was repeated', async () => {
    const variantId = await scene.variant(0);
    const key = freshKey();
    const first = await scene.adjust(variantId, RECEIPT, { key });
    expect([first.status, first.headers['idempotency-replayed']]).toEqual([201, undefined]);
    await scene.adjust(variantId, RECEIPT);
    const again = await scene.adjust(variantId, { reason: 'RECEIPT', delta: 5 }, { key });
    expect([again.status, again.headers['idempotency-replayed']]).toEqual([201, 'true']);
    expect(again.body).toEqual(first.body);
    expect((await scene.level(variantId)).body.onHand).toBe(10);
  });

  it('sent thirty times at once counts once', async () => {
    const variantId = await scene.variant(0);
    const key = freshKey();
    const answers = await Promise.all(Array.from({ length: 30 }, () => scene.adjust(variantId, RECEIPT, { key })));
    const done = answers.filter(({ status }) => status === 201);
    expect(done.length).toBeGreaterThan(0);
    for (const { status, body } of answers) {
      if (status === 201) expect(body).toEqual(done[0]!.body);
      else expect([status, body.code]).toEqual([409, 'IDEMPOTENCY_IN_PROGRESS']);
    }
    expect((await scene.level(variantId)).body.onHand).toBe(5);
  });

  it('keeps a refusal, and refuses the key for something else', async () => {
    const variantId = await scene.variant(0);
    const key = freshKey();
    const take = { delta: -1, reason: 'DAMAGE' };
    expect((await scene.adjust(variantId, take, { key })).status).toBe(409);
    await scene.adjust(variantId, RECEIPT);
    const again = await scene.adjust(variantId, take, { key });
    expect([again.status, again.body.code, again.headers['idempotency-replayed']]).toEqual([
      409,
      'STOCK_BELOW_RESERVED',
      'true',
    ]);
    const otherBody = await scene.adjust(variantId, { ...take, delta: -2 }, { key });
    expect([otherBody.status, otherBody.body.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    const otherVariant = await scene.variant();
    const otherPath = await scene.adjust(otherVariant, take, { key });
    expect([otherPath.status, otherPath.body.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    expect((await scene.level(variantId)).body.onHand).toBe(5);
  });

  it('of a wrong form is refused', async () => {
    const variantId = await scene.variant(0);
    for (const key of ['short', 'x'.repeat(256), 'with spaces in it, long enough']) {
      const { status, body } = await scene.adjust(variantId, RECEIPT, { key });
      expect([status, body.code]).toEqual([400, 'IDEMPOTENCY_KEY_REQUIRED']);
    }
    expect((await scene.level(variantId)).body.onHand).toBe(0);
  });
});

describe('lists', () => {
  it('of movements come newest first, in pages that neither repeat nor miss one', async () => {
    const variantId = await scene.variant(1);
    for (let delta = 2; delta <= 8; delta += 1) await scene.adjust(variantId, { delta, reason: 'RECEIPT' });
    const seen: number[] = [];
    let cursor: string | null = null;
    do {
      const { status, body } = await scene.movements(variantId, `?limit=3${cursor ? `&cursor=${cursor}` : ''}`);
      expect(status).toBe(200);
      seen.push(...body.items.map((item: { delta: number }) => item.delta));
      cursor = body.nextCursor;
    } while (cursor);
    expect(seen).toEqual([8, 7, 6, 5, 4, 3, 2, 1]);
  });

  it('of movements are empty for what never moved', async () => {
    const variantId = await scene.variant(0);
    expect((await scene.movements(variantId)).body).toEqual({ items: [], nextCursor: null });
  });

  it('of stock show every variant of the catalog once, newest first, or the one with a SKU', async () => {
    const variantId = await scene.variant(7);
    const archived = await scene.variant();
    await scene.larder.sql.query('UPDATE variants SET archived_at = now() WHERE id = $1', [archived]);
    const one = await scene.list(`?sku=SKU-${variantId}`);
    const item = {
      variantId,
      onHand: 7,
      reserved: 0,
      available: 7,
      sku: `SKU-${variantId}`,
      productId: expect.any(String),
    };
    expect(one.body).toEqual({ items: [item], nextCursor: null });
    expect((await scene.list('?sku=nothing')).body).toEqual({ items: [], nextCursor: null });
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const { body } = await scene.list(`?limit=5${cursor ? `&cursor=${cursor}` : ''}`);
      seen.push(...body.items.map((stock: { variantId: string }) => stock.variantId));
      cursor = body.nextCursor;
    } while (cursor);
    expect(seen).toEqual([...new Set(seen)].sort().reverse());
    expect(seen).toContain(variantId);
    expect(seen).not.toContain(archived);
  });

  it('and details are one statement, however many rows', async () => {
    const variantId = await scene.variant(0);
    for (let index = 0; index < 30; index += 1) await scene.adjust(variantId, RECEIPT);
    const requests = [
      () => scene.movements(variantId, '?limit=1'),
      () => scene.movements(variantId, '?limit=100'),
      () => scene.list('?limit=1'),
      () => scene.list('?limit=100'),
      () => scene.level(variantId),
      () => scene.adjust(variantId, RECEIPT),
    ];
    for (const request of requests) {
      await request();
      expect(await statementsOf(request)).toBe(1);
    }
  });
});
