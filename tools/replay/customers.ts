import { hash } from 'node:crypto';
import { Account } from './account.ts';
import { concurrently } from './concurrently.ts';
import { type LarderClient, refusalOf } from './larder-client.ts';
import { withProgress } from './progress.ts';
import { ReplayFailure } from './replay-failure.ts';
import { notePrefix, type Run } from './run-context.ts';

/**
 * Registers the file's customers, or logs those in who are there from an earlier run; and finds what they have ordered in
 * this run already. Larder forgets Idempotency-Keys after a day, its orders never.
 * @returns the ids of the run's orders in Larder, by the order's name
 */
export async function openCustomers(
  run: Omit<Run, 'customers' | 'manager' | 'zip'>,
  client: LarderClient,
  secret: string,
): Promise<{ customers: Map<string, Account>; found: Map<string, string> }> {
  const customers = new Map<string, Account>();
  const found = new Map<string, string>();
  const [first, ...others] = new Set(run.plan.orders.map(({ customer }) => customer));
  if (first === undefined) return { customers, found };
  let likelyThere = false;
  await withProgress('Customers', 1 + others.length, async (step) => {
    const openCustomer = async (number: string): Promise<void> => {
      const email = `replay-${number || 'guest'}@replay.larder.test`;
      const account = new Account(client, email, hash('sha256', `${secret}\n${email}`));
      customers.set(number, account);
      const isNew = await account.open(number ? `Customer ${number}` : 'Customers without a number', likelyThere);
      if (!isNew) await findOrders(account, notePrefix(run.plan.run), found);
      likelyThere = !isNew;
      step();
    };
    // The first tells what to expect of the others.
    await openCustomer(first);
    await concurrently(others, run.concurrency, openCustomer);
  });
  return { customers, found };
}

async function findOrders(account: Account, prefix: string, found: Map<string, string>): Promise<void> {
  for (let cursor: string | null = ''; cursor !== null;) {
    const path = `/api/orders?limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`;
    const answer = await account.send({ method: 'GET', path });
    if (answer.status !== 200) throw new ReplayFailure(`${account.email} can not list orders: ${refusalOf(answer)}`);
    const page = answer.body as { items: { id: string; note: string | null }[]; nextCursor: string | null };
    for (const { id, note } of page.items) {
      if (note?.startsWith(prefix)) found.set(note.slice(prefix.length), id);
    }
    cursor = page.nextCursor;
  }
}
