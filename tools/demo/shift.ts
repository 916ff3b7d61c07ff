import type { Agent, Assignment, ErrorBody, Money, Order } from './answers.ts';
import type { Person } from './larder.ts';
import { check, expecting, expectingRefusal, told } from './narrator.ts';
import { basket, orderBody, type Stage } from './stage.ts';

/** Minor units: what Ada has not on her, and what is missing on the table. */
const OWED = 200;
const MISSING = 150;

interface Shift {
  id: string;
  status: string;
  expected: Money;
  collected: Money;
  handedIn: Money;
  outstanding: Money;
  variance: { amount: Money; status: string; approvalId: string } | null;
}

interface Metrics {
  deliveries: number;
  acceptance: { rate: number | null };
  onTime: { count: number; of: number };
  timeToDeliver: { p50Seconds: number | null };
}

/** A parcel paid in part, the rest brought later; a shift that is counted, and not all of it there. */
export async function tellShift(stage: Stage): Promise<void> {
  const { narrator, agents, manager } = stage;
  const agent = agents.at(-1);
  check(agent !== undefined, 'There are agents');
  await beginAnew(manager, agent);
  const order = await deliverForLess(stage, agent);
  await settle(stage, order);
  await count(stage, agent, order);
  await measure(stage, agent);
  narrator.say(`${agent.firstName} begins the next shift with nothing in hand.`);
}

/** Whatever the last telling left in the agent's hand is counted, rightly. */
async function beginAnew(manager: Person, agent: Person): Promise<void> {
  const path = `/api/shipping/agents/${agent.id}/shifts`;
  const before = expecting(200, 'The shifts', await manager.get<{ items: Shift[] }>(`${path}?limit=1`)).items[0];
  if (before?.status === 'OPEN') {
    expecting(200, 'Counting', await manager.post(`${path}/close`, { counted: before.expected }));
  }
}

async function deliverForLess(stage: Stage, agent: Person): Promise<Order> {
  const { narrator, ada, manager } = stage;
  narrator.step(`${ada.firstName} has ${told({ amount: OWED, currency: 'USD' })} too little on her at the door`);
  const lines = await basket(stage, { 'sourdough-loaf': 1, 'whole-milk': 1 });
  const placed = await ada.post<Order>('/api/orders', orderBody(lines, 'COD', ada));
  const order = expecting(201, 'The order', placed);
  const offered = await manager.post<Assignment>('/api/shipping/assignments', { orderId: order.id, agentId: agent.id });
  const path = `/api/shipping/assignments/${expecting(201, 'The offer', offered).id}`;
  for (const step of ['accept', 'pickup']) expecting(200, step, await agent.post(`${path}/${step}`));
  const cashCollected = { ...order.total, amount: order.total.amount - OWED };
  const shortReason = 'She left her purse at work';
  const delivery = { proof: { code: order.deliveryCode }, cashCollected, shortReason };
  const delivered = expecting(200, 'The delivery', await agent.post<Assignment>(`${path}/deliver`, delivery));
  check(
    delivered.status === 'DELIVERED' && delivered.cashCollected?.amount === cashCollected.amount,
    'Delivered',
    delivered,
  );
  narrator.say(
    `${agent.firstName} takes ${told(cashCollected)} of ${told(order.total)}, and says why: ${shortReason}.`,
  );
  return order;
}

async function settle({ narrator, ada, manager }: Stage, order: Order): Promise<void> {
  const { payment } = expecting(200, 'The order', await ada.get<Order>(`/api/orders/${order.id}`));
  check(payment.captured.amount === order.total.amount - OWED, 'Captured is what came in', payment);
  narrator.say('She brings the rest to the counter, and would like to bring more:');
  const path = `/api/payments/${payment.id}/settlements`;
  const amount = (minor: number) => ({ amount: { amount: minor, currency: order.total.currency } });
  const tooMuch = await manager.post(path, amount(OWED + 1));
  narrator.sayRefusal(expectingRefusal('SETTLEMENT_EXCEEDS_DUE', 'A cent too much', tooMuch));
  const settled = expecting(201, 'The settlement', await manager.post<{ owed: Money }>(path, amount(OWED)));
  check(settled.owed.amount === 0, 'Nothing is owed any more', settled);
  narrator.say(`${told({ ...order.total, amount: OWED })} taken; she owes nothing any more.`);
}

async function count({ narrator, larder, manager }: Stage, agent: Person, order: Order): Promise<void> {
  narrator.step(`${manager.firstName} counts ${agent.firstName}’s cash, and there is too little`);
  const admin = await larder.login('admin@larder.test');
  const expected = order.total.amount - OWED;
  const counted = { ...order.total, amount: expected - MISSING };
  const path = `/api/shipping/agents/${agent.id}/shifts/close`;
  const shift = expecting(200, 'The count', await manager.post<Shift>(path, { counted }));
  check(shift.status === 'COUNTED' && shift.expected.amount === expected, 'It waits for a decision', shift);
  check(shift.variance?.amount.amount === -MISSING, 'The missing is told', shift.variance);
  narrator.sayAmounts([
    ['Expected', shift.expected],
    ['Counted, into the vault', shift.handedIn],
    ['Missing', shift.variance.amount],
  ]);
  const approval = `/api/approvals/${shift.variance.approvalId}/approve`;
  const own = await manager.post<ErrorBody>(approval, {});
  narrator.say(`${manager.firstName} can't write it off alone:`);
  narrator.sayRefusal(expectingRefusal('APPROVAL_OWN_REQUEST', 'Agreeing to oneself', own));
  expecting(200, 'The approval', await admin.post(approval, { comment: 'A torn pocket' }));
  const after = expecting(200, 'The agent', await manager.get<Agent>(`/api/shipping/agents/${agent.id}`));
  check(after.cashInHand.amount === 0, 'Nothing is left in hand', after);
  narrator.say(`${admin.firstName} agrees: it is written off, and the shift is closed.`);
}

async function measure({ narrator }: Stage, agent: Person): Promise<void> {
  const answer = await agent.get<Metrics>(`/api/shipping/agents/${agent.id}/metrics`);
  const metrics = expecting(200, 'The metrics', answer);
  const { deliveries, acceptance, onTime, timeToDeliver } = metrics;
  check(deliveries > 0 && onTime.of === deliveries && timeToDeliver.p50Seconds !== null, 'Measured', metrics);
  narrator.say(
    `${agent.firstName}’s last 30 days: ${deliveries} delivered, ${onTime.count} in time, ${String(acceptance.rate)} of the offers taken.`,
  );
}
