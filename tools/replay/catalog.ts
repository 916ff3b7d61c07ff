import { concurrently } from './concurrently.ts';
import { refusalOf } from './larder-client.ts';
import type { PlannedProduct, PlannedVariant } from './plan.ts';
import { withProgress } from './progress.ts';
import { ReplayFailure } from './replay-failure.ts';
import { notePrefix, type Run, skuPrefix } from './run-context.ts';

/** A variant as it is in Larder. */
export interface ListedVariant {
  id: string;
  /** Notes of its movements of this run; undefined when it was created just now and has none. */
  movements: Set<string> | undefined;
}

export type Catalog = Map<PlannedVariant, ListedVariant>;

interface VariantBody {
  id: string;
  sku: string;
}

interface NewProduct {
  name: string;
  slug: string;
  published: boolean;
  variants: { sku: string }[];
}

interface ProductBody {
  id: string;
  slug: string;
  variants: VariantBody[];
}

const MOST_VARIANTS_AT_ONCE = 100;
const LONGEST_NAME = 200;
/** Most pieces of one adjustment. */
const MOST_RECEIVED = 1_000_000;

/** Creates the file's products with what the file sells of them on the shelf; what is there already stays. */
export async function stockCatalog(run: Run): Promise<Catalog> {
  const { products } = run.plan;
  const catalog: Catalog = new Map();
  const currency = await storeCurrency(run);
  let likelyThere = false;
  await withProgress('Catalog', products.length, async (step) => {
    const stockProduct = async (product: PlannedProduct): Promise<void> => {
      likelyThere = await listProduct(run, product, { currency, likelyThere }, catalog);
      for (const variant of product.variants.values()) await receive(run, variant, catalog);
      step();
    };
    // The first tells what to expect of the others.
    for (const product of products.slice(0, 1)) await stockProduct(product);
    await concurrently(products.slice(1), run.concurrency, stockProduct);
  });
  return catalog;
}

/** Stock that comes: once for a note, which is the adjustment's Idempotency-Key too. False when it had come before. */
export async function adjustOnce(
  run: Run,
  { id, movements }: ListedVariant,
  { delta, reason, what }: { delta: number; reason: 'RECEIPT' | 'RETURN'; what: string },
): Promise<boolean> {
  const note = notePrefix(run.plan.run) + what;
  if (movements?.has(note)) return false;
  const answer = await run.manager.send({
    method: 'POST',
    path: `/api/inventory/${id}/adjustments`,
    body: { delta, reason, note },
    idempotencyKey: `replay-${run.plan.run}-${reason}-${id}-${what.replaceAll(' ', '-')}`,
  });
  if (answer.status !== 201) throw new ReplayFailure(`${note} was refused: ${refusalOf(answer)}`);
  return !answer.replayed;
}

async function storeCurrency(run: Run): Promise<string> {
  const answer = await run.manager.send({ method: 'GET', path: '/api/wallets?limit=1' });
  const [wallet] = (answer.body as { items?: { balance: { currency: string } }[] }).items ?? [];
  if (!wallet) throw new ReplayFailure(`The store's wallets can not be read: ${refusalOf(answer)}`);
  return wallet.balance.currency;
}

/** True when the product was there already. */
async function listProduct(
  run: Run,
  product: PlannedProduct,
  { currency, likelyThere }: { currency: string; likelyThere: boolean },
  catalog: Catalog,
): Promise<boolean> {
  const prefix = skuPrefix(run.plan.run);
  const planned = [...product.variants.values()].map((variant) => ({
    variant,
    body: {
      sku: `${prefix}${variant.stockCode}@${variant.price}`,
      name: `at ${(variant.price / 100).toFixed(2)}`,
      price: { amount: variant.price, currency },
    },
  }));
  const variants = planned.slice(0, MOST_VARIANTS_AT_ONCE).map(({ body }) => body);
  const body = { name: nameOf(product), slug: slugOf(run.plan.run, product.stockCode), published: true, variants };
  const found = likelyThere ? await findProduct(run, body) : undefined;
  const { listed, isNew } = found ? { listed: found, isNew: false } : await createProduct(run, body);
  for (const { variant, body } of planned) {
    const there = listed.variants.find(({ sku }) => sku === body.sku);
    const id = there?.id ?? (await addVariant(run, listed.id, body));
    catalog.set(variant, { id, movements: isNew || !there ? undefined : await movementNotes(run, id) });
  }
  return !isNew;
}

async function createProduct(run: Run, body: NewProduct): Promise<{ listed: ProductBody; isNew: boolean }> {
  const answer = await run.manager.send({ method: 'POST', path: '/api/products', body });
  if (answer.status === 201) return { listed: answer.body as ProductBody, isNew: true };
  const listed = answer.status === 409 ? await findProduct(run, body) : undefined;
  if (!listed) throw new ReplayFailure(`Product ${body.slug} was refused: ${refusalOf(answer)}`);
  return { listed, isNew: false };
}

/** The product of an earlier run, by any of its SKUs: search finds exact ones. */
async function findProduct(run: Run, { slug, variants }: NewProduct): Promise<ProductBody | undefined> {
  for (const { sku } of variants) {
    const path = `/api/products?limit=100&search=${encodeURIComponent(sku)}`;
    const { body } = await run.manager.send({ method: 'GET', path });
    const found = (body as { items?: ProductBody[] }).items?.find((product) => product.slug === slug);
    if (found) return found;
  }
  return undefined;
}

async function addVariant(run: Run, productId: string, body: { sku: string }): Promise<string> {
  const answer = await run.manager.send({ method: 'POST', path: `/api/products/${productId}/variants`, body });
  if (answer.status === 201) return (answer.body as VariantBody).id;
  // Added by an attempt whose answer was lost.
  const { body: product } = await run.manager.send({ method: 'GET', path: `/api/products/${productId}` });
  const there = (product as Partial<ProductBody>).variants?.find(({ sku }) => sku === body.sku);
  if (!there) throw new ReplayFailure(`Variant ${body.sku} was refused: ${refusalOf(answer)}`);
  return there.id;
}

async function movementNotes(run: Run, variantId: string): Promise<Set<string>> {
  const notes = new Set<string>();
  for (let cursor: string | null = ''; cursor !== null;) {
    const path = `/api/inventory/${variantId}/movements?limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`;
    const answer = await run.manager.send({ method: 'GET', path });
    if (answer.status !== 200) throw new ReplayFailure(`Stock movements can not be read: ${refusalOf(answer)}`);
    const page = answer.body as { items: { note: string | null }[]; nextCursor: string | null };
    for (const { note } of page.items) if (note?.startsWith(notePrefix(run.plan.run))) notes.add(note);
    cursor = page.nextCursor;
  }
  return notes;
}

async function receive(run: Run, variant: PlannedVariant, catalog: Catalog): Promise<void> {
  const listed = catalog.get(variant);
  for (let received = 0; listed && received < variant.sold; received += MOST_RECEIVED) {
    const delta = Math.min(variant.sold - received, MOST_RECEIVED);
    await adjustOnce(run, listed, { delta, reason: 'RECEIPT', what: `receipt ${received / MOST_RECEIVED + 1}` });
  }
}

/** Stock codes of other characters in hex: two codes never share a slug. */
function slugOf(run: string, stockCode: string): string {
  const code = /^[A-Z0-9]+$/.test(stockCode)
    ? stockCode.toLowerCase()
    : `hex-${Buffer.from(stockCode).toString('hex')}`;
  return `replay-${run}-${code}`;
}

function nameOf({ name }: PlannedProduct): string {
  return name
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, LONGEST_NAME)
    .toWellFormed()
    .trim();
}
