import type { LedgerEntry, Money, Order, Page, Wallet } from './answers.ts';
import type { Person } from './larder.ts';
import { check, expecting, told } from './narrator.ts';
import { basket, orderBody, sayOrder, type Stage } from './stage.ts';

const ENOUGH_MONEY = 5000;

/** Paid from the wallet, thought better of, money back. */
export async function tellWalletOrder(stage: Stage): Promise<void> {
  const { narrator, grace } = stage;
  narrator.step(`${grace.firstName} orders from her wallet`);
  const before = await fill(stage, await walletOf(grace));
  narrator.say(`In the wallet: ${told(before.balance)}`);
  const lines = await basket(stage, { blueberries: 2, 'greek-yogurt': 1 });
  const answer = await grace.post<Order>('/api/orders', orderBody(lines, 'WALLET', grace));
  const order = expecting(201, 'The order', answer);
  sayOrder(narrator, order);
  check(order.payment.status === 'CAPTURED', 'A wallet order is paid when it is placed', order.payment);
  const paid = await walletOf(grace);
  check(paid.balance.amount === before.balance.amount - order.total.amount, 'The wallet paid it', paid.balance);
  narrator.say(`Order ${order.number}, payment ${order.payment.status}; ${told(paid.balance)} are left.`);

  narrator.step('She thinks better of it');
  const cancelling = { status: 'CANCELLED', reason: 'Ordered by mistake', version: order.version };
  const cancelled = expecting(200, 'Cancelling', await grace.patch<Order>(`/api/orders/${order.id}`, cancelling));
  check(cancelled.status === 'CANCELLED' && cancelled.payment.status === 'REFUNDED', 'Cancelled, refunded', cancelled);
  const after = await walletOf(grace);
  check(after.balance.amount === before.balance.amount, 'All of the money is back', after.balance);
  narrator.say(`Order ${cancelled.status}, payment ${cancelled.payment.status}, ${told(after.balance)} in the wallet.`);
  await sayMovements(stage, after);
}

async function walletOf(person: Person): Promise<Wallet> {
  return expecting(200, 'The wallet', await person.get<Wallet>('/api/wallets/me'));
}

/** Whoever spent all of the demo money is given more. */
async function fill({ narrator, manager, grace }: Stage, wallet: Wallet): Promise<Wallet> {
  if (wallet.balance.amount >= ENOUGH_MONEY) return wallet;
  const amount: Money = { ...wallet.balance, amount: ENOUGH_MONEY };
  expecting(201, 'The top-up', await manager.post(`/api/wallets/${wallet.id}/top-ups`, { amount }));
  narrator.say(`(${grace.firstName} hands in ${told(amount)} at the counter.)`);
  return walletOf(grace);
}

async function sayMovements({ narrator, grace }: Stage, wallet: Wallet): Promise<void> {
  const page = await grace.get<Page<LedgerEntry>>(`/api/wallets/${wallet.id}/entries?limit=2`);
  const entries = expecting(200, 'Her entries', page).items;
  narrator.say('Nothing is deleted from the ledger; a second transaction takes the first one back:');
  narrator.sayAmounts(entries.toReversed().map(({ type, amount }): [string, Money] => [type, amount]));
  const sum = entries.reduce((total, { amount }) => total + amount.amount, 0);
  check(entries.length === 2 && sum === 0, 'Sale and refund cancel out', entries);
}
