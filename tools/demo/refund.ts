import type { Money, Order, Wallet } from './answers.ts';
import type { Answer, Person } from './larder.ts';
import { entriesOf, sayPosted } from './ledger.ts';
import { check, expecting, expectingRefusal, told } from './narrator.ts';
import { basket, type BasketLine, orderBody, sayOrder, type Stage } from './stage.ts';

export interface Refund {
  id: string;
  amount: Money;
  status: string;
  approvalId: string | null;
  lines: { name: string; quantity: number; amount: Money; goods: string }[];
}

/** An order from the wallet that has arrived, so that there is something to give back. */
export async function arrived(stage: Stage, lines: BasketLine[]): Promise<Order> {
  const { grace, manager } = stage;
  const total = lines.reduce((sum, { variant, quantity }) => sum + variant.price.amount * quantity, 1000);
  const wallet = expecting(200, 'The wallet', await grace.get<Wallet>('/api/wallets/me'));
  if (wallet.balance.amount < total) {
    const amount: Money = { ...wallet.balance, amount: total };
    expecting(201, 'The top-up', await manager.post(`/api/wallets/${wallet.id}/top-ups`, { amount }));
  }
  const order = expecting(201, 'The order', await grace.post<Order>('/api/orders', orderBody(lines, 'WALLET', grace)));
  for (const status of ['SHIPPING', 'DELIVERED']) {
    expecting(200, status, await manager.patch(`/api/orders/${order.id}`, { status }));
  }
  return order;
}

export function askRefund(person: Person, order: Order, wish: object): Promise<Answer<Refund>> {
  return person.post<Refund>(`/api/orders/${order.id}/refunds`, { destination: 'ORIGINAL', ...wish });
}

/** A jar broke and an apple was brown: two pieces of an order go back, the rest stays. */
export async function tellRefund(stage: Stage): Promise<void> {
  const { narrator, larder, grace, manager } = stage;
  narrator.step(`${grace.firstName} unpacks, and not all of it is as it should be`);
  const support = await larder.login('support@larder.test');
  const lines = await basket(stage, { 'gala-apples': 2, 'greek-yogurt': 3 });
  const order = await arrived(stage, lines);
  sayOrder(narrator, order);
  const [apples, yogurt] = lines.map(({ variant }) => variant.id);
  const wish = {
    lines: [
      { variantId: apples, quantity: 1, goods: 'KEEP' },
      { variantId: yogurt, quantity: 1, goods: 'SCRAP' },
    ],
    reason: 'Brown apples, a broken pot',
  };
  const refund = expecting(201, 'The refund', await askRefund(support, order, wish));
  narrator.say(`${support.firstName} gives back, the way it was paid:`);
  narrator.sayAmounts(
    refund.lines.map(({ quantity, name, amount, goods }): [string, Money, string] => [
      `${quantity} × ${name}`,
      amount,
      goods === 'KEEP' ? 'she may keep them' : 'came back, thrown away',
    ]),
  );
  check(refund.status === 'SUCCEEDED', 'A small refund to a wallet is paid at once', refund);
  const kinds = ['CUSTOMER', 'SALES'];
  sayPosted(narrator, await entriesOf(manager, { reference: refund.id, kinds, ownerId: grace.id }));

  narrator.say('Another three pots? She had two left:');
  const tooMany = { lines: [{ variantId: yogurt, quantity: 3, goods: 'KEEP' }], reason: 'All of them' };
  narrator.sayRefusal(expectingRefusal('REFUND_EXCEEDS_LINES', 'Too many', await askRefund(support, order, tooMany)));
  narrator.say('A cent more than what is left of the payment:');
  const left = { ...order.total, amount: order.total.amount - refund.amount.amount };
  const tooMuch = { amount: { ...left, amount: left.amount + 1 }, reason: 'A cent more' };
  narrator.sayRefusal(expectingRefusal('REFUND_EXCEEDS_CAPTURE', 'Too much', await askRefund(support, order, tooMuch)));
  const paid = expecting(200, 'The order', await grace.get<Order>(`/api/orders/${order.id}`)).payment;
  check(paid.status === 'PARTIALLY_REFUNDED' && paid.refunded.amount === refund.amount.amount, 'Partly refunded', paid);
  narrator.say(`Payment ${paid.status}: ${told(paid.refunded)} of ${told(paid.captured)} are back.`);
}
