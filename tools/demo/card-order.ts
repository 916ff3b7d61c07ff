import { setTimeout as sleep } from 'node:timers/promises';
import type { Money, Order } from './answers.ts';
import type { Answer, Person } from './larder.ts';
import { check, expecting, expectingRefusal, told } from './narrator.ts';
import { basket, orderBody, sayOrder, type Stage } from './stage.ts';

interface CardOrder extends Order {
  payment: Order['payment'] & { id: string };
}

interface Payment {
  id: string;
  status: string;
  authorized: Money;
  captured: Money;
  refunded: Money;
  nextAction?: { url: string } | null;
}

/** Cards of the built-in test provider: docs/payments.md. */
const EMPTY = '4000 0000 0000 9995';
const CHALLENGED = '4000 0025 0000 3155';
const SLOW_BANK = '4000 0000 0000 0303';
const TIMEOUT_MS = 20_000;

/** Declined, asked back by the bank, charged, given back; and money that comes when nobody waits for it any more. */
export async function tellCardOrder(stage: Stage): Promise<void> {
  const order = await declined(stage);
  await askedBack(stage, order);
  await givenBack(stage, order);
  await tooLate(stage);
}

async function declined(stage: Stage): Promise<CardOrder> {
  const { narrator, ada } = stage;
  narrator.step(`${ada.firstName} pays by card, at the second try`);
  const order = await place(stage, ada);
  sayOrder(narrator, order);
  narrator.say(`Order ${order.number}, ${order.status}: its goods wait for its payment. The first card:`);
  narrator.sayRefusal(expectingRefusal('PAYMENT_DECLINED', 'A card without money', await pay(ada, order, EMPTY)));
  return order;
}

async function askedBack(stage: Stage, order: CardOrder): Promise<void> {
  const { narrator, larder, ada } = stage;
  const asked = expecting(200, 'The second card', await pay(ada, order, CHALLENGED));
  const url = asked.nextAction?.url;
  check(asked.status === 'PENDING' && url !== undefined, 'Her bank wants to hear from her', asked);
  narrator.say(`The second card: her bank wants to hear from her first (${url}).`);
  expecting(200, 'The bank', await larder.call('POST', url, { body: { approved: true } }));
  const paid = await settled(ada, order, ({ status }) => status === 'CAPTURED');
  const confirmed = expecting(200, 'The order', await ada.get<Order>(`/api/orders/${order.id}`));
  check(
    confirmed.status === 'CONFIRMED' && paid.captured.amount === order.total.amount,
    'Confirmed and paid',
    confirmed,
  );
  narrator.say(`She says yes; the news come by webhook: order ${confirmed.status}, payment ${paid.status}.`);
}

async function givenBack({ narrator, ada }: Stage, order: CardOrder): Promise<void> {
  narrator.step('She cancels, and the money goes back to the card by itself');
  expecting(200, 'Cancelling', await ada.patch(`/api/orders/${order.id}`, { status: 'CANCELLED' }));
  const back = await settled(ada, order, ({ status }) => status === 'REFUNDED');
  check(back.refunded.amount === order.total.amount, 'All of it is back', back);
  narrator.say(`Payment ${back.status}: ${told(back.refunded)}.`);
}

async function tooLate(stage: Stage): Promise<void> {
  const { narrator, larder, grace } = stage;
  narrator.step(`${grace.firstName}'s bank takes its time, and she gives up`);
  const order = await place(stage, grace);
  const unknown = expecting(202, 'A slow bank', await pay(grace, order, SLOW_BANK));
  narrator.say(`→ 202: nobody knows yet, payment ${unknown.status}. She cancels.`);
  expecting(200, 'Cancelling', await grace.patch(`/api/orders/${order.id}`, { status: 'CANCELLED' }));
  const bank = `/api/test-bank/test_${order.payment.id}`;
  expecting(200, 'The bank', await larder.call('POST', bank, { body: { approved: true } }));
  narrator.say(`Now the bank says yes, for an order that is no more. ${told(order.total)} are held, and let go again:`);
  const released = await settled(
    grace,
    order,
    ({ status, authorized }) => status === 'VOIDED' && authorized.amount === 0,
  );
  check(released.captured.amount === 0, 'Nothing was taken', released);
  narrator.say(`Payment ${released.status}, ${told(released.authorized)} held, ${told(released.captured)} taken.`);
}

async function place(stage: Stage, person: Person): Promise<CardOrder> {
  const lines = await basket(stage, { 'sourdough-loaf': 1, blueberries: 1 });
  const answer = await person.post<CardOrder>('/api/orders', orderBody(lines, 'CARD', person));
  const order = expecting(201, 'The order', answer);
  check(order.status === 'PENDING' && order.payment.status === 'PENDING', 'A card order waits', order);
  return order;
}

function pay(person: Person, { payment }: CardOrder, source: string): Promise<Answer<Payment>> {
  return person.post<Payment>(`/api/payments/${payment.id}/confirm`, { source });
}

/** What is done in the background is seen a moment later. */
async function settled(
  person: Person,
  { payment }: CardOrder,
  reached: (payment: Payment) => boolean,
): Promise<Payment> {
  for (const deadline = Date.now() + TIMEOUT_MS; ; await sleep(100)) {
    const found = expecting(200, 'The payment', await person.get<Payment>(`/api/payments/${payment.id}`));
    if (reached(found)) return found;
    check(Date.now() < deadline, `The payment settles within ${TIMEOUT_MS / 1000} s`, found);
  }
}
