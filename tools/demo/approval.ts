import { setTimeout as sleep } from 'node:timers/promises';
import type { ErrorBody, Order, Page } from './answers.ts';
import type { Answer, Person } from './larder.ts';
import { check, expecting, expectingRefusal, told } from './narrator.ts';
import { arrived, askRefund, type Refund } from './refund.ts';
import { basket, type BasketLine, type Stage } from './stage.ts';

/** More than 100.00 USD of them, which a demo store gives back only when two agree. */
const PUNNETS = 30;
const TOLD_WITHIN_MS = 15_000;

interface Approval {
  id: string;
  status: string;
  approved: number;
  required: number;
}

interface Notification {
  type: string;
  about: { approvalId?: string };
}

/** A refund that one person can't give alone. */
export async function tellApproval(stage: Stage): Promise<void> {
  const { narrator, larder, grace, manager } = stage;
  narrator.step(`${grace.firstName} baked for a wedding that was called off`);
  const admin = await larder.login('admin@larder.test');
  const order = await arrived(stage, await manyPunnets(stage));
  const refund = expecting(201, 'The refund', await askRefund(manager, order, { reason: 'The wedding is off' }));
  check(refund.status === 'REQUESTED' && refund.approvalId !== null, 'Above the limit it waits', refund);
  const id = refund.approvalId;
  narrator.say(`${manager.firstName} wants to give back ${told(refund.amount)}: ${refund.status}.`);
  narrator.say(`${manager.firstName} would like to agree to that:`);
  const own = await manager.post(`/api/approvals/${id}/approve`, {});
  narrator.sayRefusal(expectingRefusal('APPROVAL_OWN_REQUEST', 'Agreeing to oneself', own));
  await isTold(admin, 'approval.requested', id);
  narrator.say(`${admin.firstName} was told of it, and double-clicks:`);
  const comment = { comment: 'Poor bride' };
  const clicks = await Promise.all(
    [1, 2].map(() => admin.post<Approval & ErrorBody>(`/api/approvals/${id}/approve`, comment)),
  );
  for (const { status, body } of clicks) narrator.say(`→ ${status} ${body.status}`);
  check(
    clicks.every(({ status, body }) => status === 200 && body.status === 'APPROVED' && body.approved === 1),
    'Said twice, heard once',
    clicks,
  );
  await paid(stage, order, refund);
  await isTold(manager, 'approval.approved', id);
  narrator.say(`And ${manager.firstName} is told.`);
}

async function manyPunnets(stage: Stage): Promise<BasketLine[]> {
  const lines = await basket(stage, { blueberries: PUNNETS });
  for (const { variant } of lines) {
    if (variant.available >= PUNNETS) continue;
    const receipt = { delta: PUNNETS, reason: 'RECEIPT', note: 'npm run demo' };
    expecting(201, 'A receipt of goods', await stage.manager.post(`/api/inventory/${variant.id}/adjustments`, receipt));
  }
  return lines;
}

async function paid({ narrator, grace }: Stage, order: Order, { id, amount }: Refund): Promise<void> {
  const refund = expecting(200, 'The refund', await grace.get<Refund>(`/api/refunds/${id}`));
  check(refund.status === 'SUCCEEDED', 'Agreed to, paid', refund);
  const { payment } = expecting(200, 'The order', await grace.get<Order>(`/api/orders/${order.id}`));
  check(payment.status === 'REFUNDED' && payment.refunded.amount === amount.amount, 'All of it, once', payment);
  narrator.say(`Refund ${refund.status}, payment ${payment.status}: ${told(payment.refunded)}, once.`);
}

/** News take a second or so. */
async function isTold(person: Person, type: string, approvalId: string): Promise<void> {
  const inbox = (): Promise<Answer<Page<Notification>>> => person.get<Page<Notification>>('/api/notifications');
  for (const deadline = performance.now() + TOLD_WITHIN_MS; ; await sleep(200)) {
    const { items } = expecting(200, 'The notifications', await inbox());
    const found = items.filter((item) => item.type === type && item.about.approvalId === approvalId);
    if (found.length === 1) return;
    check(found.length === 0 && performance.now() < deadline, `${person.name} is told once: ${type}`, found.length);
  }
}
