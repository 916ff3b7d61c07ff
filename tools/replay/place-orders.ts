import type { Catalog } from './catalog.ts';
import { concurrently } from './concurrently.ts';
import { codeOf, type LarderAnswer, refusalOf } from './larder-client.ts';
import type { PlannedOrder } from './plan.ts';
import { withProgress } from './progress.ts';
import { ReplayFailure } from './replay-failure.ts';
import { notePrefix, type Run } from './run-context.ts';

export interface PlacedOrders {
  /** Order ids in Larder by the order's name. */
  ids: Map<string, string>;
  placed: number;
  /** Found in Larder, from an earlier run. */
  alreadyThere: number;
  durationMs: number;
  /** Of each order placed now, from first attempt to answer, retries included. */
  latenciesMs: number[];
}

/** Keys that were refused for good before a new one is not tried any more. */
const MOST_KEYS = 20;

/** Places the orders that Larder hasn't got yet. */
export async function placeOrders(run: Run, catalog: Catalog, found: Map<string, string>): Promise<PlacedOrders> {
  const ids = new Map(found);
  const missing = run.plan.orders.filter(({ name }) => !ids.has(name));
  const orders: PlacedOrders = { ids, placed: 0, alreadyThere: 0, durationMs: 0, latenciesMs: [] };
  orders.alreadyThere = run.plan.orders.length - missing.length;
  const [first] = missing;
  const started = performance.now();
  await withProgress('Orders', missing.length, async (step) => {
    const work = async (order: PlannedOrder): Promise<void> => {
      await placeOrder(run, order, catalog, orders);
      step();
    };
    // One alone: a zip code that the store doesn't serve stops the run here, not with hundreds of refusals.
    if (first) await work(first);
    await concurrently(missing.slice(1), run.concurrency, work);
  });
  orders.durationMs = performance.now() - started;
  return orders;
}

async function placeOrder(run: Run, order: PlannedOrder, catalog: Catalog, orders: PlacedOrders): Promise<void> {
  const account = run.customers.get(order.customer);
  if (!account) throw new Error(`no account for customer ${order.customer}`);
  const body = bodyOf(run, order, catalog);
  const started = performance.now();
  // Larder answers a key as it did the first time. A refusal that is repeated may have lost its cause since: another key.
  let answer: LarderAnswer | undefined;
  for (let attempt = 1; attempt <= MOST_KEYS && !answer; attempt += 1) {
    const idempotencyKey = `replay-${run.plan.run}-${order.name}-${encodeURIComponent(run.zip)}-${attempt}`;
    const given = await account.send({ method: 'POST', path: '/api/orders', body, idempotencyKey });
    if (given.status === 201 || !given.replayed || attempt === MOST_KEYS) answer = given;
  }
  if (!answer || answer.status !== 201) {
    const refusal = answer ? refusalOf(answer) : 'no answer';
    if (answer && codeOf(answer.body) === 'ZIP_NOT_SERVED')
      throw new ReplayFailure(`${refusal} Choose one with --zip.`);
    run.refusals.push(`order ${order.name}: ${refusal}`);
    return;
  }
  orders.ids.set(order.name, (answer.body as { id: string }).id);
  if (answer.replayed) {
    orders.alreadyThere += 1;
    return;
  }
  orders.placed += 1;
  orders.latenciesMs.push(performance.now() - started);
}

function bodyOf(run: Run, { name, customer, lines }: PlannedOrder, catalog: Catalog): object {
  return {
    lines: lines.map(({ variant, quantity }) => ({ variantId: catalog.get(variant)?.id, quantity })),
    paymentMethod: 'COD',
    deliveryAddress: {
      name: customer ? `Customer ${customer}` : 'A customer',
      phone: '+44 20 7946 0000',
      line1: '1 Replay Street',
      city: 'Replay',
      zip: run.zip,
    },
    note: notePrefix(run.plan.run) + name,
  };
}
