import { CatalogScene, USD } from './catalog.scene.js';

let scene: CatalogScene;

beforeAll(async () => {
  scene = await CatalogScene.open();
});

afterAll(() => scene.close());

const path = (search: string) => `/api/products?search=${encodeURIComponent(search)}`;
const found = (search: string) => scene.namesIn(path(search));

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
    ['apple', ['Red apple juice', 'Granny apple', 'Crème brûlée']],
    ['APPLE green', ['Granny apple']],
    ['appl', ['Red apple juice', 'Granny apple', 'Crème brûlée']],
    ['red app', ['Red apple juice']],
    ['"apple juice"', ['Red apple juice']],
    ['apple -juice', ['Granny apple', 'Crème brûlée']],
    ['apple -sour', ['Red apple juice', 'Crème brûlée']],
    ['granny or juice', ['Red apple juice', 'Granny apple']],
    ['crème', ['Crème brûlée']],
    ['creme BRULEE', ['Crème brûlée']],
    ['cre\u0300me', ['Crème brûlée']],
    ['ｃｒｅｍｅ', ['Crème brûlée']],
    ['apple—juice', ['Red apple juice']],
    ['red-apple', ['Red apple juice']],
    ['FR 1/a', ['Granny apple']],
    ['fr 1/A', ['Granny apple']],
    ['  granny  ', ['Granny apple']],
    ['nothingofthekind', []],
    ['apple -"red apple', ['Granny apple', 'Crème brûlée']],
  ])('%s finds %j', async (search, names) => {
    expect(await found(search)).toEqual(names);
  });

  it.each([
    ['a letter too few', 'grany', ['Granny apple']],
    ['a letter too many', 'grannyy', ['Granny apple']],
    ['a wrong letter', 'gramny', ['Granny apple']],
    ['a wrong first letter', 'pranny', ['Granny apple']],
    ['two letters swapped', 'rganny', ['Granny apple']],
    ['an error in each word', 'grany aple', ['Granny apple']],
    ['an error before a word that is begun', 'grany app', ['Granny apple']],
    ['two errors in a long word', 'yestrdey', ['Red apple juice']],
    ['an error in a word of the description', 'preesed', ['Red apple juice']],
    ['no accents and an error', 'brulle', ['Crème brûlée']],
  ])('forgives %s: %s', async (_error, search, names) => {
    expect(await found(search)).toEqual(names);
  });

  it.each([
    ['two errors in a short word', 'graann'],
    ['an error in three letters', 'rad'],
    ['an error in a number', '"FR 2/a"'],
    ['an error between quotes', '"grany"'],
    ['an error beside an exclusion', 'grany -juice'],
    ['an error in one of seven words', 'granny apple green and sour granny aple x'],
  ])('does not take %s for what it is not: %s', async (_error, search) => {
    expect(await found(search)).toEqual([]);
  });

  it.each([
    '!!!',
    "'",
    '""',
    '\\',
    "a' | 'b",
    ':*',
    '-',
    '-apple',
    '-apple -juice',
    'apple or -juice',
    '-(-"a b"',
    '( ) & | ! <->',
    'or',
    '%',
    '_',
    "';drop table products;--",
    '😀',
    '\u200b',
    'x'.repeat(200),
    'ab '.repeat(66),
    '\u0301'.repeat(100),
    '"'.repeat(199),
    '-a '.repeat(66),
  ])('takes %s for what a person typed, never for syntax', async (search) => {
    expect(await found(search)).toEqual([]);
  });

  it('without words is the whole list', async () => {
    expect(await found(' ')).toEqual(await scene.namesIn('/api/products'));
  });
});

describe('the order of what is found', () => {
  const inOrder = [
    { name: 'Unrelated', slug: 'by-sku', variants: [{ sku: 'Quinoa', price: USD(1) }] },
    { name: 'Quinoa!' },
    { name: 'White quinoa' },
    { name: 'Quinoas of three colours' },
    { name: 'Salad', description: 'With quinoa' },
    { name: 'Quinao from the market' },
    { name: 'Bowl', description: 'With quinos' },
  ];

  beforeAll(async () => {
    // The best first, so that the newest, which is first of its rank, is the last.
    for (const product of inOrder) {
      await scene.create(product);
      await scene.create(product.slug ? {} : { ...product, name: `${product.name} (hidden)`, published: false });
    }
  });

  it('is: its SKU, its name, words of the name, begun ones, words of the description, words near it', async () => {
    expect(await found('quinoa')).toEqual(inOrder.map(({ name }) => name));
  });

  it('is the same over pages of any size', async () => {
    const all = await scene.walk(`${path('quinoa')}&`, 100);
    expect(all).toHaveLength(inOrder.length);
    for (const limit of [1, 2, 3]) expect(await scene.walk(`${path('quinoa')}&`, limit)).toEqual(all);
  });

  it('is newest first within a rank, over pages too', async () => {
    const names = Array.from({ length: 7 }, (_, n) => `Tofu number ${n}`);
    for (const name of names) await scene.create({ name });
    expect(await found('tofu')).toEqual(names.toReversed());
    expect(await scene.walk(`${path('tofu')}&`, 2)).toEqual(await scene.walk(`${path('tofu')}&`, 100));
  });

  it('goes on where it was when a better product comes in between two pages', async () => {
    const names = ['Okra one', 'Okra two', 'Okra three'];
    for (const name of names) await scene.create({ name });
    const first = await scene.as(undefined, 'get', `${path('okra')}&limit=2`);
    await scene.create({ name: 'Okra' });
    await scene.create({ name: 'Okra four' });
    const next = await scene.namesIn(`${path('okra')}&limit=2&cursor=${first.body.nextCursor}`);
    expect(first.body.items.map((item: { name: string }) => item.name)).toEqual(['Okra three', 'Okra two']);
    expect(next).toEqual(['Okra one']);
  });
});

describe('a search', () => {
  it('in a category, by slug or id, finds only what is in it', async () => {
    const { id } = await scene.createCategory('pulses');
    await scene.create({ name: 'Lentil soup', categoryId: id });
    await scene.create({ name: 'Lentil poster' });
    for (const category of ['pulses', id]) {
      expect(await scene.namesIn(`${path('lentil')}&category=${category}`)).toEqual(['Lentil soup']);
      expect(await scene.namesIn(`${path('lentli')}&category=${category}`)).toEqual(['Lentil soup']);
    }
    expect(await scene.namesIn(`${path('lentil')}&category=no-such-shelf`)).toEqual([]);
  });

  it('shows what is not published to staff only, and what is archived to nobody', async () => {
    await scene.create({ name: 'Secret radish', published: false, variants: [{ sku: 'RADISH-1', price: USD(1) }] });
    const { id } = await scene.create({ name: 'Former radish' });
    await scene.as(scene.users.MANAGER, 'delete', `/api/products/${id}`).expect(204);
    for (const search of ['radish', 'radihs', 'RADISH-1', 'secret radish']) {
      expect(await found(search)).toEqual([]);
      expect(await scene.namesIn(path(search), scene.users.SUPPORT)).toEqual(['Secret radish']);
    }
  });

  it('knows no products and no words of another store', async () => {
    await scene.create(
      { name: 'Foreign fennel', variants: [{ sku: 'FENNEL', price: USD(1) }] },
      scene.users.foreignManager,
    );
    for (const search of ['fennel', 'fenel', 'FENNEL']) expect(await found(search)).toEqual([]);
    expect(await scene.namesIn(path('fenel'), scene.users.foreignManager)).toEqual(['Foreign fennel']);
  });

  it('finds a product by its new words after a change, by the old ones no more', async () => {
    const { id } = await scene.create({ name: 'Aubergine', description: 'Purple' });
    await scene
      .as(scene.users.MANAGER, 'patch', `/api/products/${id}`)
      .send({ name: 'Eggplant', description: 'Violet' })
      .expect(200);
    for (const search of ['eggplant', 'egplant', 'violet']) expect(await found(search)).toEqual(['Eggplant']);
    for (const search of ['aubergine', 'aubergin', 'purple']) expect(await found(search)).toEqual([]);
  });
});

describe('a cursor', () => {
  it('of another search, another category or the plain list is refused', async () => {
    for (const name of ['Kale one', 'Kale two', 'Leek one', 'Leek two']) await scene.create({ name });
    const { nextCursor: ofKale } = (await scene.as(undefined, 'get', `${path('kale')}&limit=1`)).body;
    const { nextCursor: ofList } = (await scene.as(undefined, 'get', '/api/products?limit=1')).body;
    const refused = [
      `${path('leek')}&cursor=${ofKale}`,
      `${path('kale')}&category=pulses&cursor=${ofKale}`,
      `/api/products?cursor=${ofKale}`,
      `${path('kale')}&cursor=${ofList}`,
      `${path('kale')}&cursor=${Buffer.from('products:9.0123456789abcdef.nonsense').toString('base64url')}`,
    ];
    for (const address of refused) {
      const response = await scene.as(undefined, 'get', address);
      expect([address, response.status, response.body.code]).toEqual([address, 400, 'INVALID_CURSOR']);
    }
    expect(await scene.namesIn(`${path('kale')}&cursor=${ofKale}`)).toEqual(['Kale one']);
  });
});
