import { writeFileSync } from 'node:fs';
import { verify } from '../support/verify.js';
import { ImportScene } from './import.scene.js';

let scene: ImportScene;

beforeEach(async () => {
  scene = await ImportScene.open();
});
afterEach(() => scene.close());

const importText = async (name: string, text: string | Buffer) => {
  const catalog = await scene.file(name, text);
  return (await scene.run({ catalog })).outcomes[0]!;
};
const products = () =>
  scene.rows(
    `SELECT p.slug, p.name, p.description, c.slug AS category, p.published, array_agg(v.sku || ' ' || v.price ORDER BY v.id) AS variants
       FROM products p LEFT JOIN categories c ON c.id = p.category_id JOIN variants v ON v.product_id = p.id
      GROUP BY p.store_id, p.id, c.slug ORDER BY p.id`,
  );

describe('a catalog', () => {
  it('becomes products, variants, categories and stock', async () => {
    const text =
      '\ufeffSKU,Product,Name,Price,Variant,Category,Category_name,Description,On_hand,Published\r\n' +
      'T-1,tea,Tea,5.00,100 g,drinks,Drinks,"Green,\nand ""fine""",7,\r\n' +
      'T-2,tea,Tea,9,200 g,,,,3,\r\n' +
      'J-1,jam,Jam,3.5,,,,,,no\r\n';
    expect(await importText('catalog.csv', text)).toMatchObject({ imported: 3, present: 0, rejected: 0 });
    expect(await products()).toEqual([
      {
        slug: 'tea',
        name: 'Tea',
        description: 'Green,\nand "fine"',
        category: 'drinks',
        published: true,
        variants: ['T-1 500', 'T-2 900'],
      },
      { slug: 'jam', name: 'Jam', description: '', category: null, published: false, variants: ['J-1 350'] },
    ]);
    expect(await scene.rows('SELECT sum(on_hand)::int AS pieces FROM stock_levels')).toEqual([{ pieces: 10 }]);
    expect(await scene.rows('SELECT word FROM search_words WHERE word = $1', ['green'])).toHaveLength(1);
    await verify(scene.sql);
  });

  it('changes what a later file says otherwise, and never the stock', async () => {
    await importText('first.csv', 'sku,product,name,price,on_hand,description\nT-1,tea,Tea,5,7,Green\n');
    const second = 'sku,product,name,price,on_hand,description\nT-1,tea,Fine tea,6,99,\nT-2,tea,Fine tea,8,1,\n';
    expect(await importText('second.csv', second)).toMatchObject({ imported: 2, rejected: 0 });
    expect(await products()).toMatchObject([
      { name: 'Fine tea', description: 'Green', variants: ['T-1 600', 'T-2 800'] },
    ]);
    expect(await scene.rows('SELECT sum(on_hand)::int AS pieces FROM stock_levels')).toEqual([{ pieces: 8 }]);
    await verify(scene.sql);
  });

  it('tells of each line why it can not be used, and imports the others', async () => {
    const text = [
      'sku,product,name,price,category,image_urls',
      'A,a,A,1.00,,',
      ',a,A,1.00,,',
      'B,Not a slug,B,1.00,,',
      'C,c,C,free,,',
      'A,a,A,2.00,,',
      'D,d,D,1.00,,ftp://nowhere',
      'E,e,E',
      'F,f,"F" f,1.00,,',
      'G,g,G,1.00,,https://example.com/g.png',
    ].join('\n');
    expect(await importText('bad.csv', text)).toMatchObject({ imported: 2, rejected: 7 });
    const reasons = Object.values(await scene.rejected()).map((line) => line.replace(/,.*$/, ''));
    expect(reasons).toEqual([
      'sku: missing',
      expect.stringContaining('product: not of lower-case letters'),
      'price: not an amount such as 12.99',
      'sku: stands in line 2 already',
      'image_urls: not addresses with spaces between them',
      '3 fields where the file has 6 columns',
      'broken quotes',
    ]);
    expect((await importText('other.csv', 'sku,product,name,price\nA,z,Z,1\n')).rejected).toBe(1);
    expect((await scene.rejected())['2']).toContain('sku: of the product a');
    await verify(scene.sql);
  });
});

describe('a file that is not what it should be', () => {
  const refused: [string, string | Buffer, RegExp][] = [
    ['without a column', 'sku,product,name\nA,a,A\n', /missing: price/],
    ['with an unknown column', 'sku,product,name,price,colour\n', /unknown: colour/],
    ['with a column twice', 'sku,product,name,price,Price\n', /there twice: price/],
    ['with semicolons', 'sku;product;name;price\nA;a;A;1\n', /parted by commas/],
    ['with broken quotes in its first line', 'sku,product,"name,price\n', /broken quotes/],
    ['that is empty', '', /is empty/],
    ['that is UTF-16', Buffer.from('\ufeffsku,product', 'utf16le'), /is UTF-16/],
    ['without line ends', 'x'.repeat(3_000_000), /no line end in the first \d+ bytes|longer than/],
  ];

  it.each(refused)('%s is refused before anything is written', async (_what, text, message) => {
    const catalog = await scene.file('wrong.csv', text);
    await expect(scene.run({ catalog })).rejects.toThrow(message);
    expect(await scene.count('imports')).toBe(0);
  });

  it('keeps a good one beside it from being written', async () => {
    const catalog = await scene.file('good.csv', 'sku,product,name,price\nA,a,A,1\n');
    const orders = await scene.file('wrong.csv', 'reference\n1\n');
    await expect(scene.run({ catalog, orders })).rejects.toThrow(/missing: placed_at/);
    expect(await scene.count('products')).toBe(0);
  });

  it('is left when too many of its lines are rejected, and gone on with when that is said', async () => {
    const lines = Array.from({ length: 1200 }, (_, n) => `,p,P${n},1`);
    const catalog = await scene.file('wrong.csv', ['sku,product,name,price', ...lines, 'A,a,A,1', ''].join('\n'));
    await expect(scene.run({ catalog }, { mostRejected: 600 })).rejects.toThrow(/--max-rejected/);
    expect((await scene.run({ catalog })).outcomes[0]).toMatchObject({ imported: 1, rejected: 1200, resumed: true });
  });

  it('is left when it is changed while it is read', async () => {
    const lines = Array.from({ length: 600 }, (_, n) => `C${n},c,C,1,${n}`);
    const text = ['sku,product,name,price,variant', ...lines, ''].join('\n');
    const catalog = await scene.file('changed.csv', text);
    const isStopped = () => {
      writeFileSync(catalog, text.replaceAll('C,1', 'C,9'));
      return false;
    };
    await expect(scene.run({ catalog }, { isStopped })).rejects.toThrow(/was changed while it was read/);
    expect((await scene.run({ catalog })).outcomes[0]).toMatchObject({ end: 'done', resumed: false, rejected: 0 });
    expect(await scene.rows(`SELECT DISTINCT price FROM variants WHERE sku LIKE 'C%'`)).toEqual([{ price: '900' }]);
  });

  it('is not what the report is written over', async () => {
    const catalog = await scene.file('mine.csv', 'sku,product,name,price\n,a,A,1\n');
    await expect(scene.run({ catalog }, { report: catalog })).rejects.toThrow(/name another with --report/);
  });

  it('has a report that the disk has no room for: that is told', async () => {
    const catalog = await scene.file('bad.csv', 'sku,product,name,price\n,a,A,1\n');
    await expect(scene.run({ catalog }, { report: '/dev/full' })).rejects.toThrow(/report can't be written: ENOSPC/);
  });

  it.each([
    ['store', { store: 'nowhere' }, /no store nowhere/],
    ['file', { catalog: '/nowhere/catalog.csv' }, /can't be read/],
  ])('or a %s that is not there is told', async (_what, changes, message) => {
    const catalog = await scene.file('good.csv', 'sku,product,name,price\nA,a,A,1\n');
    await expect(scene.run({ catalog, ...changes }, changes)).rejects.toThrow(message);
  });
});
