import { newId } from '../../src/common/ids.js';
import { runInContext } from '../../src/common/request-context.js';
import { InventoryService } from '../../src/modules/inventory/inventory.service.js';
import { Database } from '../../src/platform/prisma/database.js';
import { ADDRESS } from '../support/factories.js';
import { InventoryScene } from './inventory.scene.js';

let scene: InventoryScene;

beforeAll(async () => {
  scene = await InventoryScene.open();
});

afterAll(() => scene.close());

describe("an order's stock", () => {
  /** An order with these lines, its stock reserved, as placing leaves it. */
  async function placed(lines: [variantId: string, quantity: number][], by = scene.store): Promise<string> {
    const id = newId();
    const owner = by === scene.store ? scene.users.customer : await scene.factory.user(by);
    await scene.larder.sql.query(
      `INSERT INTO orders (store_id, id, number, customer_id, status, payment_method, currency, subtotal, total,
                           delivery_address, delivery_zip, delivery_code, promised_at)
       VALUES ($1, $2, $3, $4, 'CONFIRMED', 'COD', 'USD', 0, 0, $5, '10001', '123456', now())`,
      [by.id, id, id.slice(-8), owner.id, JSON.stringify(ADDRESS)],
    );
    for (const [index, [variantId, quantity]] of lines.entries()) {
      await scene.larder.sql.query(
        `INSERT INTO order_lines (store_id, order_id, line_no, variant_id, sku, name, quantity, unit_price, total)
         VALUES ($1, $2, $3, $4, 'sku', 'name', $5, 0, 0)`,
        [by.id, id, index + 1, variantId, quantity],
      );
      await scene.larder.sql.query('UPDATE stock_levels SET reserved = reserved + $2 WHERE variant_id = $1', [
        variantId,
        quantity,
      ]);
    }
    return id;
  }

  type Step = 'releaseStock' | 'shipStock' | 'restock';

  function step(name: Step, orderId: string, by = scene.store): Promise<void> {
    const inventory = scene.larder.app.get(InventoryService);
    return runInContext({ requestId: 'test', storeId: by.id }, () =>
      scene.larder.app.get(Database).transaction((tx) => inventory[name](tx, orderId, scene.users.manager.id)),
    );
  }

  const levelOf = async (variantId: string) => {
    const { onHand, reserved } = (await scene.level(variantId)).body as { onHand: number; reserved: number };
    return [onHand, reserved];
  };

  it('is released, lines of the same variant added up', async () => {
    const [a, b] = [await scene.variant(10), await scene.variant(10)];
    await placed([[a, 1]]);
    const orderId = await placed([
      [a, 2],
      [b, 4],
      [a, 3],
    ]);
    expect([await levelOf(a), await levelOf(b)]).toEqual([
      [10, 6],
      [10, 4],
    ]);
    await step('releaseStock', orderId);
    expect([await levelOf(a), await levelOf(b)]).toEqual([
      [10, 1],
      [10, 0],
    ]);
    expect((await scene.movements(a)).body.items).toHaveLength(1);
  });

  it('leaves the shelf and comes back, with a movement for each variant', async () => {
    const [a, b] = [await scene.variant(10), await scene.variant(10)];
    const orderId = await placed([
      [a, 2],
      [b, 4],
      [a, 3],
    ]);
    await step('shipStock', orderId);
    expect([await levelOf(a), await levelOf(b)]).toEqual([
      [5, 0],
      [6, 0],
    ]);
    await step('restock', orderId);
    expect([await levelOf(a), await levelOf(b)]).toEqual([
      [10, 0],
      [10, 0],
    ]);
    const { body } = await scene.movements(a);
    expect(body.items).toMatchObject([
      { delta: 5, reason: 'RETURN', orderId, actorId: scene.users.manager.id },
      { delta: -5, reason: 'SALE', orderId, actorId: null },
      { delta: 10, reason: 'RECEIPT', orderId: null },
    ]);
  });

  it('is only moved in its own store', async () => {
    const foreign = await scene.factory.variant(scene.other, { onHand: 5 });
    const orderId = await placed([[foreign, 2]], scene.other);
    for (const name of ['releaseStock', 'shipStock', 'restock'] as const) await step(name, orderId);
    const { rows } = await scene.larder.sql.query('SELECT on_hand, reserved FROM stock_levels WHERE variant_id = $1', [
      foreign,
    ]);
    expect(rows).toEqual([{ on_hand: 5, reserved: 2 }]);
  });

  it('of orders with the same lines in opposite order never deadlocks', async () => {
    const variants = await Promise.all(Array.from({ length: 8 }, () => scene.variant(1000)));
    const deadlocks = async () =>
      (await scene.larder.sql.query('SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()'))
        .rows[0].deadlocks;
    const before = await deadlocks();
    for (let round = 0; round < 10; round += 1) {
      const orders = await Promise.all(
        Array.from({ length: 8 }, (_, index) => {
          const lines = variants.map((variantId): [string, number] => [variantId, 1 + (index % 3)]);
          return placed(index % 2 ? lines.reverse() : lines);
        }),
      );
      await Promise.all(orders.map((orderId, index) => step(index % 2 ? 'shipStock' : 'releaseStock', orderId)));
    }
    // Four of eight orders a round were shipped: 2 + 1 + 3 + 2 pieces of each variant.
    for (const variantId of variants) expect(await levelOf(variantId)).toEqual([1000 - 10 * 8, 0]);
    expect(await deadlocks()).toBe(before);
  });
});
