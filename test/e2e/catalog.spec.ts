import { newId } from '../../src/common/ids.js';
import { statementsOf } from '../support/statements.js';
import { CatalogScene, USD } from './catalog.scene.js';

let scene: CatalogScene;

beforeAll(async () => {
  scene = await CatalogScene.open();
});

afterAll(() => scene.close());

describe('products', () => {
  it('are made with their variants and an empty stock, and read back by everybody', async () => {
    const category = await scene.createCategory('bakery');
    const body = scene.newProduct({
      description: 'Baked at five.\nStill warm — "really".',
      categoryId: category.id,
      imageUrls: ['https://img.larder.test/bread.jpg'],
      variants: [
        { sku: 'BREAD-L', name: 'large', price: USD(500) },
        { sku: 'BREAD-S', price: USD(0) },
      ],
    });
    const created = await scene.as(scene.users.MANAGER, 'post', '/api/products').send(body);
    expect(created.status).toBe(201);
    expect(created.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(created.body).toEqual({
      id: expect.any(String),
      slug: body.slug,
      name: body.name,
      description: body.description,
      category: { id: category.id, slug: category.slug, name: category.name },
      imageUrls: body.imageUrls,
      published: true,
      variants: [
        { id: expect.any(String), sku: 'BREAD-L', name: 'large', price: USD(500), available: 0 },
        { id: expect.any(String), sku: 'BREAD-S', name: '', price: USD(0), available: 0 },
      ],
    });
    const read = await scene.larder.http.get(`/api/products/${created.body.id}`);
    expect(read.status).toBe(200);
    expect(read.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(read.body).toEqual(created.body);
    const list = await scene.larder.http.get('/api/products?category=bakery');
    expect(list.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(list.body).toEqual({ items: [created.body], nextCursor: null });
  });

  it('are listed newest first, in pages that neither repeat nor miss one', async () => {
    const made: string[] = [];
    for (let index = 0; index < 7; index += 1) made.unshift((await scene.create()).id);
    const walked = await scene.walk('/api/products?', 3);
    expect(walked.slice(0, 7)).toEqual(made.sort().reverse());
    expect(new Set(walked).size).toBe(walked.length);
    const { rows } = await scene.larder.sql.query(
      'SELECT count(*)::int AS n FROM products WHERE store_id = $1 AND published AND archived_at IS NULL',
      [scene.store.id],
    );
    expect(walked).toHaveLength(rows[0].n);
  });

  it('are seen by customers once they are published, by staff always', async () => {
    const { id, name } = await scene.create({ published: false, name: 'Secret recipe' });
    for (const user of [undefined, scene.users.CUSTOMER, scene.users.AGENT]) {
      expect((await scene.as(user, 'get', `/api/products/${id}`)).status).toBe(404);
      expect(await scene.namesIn('/api/products?limit=100', user)).not.toContain(name);
      expect(await scene.namesIn('/api/products?search=secret', user)).toEqual([]);
    }
    for (const user of [scene.users.SUPPORT, scene.users.MANAGER, scene.users.ADMIN]) {
      expect((await scene.as(user, 'get', `/api/products/${id}`)).status).toBe(200);
      expect(await scene.namesIn('/api/products?limit=100', user)).toContain(name);
      expect(await scene.namesIn('/api/products?search=secret', user)).toEqual([name]);
    }
    expect((await scene.as(scene.users.MANAGER, 'patch', `/api/products/${id}`).send({ published: true })).status).toBe(
      200,
    );
    expect((await scene.larder.http.get(`/api/products/${id}`)).status).toBe(200);
  });

  it('are changed field by field; null takes the category away', async () => {
    const category = await scene.createCategory('changing');
    const before = await scene.create({ categoryId: category.id, description: 'Old' });
    const path = `/api/products/${before.id}`;
    const renamed = await scene.as(scene.users.ADMIN, 'patch', path).send({
      name: 'New name',
      slug: 'new-name',
      imageUrls: ['http://a.test/x'],
    });
    expect(renamed.status).toBe(200);
    expect(renamed.body).toEqual({ ...before, name: 'New name', slug: 'new-name', imageUrls: ['http://a.test/x'] });
    const without = await scene.as(scene.users.ADMIN, 'patch', path).send({ categoryId: null, description: '' });
    expect(without.body).toEqual({ ...renamed.body, category: null, description: '' });
    expect((await scene.as(scene.users.ADMIN, 'patch', path).send({})).body).toEqual(without.body);
  });

  it('that are deleted are gone for everybody, give slug and SKU back, and stay in the database for past orders', async () => {
    const { id, slug, variants } = await scene.create();
    expect((await scene.as(scene.users.MANAGER, 'delete', `/api/products/${id}`)).status).toBe(204);
    for (const method of ['get', 'delete'] as const) {
      expect((await scene.as(scene.users.MANAGER, method, `/api/products/${id}`)).status).toBe(404);
    }
    expect((await scene.as(scene.users.MANAGER, 'patch', `/api/products/${id}`).send({ name: 'x' })).status).toBe(404);
    const { rows } = await scene.larder.sql.query(
      'SELECT count(*)::int AS n FROM variants WHERE product_id = $1 AND archived_at IS NOT NULL',
      [id],
    );
    expect(rows).toEqual([{ n: 1 }]);
    await scene.create({ slug, variants: [{ sku: variants[0].sku, price: USD(1) }] });
  });

  it('show what is available', async () => {
    const { id, variants } = await scene.create();
    await scene.larder.sql.query('UPDATE stock_levels SET on_hand = 9, reserved = 4 WHERE variant_id = $1', [
      variants[0].id,
    ]);
    expect((await scene.larder.http.get(`/api/products/${id}`)).body.variants[0].available).toBe(5);
  });

  it('cost one statement each, lists and details, however many rows', async () => {
    const { id } = await scene.create({
      variants: Array.from({ length: 60 }, (_, index) => ({ sku: `MANY-${index}`, price: USD(index) })),
    });
    await scene.larder.http.get('/api/products?limit=2').expect(200);
    for (const path of ['?limit=1', '?limit=100', '?limit=100&category=bakery', '?search=product', `/${id}`]) {
      expect(await statementsOf(() => scene.larder.http.get(`/api/products${path}`).expect(200))).toBe(1);
    }
    // From the cache, until the catalog or the stock changes.
    expect(await statementsOf(() => scene.larder.http.get('/api/products?limit=100').expect(200))).toBe(0);
    for (const limit of [1, 100]) {
      expect(await statementsOf(() => scene.larder.http.get(`/api/categories?limit=${limit}`).expect(200))).toBe(1);
    }
  });
});

describe('variants', () => {
  it('are added, re-priced and taken away', async () => {
    const product = await scene.create();
    const path = `/api/products/${product.id}/variants`;
    const added = await scene
      .as(scene.users.MANAGER, 'post', path)
      .send({ sku: 'LATE-1', name: 'huge', price: USD(700) });
    expect(added.status).toBe(201);
    expect(added.body).toEqual({ id: expect.any(String), sku: 'LATE-1', name: 'huge', price: USD(700), available: 0 });
    const changed = await scene.as(scene.users.MANAGER, 'patch', `${path}/${added.body.id}`).send({ price: USD(800) });
    expect(changed.status).toBe(200);
    expect(changed.body).toEqual({ ...added.body, price: USD(800) });
    const read = await scene.larder.http.get(`/api/products/${product.id}`);
    expect(read.body.variants).toEqual([...product.variants, changed.body]);
    expect((await scene.as(scene.users.MANAGER, 'delete', `${path}/${added.body.id}`)).status).toBe(204);
    expect((await scene.as(scene.users.MANAGER, 'delete', `${path}/${added.body.id}`)).status).toBe(404);
    expect((await scene.as(scene.users.MANAGER, 'patch', `${path}/${added.body.id}`).send({ name: 'x' })).status).toBe(
      404,
    );
    expect((await scene.larder.http.get(`/api/products/${product.id}`)).body).toEqual(product);
  });

  it('of a product that is being deleted are never left behind alive', async () => {
    for (let round = 0; round < 20; round += 1) {
      const { id } = await scene.create();
      const path = `/api/products/${id}`;
      const price = USD(1);
      const [deleted, ...added] = await Promise.all([
        scene.as(scene.users.MANAGER, 'delete', path),
        ...[1, 2, 3].map((n) =>
          scene.as(scene.users.MANAGER, 'post', `${path}/variants`).send({ sku: `RACE-${round}-${n}`, price }),
        ),
      ]);
      expect(deleted.status).toBe(204);
      for (const { status } of added) expect([201, 404]).toContain(status);
    }
    const { rows } = await scene.larder.sql.query(
      `SELECT count(*)::int AS n FROM variants v JOIN products p ON p.store_id = v.store_id AND p.id = v.product_id
        WHERE p.archived_at IS NOT NULL AND v.archived_at IS NULL`,
    );
    expect(rows).toEqual([{ n: 0 }]);
  });

  it('belong to the product of their path', async () => {
    const [one, two] = [await scene.create(), await scene.create()];
    const path = `/api/products/${one.id}/variants/${two.variants[0].id}`;
    expect((await scene.as(scene.users.MANAGER, 'patch', path).send({ name: 'x' })).status).toBe(404);
    expect((await scene.as(scene.users.MANAGER, 'delete', path)).status).toBe(404);
  });
});

describe('categories', () => {
  it('are made, renamed, listed and removed', async () => {
    const made = await scene.createCategory('dairy');
    expect(made).toEqual({ id: expect.any(String), slug: 'dairy', name: 'The dairy', taxRatePpm: null });
    const renamed = await scene
      .as(scene.users.MANAGER, 'patch', `/api/categories/${made.id}`)
      .send({ name: 'Milk and cheese' });
    expect(renamed.body).toEqual({ ...made, name: 'Milk and cheese' });
    expect((await scene.larder.http.get('/api/categories?limit=1')).body).toEqual({
      items: [renamed.body],
      nextCursor: expect.any(String),
    });
    expect(await scene.walk('/api/categories?', 1)).toEqual(await scene.walk('/api/categories?', 100));
    expect((await scene.as(scene.users.MANAGER, 'delete', `/api/categories/${made.id}`)).status).toBe(204);
    expect((await scene.as(scene.users.MANAGER, 'delete', `/api/categories/${made.id}`)).status).toBe(404);
    expect(
      (await scene.as(scene.users.MANAGER, 'patch', `/api/categories/${made.id}`).send({ name: 'x' })).status,
    ).toBe(404);
  });

  it('in use stay; a deleted product no longer uses one', async () => {
    const category = await scene.createCategory('in-use');
    const { id } = await scene.create({ categoryId: category.id });
    const refused = await scene.as(scene.users.MANAGER, 'delete', `/api/categories/${category.id}`);
    expect([refused.status, refused.body.code]).toEqual([409, 'CATEGORY_IN_USE']);
    await scene.as(scene.users.MANAGER, 'delete', `/api/products/${id}`).expect(204);
    expect((await scene.as(scene.users.MANAGER, 'delete', `/api/categories/${category.id}`)).status).toBe(204);
  });

  it('filter products by slug or id; an unknown one has none', async () => {
    const category = await scene.createCategory('filter');
    const { name } = await scene.create({ categoryId: category.id });
    expect(await scene.namesIn('/api/products?category=filter')).toEqual([name]);
    expect(await scene.namesIn(`/api/products?category=${category.id}`)).toEqual([name]);
    expect(await scene.namesIn('/api/products?category=filter&search=product')).toEqual([name]);
    expect(await scene.namesIn('/api/products?category=unknown')).toEqual([]);
    expect(await scene.namesIn(`/api/products?category=${newId()}`)).toEqual([]);
  });
});
