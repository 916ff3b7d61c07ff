import { Account } from './account.ts';
import { stockCatalog } from './catalog.ts';
import { openCustomers } from './customers.ts';
import { sumFile } from './file-sums.ts';
import { LarderClient } from './larder-client.ts';
import { databaseUrlOf, type LarderTotals, sumLarder } from './larder-sums.ts';
import { type Options, readOptions, USAGE } from './options.ts';
import { placeOrders } from './place-orders.ts';
import { type Plan, readPlan } from './plan.ts';
import { planTotals } from './plan-totals.ts';
import { differences, reconciliationText } from './reconciliation.ts';
import { RejectedLines } from './rejected-lines.ts';
import { ReplayFailure } from './replay-failure.ts';
import type { Run } from './run-context.ts';
import { placedText, planText, refusalsText } from './summary.ts';
import { undoOrders } from './undo-orders.ts';

try {
  const options = readOptions(process.argv.slice(2), process.env);
  if (options) process.exitCode = (await run(options)) ? 0 : 1;
  else console.log(USAGE);
} catch (error) {
  console.error(error instanceof ReplayFailure ? `\n${error.message}` : error);
  // Other requests may still be waiting for Larder; they have nothing to add.
  process.exit(1);
}

/** False when Larder refused something or the sums differ. */
async function run(options: Options): Promise<boolean> {
  const plan = await planOf(options);
  const ofFile = await sumFile(options.file);
  const { sums, refusals } = options.dryRun ? { sums: planned(plan), refusals: [] } : await replay(plan, options);
  const found = differences(ofFile, sums);
  console.log(reconciliationText(ofFile, sums, found));
  return found.length === 0 && refusals.length === 0;
}

function planned(plan: Plan): LarderTotals {
  return { ...planTotals(plan), source: 'plan', doubled: 0 };
}

async function replay(plan: Plan, options: Options): Promise<{ sums: LarderTotals; refusals: string[] }> {
  const client = new LarderClient(options);
  const manager = new Account(client, options.email, options.password);
  await manager.login();
  const shared = { plan, concurrency: options.concurrency, refusals: [] };
  const { customers, found } = await openCustomers(shared, client, options.customerSecret);
  const run: Run = { ...shared, zip: options.zip, manager, customers };
  const catalog = await stockCatalog(run);
  const orders = await placeOrders(run, catalog, found);
  const undone = await undoOrders(run, catalog, orders.ids);
  console.log(placedText(orders, undone, client.retries));
  if (run.refusals.length > 0) console.log(refusalsText(run.refusals));
  const sums = await sumLarder(await databaseUrlOf(options), options.store, plan.run);
  return { sums, refusals: run.refusals };
}

/** What there is to do, and the report of the lines that nothing can be done with. */
async function planOf({ file, runName, report }: Options): Promise<Plan> {
  const rejected = await RejectedLines.open(report);
  const plan = await readPlan(file, runName, rejected).catch((error: NodeJS.ErrnoException) => {
    throw error.code ? new ReplayFailure(`The file can not be read: ${error.message}`) : error;
  });
  await rejected.close();
  console.log(planText(plan, rejected));
  if (plan.orders.length + plan.returns.length === 0) throw new ReplayFailure('No line of the file can be used.');
  return plan;
}
