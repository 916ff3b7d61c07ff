import { newId } from '../../src/common/ids.js';
import { encodeCursor } from '../../src/common/pagination.js';
import { CatalogScene, type Method, USD } from './catalog.scene.js';

let scene: CatalogScene;

beforeAll(async () => {
  scene = await CatalogScene.open();
});

afterAll(() => scene.close());

describe('conflicts', () => {
  it('a slug or SKU that is taken is told by its name', async () => {
    const taken = await scene.create();
    const post = (changes: object) =>
      scene.as(scene.users.MANAGER, 'post', '/api/products').send(scene.newProduct(changes));
    const own = await scene.create();
    const sku = taken.variants[0].sku;
    const variant = { sku, price: USD(1) };
    const category = await scene.createCategory('twice');
    const spare = await scene.createCategory('spare');
    const answers = {
      slug: [
        await post({ slug: taken.slug }),
        await scene.as(scene.users.MANAGER, 'patch', `/api/products/${own.id}`).send({ slug: taken.slug }),
        await scene.as(scene.users.MANAGER, 'post', '/api/categories').send({ slug: category.slug, name: 'Again' }),
        await scene.as(scene.users.MANAGER, 'patch', `/api/categories/${spare.id}`).send({ slug: category.slug }),
      ],
      sku: [
        await post({ variants: [variant] }),
        await scene.as(scene.users.MANAGER, 'post', `/api/products/${own.id}/variants`).send(variant),
      ],
    };
    for (const [field, responses] of Object.entries(answers)) {
      for (const { status, body } of responses) {
        expect([status, body.code, body.details]).toEqual([409, 'CONFLICT', [{ field }]]);
      }
    }
  });

  it('a product that is refused leaves nothing behind', async () => {
    const taken = await scene.create();
    const count = () =>
      scene.larder.sql.query('SELECT (SELECT count(*) FROM products) AS p, (SELECT count(*) FROM variants) AS v');
    const { rows: before } = await count();
    const variants = [
      { sku: 'FRESH-1', price: USD(1) },
      { sku: taken.variants[0].sku, price: USD(1) },
    ];
    await scene.as(scene.users.MANAGER, 'post', '/api/products').send(scene.newProduct({ variants })).expect(409);
    expect((await count()).rows).toEqual(before);
  });

  it('of twenty who want the same slug at once, one gets it', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        scene.as(scene.users.MANAGER, 'post', '/api/products').send(scene.newProduct({ slug: 'wanted-by-all' })),
      ),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([201, ...Array.from({ length: 19 }, () => 409)]);
  });

  it('money of another currency and categories that do not exist here are refused', async () => {
    const foreign = await scene.createCategory('foreign', scene.users.foreignManager);
    const { id, variants } = await scene.create();
    const euro = { amount: 1, currency: 'EUR' };
    const send = (method: Method, path: string, body: object) => scene.as(scene.users.MANAGER, method, path).send(body);
    const mismatches = [
      await send('post', '/api/products', scene.newProduct({ variants: [{ sku: 'EUR-1', price: euro }] })),
      await send('post', `/api/products/${id}/variants`, { sku: 'EUR-1', price: euro }),
      await send('patch', `/api/products/${id}/variants/${variants[0].id}`, { price: euro }),
    ];
    for (const { status, body } of mismatches) expect([status, body.code]).toEqual([400, 'CURRENCY_MISMATCH']);
    for (const categoryId of [foreign.id, newId()]) {
      const created = await send('post', '/api/products', scene.newProduct({ categoryId }));
      const changed = await send('patch', `/api/products/${id}`, { categoryId });
      for (const { status, body } of [created, changed])
        expect([status, body.code]).toEqual([400, 'INVALID_REFERENCE']);
    }
  });
});

describe('bad input', () => {
  const variant = { sku: 'BAD-1', price: { amount: 1, currency: 'USD' } };

  it.each<[string, object]>([
    ['no name', { name: undefined }],
    ['a blank name', { name: '   ' }],
    ['a long name', { name: 'x'.repeat(201) }],
    ['a name that is null', { name: null }],
    ['a name that is a number', { name: 5 }],
    ['a name with U+0000', { name: 'a\0b' }],
    ['a description with U+0000', { description: 'a\0b' }],
    ['a description that is null', { description: null }],
    ['a slug with capitals', { slug: 'Bread' }],
    ['a slug with a space', { slug: 'my bread' }],
    ['a long slug', { slug: 'x'.repeat(101) }],
    ['a category that is no id', { categoryId: 'bakery' }],
    ['published as text', { published: 'true' }],
    ['no published', { published: undefined }],
    ['images that are no list', { imageUrls: 'https://a.test' }],
    ['an image by javascript', { imageUrls: ['javascript:alert(1)'] }],
    ['an image by ftp', { imageUrls: ['ftp://a.test/x'] }],
    ['an image with U+0000', { imageUrls: ['https://a.test/\0'] }],
    ['an image without protocol', { imageUrls: ['a.test/x.jpg'] }],
    ['21 images', { imageUrls: Array.from({ length: 21 }, () => 'https://a.test/x') }],
    ['no variants', { variants: [] }],
    ['variants that are null', { variants: null }],
    ['variants that are an object', { variants: { 0: variant } }],
    ['a variant that is null', { variants: [null] }],
    ['a variant that is a list', { variants: [[]] }],
    ['a variant that is a text', { variants: ['BAD-1'] }],
    ['101 variants', { variants: Array.from({ length: 101 }, (_, n) => ({ ...variant, sku: `BAD-${n}` })) }],
    ['the same SKU twice', { variants: [variant, { ...variant, name: 'again' }] }],
    ['an empty SKU', { variants: [{ ...variant, sku: ' ' }] }],
    ['a long SKU', { variants: [{ ...variant, sku: 'x'.repeat(65) }] }],
    ['no price', { variants: [{ sku: 'BAD-1' }] }],
    ['a price that is null', { variants: [{ ...variant, price: null }] }],
    ['a price that is a number', { variants: [{ ...variant, price: 5 }] }],
    ['a price that is a list', { variants: [{ ...variant, price: [] }] }],
    ['a negative price', { variants: [{ ...variant, price: USD(-1) }] }],
    ['a fractional price', { variants: [{ ...variant, price: USD(1.5) }] }],
    ['a huge price', { variants: [{ ...variant, price: USD(1e300) }] }],
    ['a price of text', { variants: [{ ...variant, price: USD('5') }] }],
    ['a currency in small letters', { variants: [{ ...variant, price: { amount: 1, currency: 'usd' } }] }],
    ['an unknown field', { color: 'red' }],
    ['an unknown field of a variant', { variants: [{ ...variant, available: 5 }] }],
    ['another store', { storeId: '0199c5a2-0000-7000-8000-000000000000' }],
  ])('%s is refused with what is wrong', async (_what, changes) => {
    const response = await scene.as(scene.users.MANAGER, 'post', '/api/products').send(scene.newProduct(changes));
    expect([response.status, response.body.code]).toEqual([400, 'VALIDATION_FAILED']);
    expect(response.body.details[0]).toEqual({ field: expect.any(String), message: expect.any(String) });
    const { id } = await scene.create();
    const [field, value] = Object.entries(changes)[0]!;
    if (value === undefined || field === 'variants') return;
    const patched = await scene.as(scene.users.MANAGER, 'patch', `/api/products/${id}`).send({ [field]: value });
    expect([patched.status, patched.body.code]).toEqual([400, 'VALIDATION_FAILED']);
  });

  it.each([
    'limit=0',
    'limit=101',
    'limit=1.5',
    'limit=x',
    'limit=1&limit=2',
    `search=${'x'.repeat(201)}`,
    'search=a&search=b',
    'search=%00',
    'category=Not%20a%20slug',
    'category=a&category=b',
    'cursor=%00',
    'sort=price',
  ])('a list with %s is refused', async (query) => {
    const { status, body } = await scene.larder.http.get(`/api/products?${query}`);
    expect([status, ['VALIDATION_FAILED', 'INVALID_CURSOR'].includes(body.code)]).toEqual([400, true]);
  });

  it('a cursor of another list is refused', async () => {
    const cursors = [
      encodeCursor('categories', newId()),
      encodeCursor('products', 'x'),
      encodeCursor('products', '1 OR 1=1'),
      'zzz',
    ];
    for (const cursor of cursors) {
      const { status, body } = await scene.larder.http.get(`/api/products?cursor=${cursor}`);
      expect([status, body.code]).toEqual([400, 'INVALID_CURSOR']);
    }
    const { status, body } = await scene.larder.http.get(`/api/categories?cursor=${encodeCursor('products', newId())}`);
    expect([status, body.code]).toEqual([400, 'INVALID_CURSOR']);
  });

  it('a category needs slug and name', async () => {
    const { id } = await scene.createCategory('strict');
    for (const body of [
      { slug: 'A B' },
      { name: '' },
      { name: null },
      { slug: null },
      { name: 'a\0' },
      { id: newId() },
      { name: 7 },
    ]) {
      const posted = await scene
        .as(scene.users.MANAGER, 'post', '/api/categories')
        .send({ slug: 'ok', name: 'ok', ...body });
      const patched = await scene.as(scene.users.MANAGER, 'patch', `/api/categories/${id}`).send(body);
      for (const response of [posted, patched]) {
        expect([response.status, response.body.code]).toEqual([400, 'VALIDATION_FAILED']);
      }
    }
  });
});

describe('who may do it', () => {
  const writes: [Method, string, object][] = [
    ['post', '/api/products', {}],
    ['patch', '/api/products/:id', {}],
    ['delete', '/api/products/:id', {}],
    ['post', '/api/products/:id/variants', {}],
    ['patch', '/api/products/:id/variants/:variantId', {}],
    ['delete', '/api/products/:id/variants/:variantId', {}],
    ['post', '/api/categories', {}],
    ['patch', '/api/categories/:categoryId', {}],
    ['delete', '/api/categories/:categoryId', {}],
  ];

  it('managers and admins write, nobody else', async () => {
    const ids = { ':id': newId(), ':variantId': newId(), ':categoryId': newId() };
    for (const [method, template, body] of writes) {
      const path = Object.entries(ids).reduce((text, [name, id]) => text.replace(name, id), template);
      expect((await scene.as(undefined, method, path).send(body)).status).toBe(401);
      for (const role of ['CUSTOMER', 'AGENT', 'SUPPORT'] as const) {
        expect((await scene.as(scene.users[role], method, path).send(body)).status).toBe(403);
      }
    }
  });

  it("another store's ids are as unknown as those that never were", async () => {
    const category = await scene.createCategory('theirs', scene.users.foreignManager);
    const product = await scene.create({}, scene.users.foreignManager);
    const answersFor = async (ids: Record<string, string>) => {
      const answers: unknown[] = [];
      for (const [method, template] of [...writes, ['get', '/api/products/:id'] as const]) {
        if (!template.includes(':')) continue;
        const path = Object.entries(ids).reduce((text, [name, id]) => text.replace(name, id), template);
        const body = template.endsWith('/variants')
          ? { sku: 'X-1', price: USD(1) }
          : method === 'patch'
            ? { name: 'x' }
            : undefined;
        const {
          status,
          body: { code, message },
        } = await scene.as(scene.users.MANAGER, method, path).send(body);
        answers.push([method, template, status, code, message]);
      }
      return answers;
    };
    const foreign = await answersFor({
      ':id': product.id,
      ':variantId': product.variants[0].id,
      ':categoryId': category.id,
    });
    expect(foreign).toEqual(await answersFor({ ':id': newId(), ':variantId': newId(), ':categoryId': newId() }));
    expect(foreign).toEqual(await answersFor({ ':id': 'no-id', ':variantId': '1', ':categoryId': '%00' }));
    for (const answer of foreign) expect(answer).toEqual(expect.arrayContaining([404, 'NOT_FOUND']));
    expect(await scene.walk('/api/products?', 100)).not.toContain(product.id);
    expect(await scene.walk('/api/categories?', 100)).not.toContain(category.id);
    expect(await scene.namesIn('/api/products?category=theirs')).toEqual([]);
    const there = await scene.larder.http.get(`/api/products/${product.id}`).set('x-store', 'other');
    expect(there.body).toEqual(product);
  });

  it('the same slugs and SKUs may be in every store', async () => {
    const here = await scene.create();
    await scene.create(
      { slug: here.slug, variants: [{ sku: here.variants[0].sku, price: USD(1) }] },
      scene.users.foreignManager,
    );
  });
});
