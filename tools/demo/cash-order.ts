import type { Agent, Assignment, ErrorBody, HistoryStep, Order, Page, Remittance } from './answers.ts';
import type { Answer, Person } from './larder.ts';
import { entriesOf, sayPosted } from './ledger.ts';
import { check, expecting, expectingRefusal, told } from './narrator.ts';
import { basket, orderBody, sayOrder, type Stage } from './stage.ts';

/** From the shelf to the door: paid in cash, raced for, carried, remitted. */
export async function tellCashOrder(stage: Stage): Promise<void> {
  const order = await place(stage);
  const offer = await offerOpenly(stage, order);
  const winner = await race(stage, offer);
  await pickUp(stage, offer, winner, order);
  await deliver(stage, offer, winner, order);
  await history(stage, order, winner);
  await remit(stage, winner);
}

async function place(stage: Stage): Promise<Order> {
  const { narrator, ada } = stage;
  narrator.step(`${ada.firstName} orders breakfast, to pay in cash at the door`);
  const lines = await basket(stage, { 'sourdough-loaf': 1, 'salted-butter': 1, 'whole-milk': 2 });
  const answer = await ada.post<Order>('/api/orders', orderBody(lines, 'COD', ada));
  const order = expecting(201, 'The order', answer);
  sayOrder(narrator, order);
  check(order.status === 'CONFIRMED' && order.payment.status === 'PENDING', 'A cash order is confirmed, unpaid', order);
  check(/^\d{6}$/.test(order.deliveryCode ?? ''), 'The customer is given a code of six digits', order.deliveryCode);
  narrator.say(`Order ${order.number}, ${order.status}. ${ada.firstName} alone sees the code for the door.`);
  return order;
}

async function offerOpenly({ narrator, manager, agents }: Stage, order: Order): Promise<Assignment> {
  narrator.step(`${manager.firstName} offers it to every agent who serves ${order.deliveryAddress.zip}`);
  const answer = await manager.post<Assignment>('/api/shipping/assignments', { orderId: order.id });
  const offer = expecting(201, 'The offer', answer);
  check(offer.status === 'OFFERED' && offer.agentId === null, 'An open offer has no agent yet', offer);
  const [first] = agents;
  check(first !== undefined, 'There are agents');
  const list = await first.get<Page<Assignment>>('/api/shipping/assignments?status=OFFERED');
  const seen = expecting(200, "An agent's list of offers", list).items.find(({ id }) => id === offer.id);
  check(seen !== undefined && seen.deliveryAddress === null, 'An agent sees the offer, without the address', seen);
  narrator.say(`What ${first.firstName} sees: zip ${seen.zip}, ${told(seen.cashDue)} to collect; no name, no address.`);
  return offer;
}

async function race({ narrator, agents }: Stage, offer: Assignment): Promise<Person> {
  narrator.step(`${agents.length} agents press "accept" at the same moment`);
  const tries = await Promise.all(
    agents.map(async (agent) => ({
      agent,
      answer: await agent.post<ErrorBody & Assignment>(`/api/shipping/assignments/${offer.id}/accept`),
    })),
  );
  const winners = tries.filter(({ answer }) => answer.status === 200);
  const losers = tries.filter(({ answer }) => answer.status !== 200);
  for (const { agent, answer } of winners) narrator.say(`→ ${answer.status} ${agent.name} has it.`);
  for (const [text, count] of tally(losers.map(({ answer }) => answer)))
    narrator.say(`→ ${text} (${count} ${count === 1 ? 'agent' : 'agents'})`);
  const [won] = winners;
  check(won !== undefined && winners.length === 1, 'Exactly one agent wins', winners.length);
  check(
    losers.every(({ answer }) => answer.status === 409),
    'All others get 409',
    losers.map(({ answer }) => answer.status),
  );
  check(won.answer.body.agentId === won.agent.id, 'The assignment is the winner’s', won.answer.body);
  return won.agent;
}

function tally(answers: Answer<ErrorBody>[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { status, body } of answers) {
    const text = `${status} ${body.code}: ${body.message}`;
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return counts;
}

async function pickUp({ narrator, ada }: Stage, offer: Assignment, winner: Person, order: Order): Promise<void> {
  narrator.step(`${winner.firstName} picks the parcel up`);
  const answer = await winner.post<Assignment>(`/api/shipping/assignments/${offer.id}/pickup`);
  const assignment = expecting(200, 'The pick-up', answer);
  check(assignment.status === 'PICKED_UP' && assignment.deliveryAddress !== null, 'Picked up', assignment);
  narrator.say(`The goods have left the shelf; now ${winner.firstName} sees the address.`);
  narrator.say(`${ada.firstName} would like to cancel, too late:`);
  const tooLate = await ada.patch(`/api/orders/${order.id}`, { status: 'CANCELLED' });
  narrator.sayRefusal(expectingRefusal('ORDER_CANNOT_CANCEL_AFTER_SHIPPING', 'Cancelling', tooLate));
}

async function deliver({ narrator, ada }: Stage, offer: Assignment, winner: Person, order: Order): Promise<void> {
  narrator.step(`At the door: the code, and ${told(order.total)} in cash`);
  const path = `/api/shipping/assignments/${offer.id}/deliver`;
  const code = order.deliveryCode ?? '';
  const wrongCode = code.replace(/^./, (digit) => String((Number(digit) + 1) % 10));
  narrator.say('A wrong code:');
  const guessed = await winner.post(path, { proof: { code: wrongCode }, cashCollected: order.total });
  narrator.sayRefusal(expectingRefusal('PROOF_INVALID', 'A wrong code', guessed));
  narrator.say(`${ada.firstName} reads out her code, but the cash is a cent short:`);
  const short = { ...order.total, amount: order.total.amount - 1 };
  const tooLittle = await winner.post(path, { proof: { code }, cashCollected: short });
  narrator.sayRefusal(expectingRefusal('CASH_MISMATCH', 'A cent too little', tooLittle));
  const answer = await winner.post<Assignment>(path, { proof: { code }, cashCollected: order.total });
  check(expecting(200, 'The delivery', answer).status === 'DELIVERED', 'Delivered', answer.body);
  const paid = expecting(200, 'The order', await ada.get<Order>(`/api/orders/${order.id}`));
  check(paid.status === 'DELIVERED' && paid.payment.captured.amount === order.total.amount, 'Delivered and paid', paid);
  narrator.say(`The right code and all of the cash: order ${paid.status}, payment ${paid.payment.status}.`);
}

async function history({ narrator, ada, manager }: Stage, order: Order, winner: Person): Promise<void> {
  narrator.step(`What happened to order ${order.number}, for ever`);
  const answer = await ada.get<Page<HistoryStep>>(`/api/orders/${order.id}/history`);
  const { items } = expecting(200, 'The history', answer);
  for (const { version, to, actorRole, at } of items) {
    narrator.say(`${version}  ${at.slice(11, 23)}  ${to.padEnd(9)}  by ${actorRole.toLowerCase()}`);
  }
  const steps = items.map(({ to }) => to);
  check(steps.join() === 'CONFIRMED,SHIPPING,DELIVERED', 'Three steps, in order', steps);
  narrator.say('And on the ledger (what is above zero, the store owes to the owner of the wallet):');
  const kinds = ['AGENT_CASH', 'SALES', 'DELIVERY_FEES'];
  const posted = await entriesOf(manager, { reference: order.id, kinds, ownerId: winner.id });
  sayPosted(narrator, posted, { AGENT_CASH: `${winner.firstName} holds it for the store` });
}

async function remit({ narrator, manager }: Stage, winner: Person): Promise<void> {
  narrator.step(`${winner.firstName} hands in the cash`);
  const before = expecting(200, 'The agent', await manager.get<Agent>(`/api/shipping/agents/${winner.id}`));
  narrator.say(`In hand: ${told(before.cashInHand)}. A cent more than that:`);
  const path = `/api/shipping/agents/${winner.id}/remittances`;
  const tooMuch = { ...before.cashInHand, amount: before.cashInHand.amount + 1 };
  const refused = await manager.post(path, { amount: tooMuch });
  narrator.sayRefusal(expectingRefusal('REMITTANCE_EXCEEDS_CASH', 'A cent too much', refused));
  const answer = await manager.post<Remittance>(path, { amount: before.cashInHand });
  const remittance = expecting(201, 'The remittance', answer);
  check(remittance.cashInHand.amount === 0, 'Nothing is left in hand', remittance);
  narrator.say(`${manager.firstName} records ${told(remittance.amount)}:`);
  const kinds = ['AGENT_CASH', 'CASH_VAULT'];
  const posted = await entriesOf(manager, { reference: remittance.id, kinds, ownerId: winner.id });
  sayPosted(narrator, posted, { CASH_VAULT: 'the store has it' });
}
