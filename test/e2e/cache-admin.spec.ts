import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApp, type TestApp } from '../support/app.js';
import { ADDRESS, freshKey } from '../support/factories.js';
import { sumOfMetric } from '../support/metrics.js';
import { openScene, type Scene } from '../support/scene.js';

let larder: TestApp;
let scene: Scene;
let neighbour: Scene;

beforeAll(async () => {
  larder = await startApp();
  [scene, neighbour] = [await openScene(larder, 'demo'), await openScene(larder, 'neighbour')];
});
afterAll(() => larder.close());

const productsOf = async ({ store }: Scene): Promise<{ name: string }[]> =>
  (await larder.http.get('/api/products?limit=100').set('x-store', store.slug).expect(200)).body.items;
const stats = async ({ everyone }: Scene) =>
  (await larder.http.get('/api/admin/cache/stats').set('authorization', everyone.bearer).expect(200)).body;
const invalidate = (category: unknown, bearer: string) =>
  larder.http.post('/api/admin/cache/invalidate').set('authorization', bearer).send({ category });

describe('An administrator', () => {
  it('sees what is cached, of his own store only, and where answers come from', async () => {
    for (const one of [scene, neighbour, scene, scene]) await productsOf(one);
    const before = await stats(scene);
    await productsOf(scene);
    const after = await stats(scene);
    const readsOf = ({ categories }: typeof after) =>
      categories.find(({ category }: { category: string }) => category === 'catalog').reads;
    expect(readsOf(after)).toEqual({ ...readsOf(before), memory: readsOf(before).memory + 1 });
    // Dashboards may be among them, which were warmed at the start; nobody has read them yet.
    const own = `larder:{${scene.store.id}}:`;
    expect(after.topKeys[0]).toMatchObject({ key: expect.stringContaining(`${own}catalog`), hits: 3 });
    for (const { key } of after.topKeys) expect(key.startsWith(own)).toBe(true);
    expect(after).toMatchObject({
      redis: 'none',
      hitRates: { all: expect.any(Number) },
      dedupRatio: expect.any(Number),
    });
    expect(await sumOfMetric(larder, 'larder_cache_reads_total', 'source="memory"')).toBeGreaterThanOrEqual(1);
    expect(await sumOfMetric(larder, 'larder_cache_memory_entries')).toBeGreaterThanOrEqual(2);
  });

  it('has a category of his store read anew, and leaves other categories and stores as they are', async () => {
    await Promise.all([productsOf(scene), productsOf(neighbour)]);
    // Behind the cache's back, as nobody but this test does it.
    await larder.sql.query(`UPDATE products SET name = 'renamed'`);
    await invalidate('slots', scene.everyone.bearer).expect(204);
    expect((await productsOf(scene))[0]?.name).not.toBe('renamed');
    await invalidate('catalog', scene.everyone.bearer).expect(204);
    expect((await productsOf(scene))[0]?.name).toBe('renamed');
    expect((await productsOf(neighbour))[0]?.name).not.toBe('renamed');
  });

  it.each(['weather', '', 'orders:past', null, ['orders'], undefined])('can not invalidate %j', async (category) => {
    const { body } = await invalidate(category, scene.everyone.bearer).expect(400);
    expect(body.code).toBe('VALIDATION_FAILED');
  });

  it.each(['customer', 'agent', 'manager'] as const)('is not a %s', async (who) => {
    await larder.http.get('/api/admin/cache/stats').set('authorization', scene[who].bearer).expect(403);
    await invalidate('orders', scene[who].bearer).expect(403);
  });
});

interface Listed {
  id: string;
  name: string;
  variants: { id: string; price: { amount: number }; available: number }[];
}

describe('Who changes something', () => {
  it('sees it at once in the list of products: a name, a price, the stock, an order', async () => {
    const { product, variant } = scene.ids;
    const manager = (method: 'patch' | 'post', path: string, body: object) =>
      larder.http[method](path).set('authorization', scene.everyone.bearer).send(body);
    const listed = async () => {
      const found = (await productsOf(scene)) as unknown as Listed[];
      const { name, variants } = found.find(({ id }) => id === product)!;
      const { price, available } = variants.find(({ id }) => id === variant)!;
      return { name, amount: price.amount, available };
    };
    const { available } = await listed();
    await manager('patch', `/api/products/${product}`, { name: 'Rye' }).expect(200);
    expect(await listed()).toMatchObject({ name: 'Rye' });
    await manager('patch', `/api/products/${product}/variants/${variant}`, {
      price: { amount: 777, currency: 'USD' },
    }).expect(200);
    expect(await listed()).toMatchObject({ amount: 777 });
    await manager('post', `/api/inventory/${variant}/adjustments`, { delta: 5, reason: 'RECEIPT' }).expect(201);
    expect(await listed()).toMatchObject({ available: available + 5 });
    const lines = [{ variantId: variant, quantity: 2 }];
    const order = await larder.http
      .post('/api/orders')
      .set('authorization', scene.customer.bearer)
      .set('idempotency-key', freshKey())
      .send({ lines, paymentMethod: 'COD', deliveryAddress: ADDRESS });
    expect(order.status).toBe(201);
    expect(await listed()).toMatchObject({ available: available + 3 });
    await manager('patch', `/api/orders/${order.body.id}`, { status: 'CANCELLED' }).expect(200);
    expect(await listed()).toMatchObject({ available: available + 5 });
  });
});
