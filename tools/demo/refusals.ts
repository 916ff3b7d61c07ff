import { randomUUID } from 'node:crypto';
import type { ErrorBody, Order } from './answers.ts';
import { check, expecting, expectingRefusal } from './narrator.ts';
import { basket, orderBody, type Stage } from './stage.ts';

/** More than there is: refused, every line that can't be served named. */
export async function tellTooMuch(stage: Stage): Promise<void> {
  const { narrator, ada } = stage;
  narrator.step(`${ada.firstName} wants more than there is`);
  const lines = await basket(stage, { lemons: 1, 'cinnamon-rolls': 1, broccoli: 1 });
  for (const line of lines.slice(1)) line.quantity = line.variant.available + 1;
  for (const { quantity, name, variant } of lines) narrator.say(`${quantity} × ${name} (${variant.available} there)`);
  const answer = await ada.post('/api/orders', orderBody(lines, 'COD', ada));
  const refusal = expectingRefusal('INSUFFICIENT_STOCK', 'Too much', answer);
  narrator.sayRefusal(refusal);
  const details = refusal.body.details ?? [];
  for (const { variantId, requested, available } of details) {
    const name = lines.find(({ variant }) => variant.id === variantId)?.name ?? 'something that was not ordered';
    narrator.say(`  ${name}: requested ${String(requested)}, available ${String(available)}`);
  }
  const named = new Set(details.map(({ variantId }) => variantId));
  const short = lines.slice(1).map(({ variant }) => variant.id);
  check(named.size === 2 && short.every((id) => named.has(id)), 'Both short lines are named, and only they', details);
}

/** One wish, sent several times: one order. */
export async function tellDoubleClick(stage: Stage): Promise<void> {
  const { narrator, ada } = stage;
  narrator.step(`${ada.firstName} double-clicks: one Idempotency-Key, two requests at once`);
  const lines = await basket(stage, { bagels: 1 });
  const body = orderBody(lines, 'COD', ada);
  const key = randomUUID();
  const clicks = await Promise.all([1, 2].map(() => ada.post<Order & ErrorBody>('/api/orders', body, key)));
  for (const { status, body: told, replayed } of clicks) {
    const text = status === 201 ? `order ${told.number}${replayed ? ' (the stored answer again)' : ''}` : told.code;
    narrator.say(`→ ${status} ${text}`);
  }
  const placed = clicks.filter(({ status }) => status === 201);
  const waiting = clicks.filter(({ status, body: { code } }) => status === 409 && code === 'IDEMPOTENCY_IN_PROGRESS');
  check(placed.length >= 1 && placed.length + waiting.length === 2, 'Placed once, or still being placed', clicks);

  narrator.say('Sent once more, a moment later:');
  const again = await ada.post<Order>('/api/orders', body, key);
  const order = expecting(201, 'The repeated request', again);
  check(again.replayed, 'The repeated request gets the stored answer');
  narrator.say(`→ 201 order ${order.number} (the stored answer again)`);
  check(
    placed.every((click) => JSON.stringify(click.body) === JSON.stringify(order)),
    'All answers are the same, to the letter',
  );

  narrator.say('The same key for another order:');
  const other = orderBody([...lines, ...(await basket(stage, { carrots: 1 }))], 'COD', ada);
  narrator.sayRefusal(
    expectingRefusal('IDEMPOTENCY_KEY_REUSED', 'Another body', await ada.post('/api/orders', other, key)),
  );
  expecting(200, 'Cancelling', await ada.patch(`/api/orders/${order.id}`, { status: 'CANCELLED' }));
  narrator.say(`One order came of it all. ${ada.firstName} cancels it.`);
}
