import { runInContext } from '../../src/common/request-context.js';
import { productsPage } from '../../src/modules/catalog/products.queries.js';
import { CatalogScene, USD } from './catalog.scene.js';

let scene: CatalogScene;

beforeAll(async () => {
  scene = await CatalogScene.open();
});

afterAll(() => scene.close());

describe('search', () => {
  beforeAll(async () => {
    await scene.create({
      name: 'Granny apple',
      description: 'Green and sour',
      slug: 'granny',
      variants: [{ sku: 'FR 1/a', price: USD(1) }],
    });
    await scene.create({ name: 'Red apple juice', description: 'Pressed yesterday', slug: 'juice' });
    await scene.create({ name: 'Crème brûlée', description: 'Sweet; an apple is not in it', slug: 'creme' });
  });

  it.each([
    ['apple', ['Crème brûlée', 'Red apple juice', 'Granny apple']],
    ['APPLE green', ['Granny apple']],
    ['appl', ['Crème brûlée', 'Red apple juice', 'Granny apple']],
    ['red app', ['Red apple juice']],
    ['"apple juice"', ['Red apple juice']],
    ['apple -juice', ['Crème brûlée', 'Granny apple']],
    ['granny or juice', ['Red apple juice', 'Granny apple']],
    ['crème', ['Crème brûlée']],
    ['FR 1/a', ['Granny apple']],
    ['  granny  ', ['Granny apple']],
    ['nothingofthekind', []],
    ['apple -"red apple', ['Crème brûlée', 'Granny apple']],
  ])('%s finds %j', async (search, names) => {
    expect(await scene.namesIn(`/api/products?search=${encodeURIComponent(search)}`)).toEqual(names);
  });

  it.each([
    '!!!',
    "'",
    '""',
    '\\',
    "a' | 'b",
    ':*',
    '-',
    '-(-"a b"',
    '( ) & | ! <->',
    'or',
    '%',
    "';drop table products;--",
    '😀',
    'x'.repeat(200),
  ])('takes %s for what a person typed, never for syntax', async (search) => {
    expect(await scene.namesIn(`/api/products?search=${encodeURIComponent(search)}`)).toEqual([]);
  });

  it('without words is the whole list', async () => {
    expect(await scene.namesIn('/api/products?search=%20')).toEqual(await scene.namesIn('/api/products'));
  });

  it('is paged like any list', async () => {
    expect(await scene.walk('/api/products?search=apple&', 1)).toEqual(
      await scene.walk('/api/products?search=apple&', 100),
    );
  });
});

describe('the shop window of 20,000 products', () => {
  it('reads its page from the index for it, and a search from its own', async () => {
    const big = await scene.factory.store('big');
    await scene.larder.sql.query(
      `INSERT INTO products (store_id, id, slug, name, description, published, updated_at)
       SELECT $1, uuid_v7(), 'p-' || i, 'Number ' || i, 'Words ' || i % 997, i % 3 = 0, now() FROM generate_series(1, 20000) i`,
      [big.id],
    );
    await scene.larder.sql.query('ANALYZE products');
    const indexesFor = async (search?: string) => {
      const wanted = { limit: 20, after: null, search, withUnpublished: false };
      const { text, values } = runInContext({ requestId: 'test', storeId: big.id }, () => productsPage(wanted));
      const { rows } = await scene.larder.sql.query(`EXPLAIN (ANALYZE, FORMAT JSON) ${text}`, values);
      return [...JSON.stringify(rows).matchAll(/"Index Name":"(\w+)"/g)].map(([, index]) => index);
    };
    expect(await indexesFor()).toContain('idx_products_published');
    expect(await indexesFor('number 12345')).toContain('idx_products_search');
  });
});
