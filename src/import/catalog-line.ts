import { isURL } from 'class-validator';
import type { Columns } from './columns.js';
import type { CsvRecord } from './csv-records.js';
import type { ImportStore } from './import-store.js';
import { Fields, required, Unusable } from './values.js';

export const CATALOG_COLUMNS = ['sku', 'product', 'name', 'price'] as const;
export const CATALOG_OPTIONAL = [
  'description',
  'category',
  'category_name',
  'variant',
  'currency',
  'on_hand',
  'published',
  'image_urls',
] as const;

const MOST_ON_HAND = 1_000_000;
const MOST_PRICE = 10_000_000_000;
const MOST_IMAGES = 20;

/** A line of a catalog: one variant, and what is said of its product. What is not said is null and changes nothing. */
export interface CatalogLine {
  line: number;
  content: string;
  sku: string;
  product: string;
  name: string;
  /** Minor units. */
  price: number;
  description: string | null;
  category: string | null;
  category_name: string | null;
  variant: string | null;
  on_hand: number;
  published: boolean | null;
  image_urls: string[] | null;
}

/** @throws Unusable */
export function catalogLine(record: CsvRecord, columns: Columns, store: ImportStore): CatalogLine {
  const fields = new Fields(record, columns);
  const currency = fields.text('currency', 3)?.toUpperCase();
  if (currency !== undefined && currency !== store.currency)
    throw new Unusable(`currency: the store's is ${store.currency}`);
  const category = fields.slug('category') ?? null;
  const categoryName = fields.text('category_name', 200) ?? null;
  if (categoryName !== null && category === null)
    throw new Unusable('category: missing, though category_name is given');
  return {
    line: record.line,
    content: record.content,
    sku: required('sku', fields.text('sku', 64)),
    product: required('product', fields.slug('product')),
    name: required('name', fields.text('name', 200)),
    price: required('price', fields.amount('price', store.decimals, MOST_PRICE)),
    description: fields.prose('description', 10_000) ?? null,
    category,
    category_name: categoryName,
    variant: fields.text('variant', 200) ?? null,
    on_hand: fields.wholeNumber('on_hand', 0, MOST_ON_HAND) ?? 0,
    published: fields.yesOrNo('published') ?? null,
    image_urls: imageUrls(fields),
  };
}

function imageUrls(fields: Fields): string[] | null {
  const urls = fields.text('image_urls', 40_000)?.split(/\s+/);
  if (!urls) return null;
  if (urls.length > MOST_IMAGES) throw new Unusable(`image_urls: more than ${MOST_IMAGES}`);
  const wrong = urls.find(
    (url) => url.length > 2000 || !isURL(url, { protocols: ['http', 'https'], require_protocol: true }),
  );
  if (wrong !== undefined) throw new Unusable('image_urls: not addresses with spaces between them');
  return urls;
}
