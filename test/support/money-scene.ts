import type { TestApp } from './app.js';
import { freshKey, type TestStore, type TestUser } from './factories.js';
import { orderOf } from './shop.js';

interface People {
  customer: TestUser;
  support: TestUser;
  everyone: TestUser;
}

/** A refund that waits for somebody to agree to it, and somebody who was told. */
export async function openMoneyScene(
  larder: TestApp,
  store: TestStore,
  { customer, support, everyone }: People,
  variantId: string,
): Promise<{ refund: string; approval: string; notification: string }> {
  const ask = async (user: TestUser, path: string, body: object): Promise<Record<string, string>> => {
    const request = larder.http.post(path).set('authorization', user.bearer).set('idempotency-key', freshKey());
    const response = await request.send(body).expect(201);
    return response.body as Record<string, string>;
  };
  const limit = (amount: number) =>
    larder.sql.query('UPDATE stores SET refund_approval_threshold = $2 WHERE id = $1', [store.id, amount]);
  const order = await ask(customer, '/api/orders', orderOf([{ variantId, quantity: 1 }], { paymentMethod: 'WALLET' }));
  await limit(0);
  const refund = await ask(support, `/api/orders/${order.id}/refunds`, { reason: 'Too ripe', destination: 'WALLET' });
  await limit(10_000);
  const { rows } = await larder.sql.query<{ id: string }>(
    `INSERT INTO notifications (store_id, id, user_id, event_id, type, payload)
     VALUES ($1, uuid_v7(), $2, 1, 'approval.requested', '{}')
     RETURNING id`,
    [store.id, everyone.id],
  );
  return { refund: refund.id!, approval: refund.approvalId!, notification: rows[0]!.id };
}
