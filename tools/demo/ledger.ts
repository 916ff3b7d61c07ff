import type { LedgerEntry, LedgerTotals, Money, Page, Wallet } from './answers.ts';
import type { Person } from './larder.ts';
import { check, expecting, type Narrator, told } from './narrator.ts';

interface Posted {
  wallet: Wallet;
  entry: LedgerEntry;
}

/** The entries that one business fact left in wallets of these kinds, an agent's or customer's only for this owner. */
export async function entriesOf(
  manager: Person,
  { reference, kinds, ownerId }: { reference: string; kinds: string[]; ownerId: string },
): Promise<Posted[]> {
  const posted: Posted[] = [];
  for (const kind of kinds) {
    const list = await manager.get<Page<Wallet>>(`/api/wallets?kind=${kind}&limit=100`);
    const wallets = expecting(200, 'The list of wallets', list).items;
    const wallet = wallets.length === 1 ? wallets[0] : wallets.find((candidate) => candidate.ownerId === ownerId);
    check(wallet !== undefined, `There is a wallet ${kind} of ${ownerId}`);
    const page = await manager.get<Page<LedgerEntry>>(`/api/wallets/${wallet.id}/entries?limit=100`);
    const { items } = expecting(200, `The entries of ${kind}`, page);
    for (const entry of items) if (entry.reference === reference) posted.push({ wallet, entry });
  }
  return posted;
}

/** Prints the entries and checks that they sum to zero. */
export function sayPosted(narrator: Narrator, posted: Posted[], notes: Record<string, string> = {}): void {
  check(posted.length >= 2, 'A ledger transaction has two entries at least', posted.length);
  const sum = posted.reduce((amount, { entry }) => amount + entry.amount.amount, 0);
  const currency = posted[0]?.entry.amount.currency ?? '';
  narrator.sayAmounts([
    ...posted.map(({ wallet, entry }): [string, Money, string?] => [wallet.kind, entry.amount, notes[wallet.kind]]),
    ['sum', { amount: sum, currency }],
  ]);
  check(sum === 0, 'The entries of a transaction sum to zero', sum);
}

export async function tellTotals(narrator: Narrator, manager: Person): Promise<void> {
  narrator.step("The store's whole ledger");
  const totals = expecting(200, 'The totals', await manager.get<LedgerTotals>('/api/wallets/totals'));
  narrator.sayAmounts([
    ...totals.items.map(({ kind, wallets, balance }): [string, Money, string] => [
      kind,
      balance,
      wallets === 1 ? '' : `in ${wallets} wallets`,
    ]),
    ...totals.total.map((total): [string, Money] => ['sum', total]),
  ]);
  const broken = totals.total.filter(({ amount }) => amount !== 0);
  check(totals.total.length > 0 && broken.length === 0, 'The ledger sums to zero', broken.map(told));
}
