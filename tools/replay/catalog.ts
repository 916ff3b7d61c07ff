import { concurrently } from './concurrently.ts';
import { type LarderAnswer, refusalOf } from './larder-client.ts';
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
  await withProgress('Catalog', products.length, async (step) => {
    await concurrently(products, run.concurrency, async (product) => {
      await listProduct(run, product, currency, catalog);
      for (const variant of product.variants.values()) await receive(run, variant, catalog);
      step();
    });
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

async function listProduct(run: Run, product: PlannedProduct, currency: string, catalog: Catalog): Promise<void> {
  const prefix = skuPrefix(run.plan.run);
  const planned = [...product.variants.values()].map((variant) => ({
    variant,
    body: {
      sku: `${prefix}${variant.stockCode}@${variant.price}`,
      name: `at ${(variant.price / 100).toFixed(2)}`,
      price: { amount: variant.price, currency },
    },
  }));
  const first = planned.slice(0, MOST_VARIANTS_AT_ONCE).map(({ body }) => body);
  const slug = slugOf(run.plan.run, product.stockCode);
  const body = { name: nameOf(product), slug, published: true, variants: first };
  const answer = await run.manager.send({ method: 'POST', path: '/api/products', body });
  const isNew = answer.status === 201;
  const listed = isNew ? (answer.body as ProductBody) : await findProduct(run, slug, first, answer);
  for (const { variant, body } of planned) {
    const there = listed.variants.find(({ sku }) => sku === body.sku);
    const id = there?.id ?? (await addVariant(run, listed.id, body));
    catalog.set(variant, { id, movements: isNew || !there ? undefined : await movementNotes(run, id) });
  }
}

/** The product of an earlier run. Manager's search finds exact SKUs. */
async function findProduct(
  run: Run,
  slug: string,
  variants: { sku: string }[],
  refusal: LarderAnswer,
): Promise<ProductBody> {
  for (const { sku } of refusal.status === 409 ? variants : []) {
    const path = `/api/products?limit=100&search=${encodeURIComponent(sku)}`;
    const { body } = await run.manager.send({ method: 'GET', path });
    const found = (body as { items?: ProductBody[] }).items?.find((product) => product.slug === slug);
    if (found) return found;
  }
  throw new ReplayFailure(`Product ${slug} was refused: ${refusalOf(refusal)}`);
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
