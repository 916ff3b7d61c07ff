import { adjustOnce, type Catalog } from './catalog.ts';
import { concurrently } from './concurrently.ts';
import { codeOf, type LarderAnswer, refusalOf } from './larder-client.ts';
import type { Cancellation, PlannedOrder } from './plan.ts';
import { withProgress } from './progress.ts';
import { ReplayFailure } from './replay-failure.ts';
import type { Run } from './run-context.ts';

export interface Undone {
  cancelled: number;
  returned: number;
  alreadyDone: number;
}

const UNDONE = ['CANCELLED', 'RETURNED', 'EXPIRED'];

/** Cancels whole orders and puts goods that came back on the shelf. The money for those comes with refunds, not here. */
export async function undoOrders(run: Run, catalog: Catalog, ids: Map<string, string>): Promise<Undone> {
  const { cancellations, returns } = run.plan;
  const undone: Undone = { cancelled: 0, returned: 0, alreadyDone: 0 };
  await withProgress('Undone', cancellations.length + returns.length, async (step) => {
    await concurrently(cancellations, run.concurrency, async (cancellation) => {
      for (const order of cancellation.orders) await cancel(run, cancellation, order, ids, undone);
      step();
    });
    await concurrently(returns, run.concurrency, async ({ invoice, line }) => {
      const listed = catalog.get(line.variant);
      if (!listed) throw new Error(`no variant for line ${line.no}`);
      const what = `return ${invoice} line ${line.no}`;
      const isNew = await adjustOnce(run, listed, { delta: line.quantity, reason: 'RETURN', what });
      undone[isNew ? 'returned' : 'alreadyDone'] += 1;
      step();
    });
  });
  return undone;
}

/** Cancels an order, or takes it back when it is on its way already. */
async function cancel(
  run: Run,
  { invoice }: Cancellation,
  order: PlannedOrder,
  ids: Map<string, string>,
  undone: Undone,
): Promise<void> {
  const id = ids.get(order.name);
  // Refused when it was to be placed, and told then.
  if (id === undefined) return;
  const step = (status: string): Promise<LarderAnswer> =>
    run.manager.send({ method: 'PATCH', path: `/api/orders/${id}`, body: { status, reason: `Replay of ${invoice}` } });
  let answer = await step('CANCELLED');
  if (codeOf(answer.body) === 'ORDER_CANNOT_CANCEL_AFTER_SHIPPING') answer = await step('RETURNED');
  if (answer.status === 200) undone.cancelled += 1;
  else if (UNDONE.includes(await statusOf(run, id))) undone.alreadyDone += 1;
  else run.refusals.push(`cancellation ${invoice} of order ${order.name}: ${refusalOf(answer)}`);
}

async function statusOf(run: Run, id: string): Promise<string> {
  const answer = await run.manager.send({ method: 'GET', path: `/api/orders/${id}` });
  if (answer.status !== 200) throw new ReplayFailure(`Order ${id} can not be read: ${refusalOf(answer)}`);
  return (answer.body as { status: string }).status;
}
