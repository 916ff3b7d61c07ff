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

/** Many of everything that lists of refunds, approvals, withdrawals and notifications show. */
export async function growMoneyScene(
  { sql }: TestApp,
  store: TestStore,
  { order, wallet }: { order: string; wallet: string },
  { everyone, support }: People,
  count: number,
): Promise<void> {
  await sql.query(
    `INSERT INTO refunds (store_id, id, payment_id, amount, destination, status, reason, actor_id, finished_at)
     SELECT p.store_id, uuid_v7(), p.id, 1, 'WALLET', 'REJECTED', 'x', $3, now()
       FROM payments p, generate_series(1, $4)
      WHERE p.store_id = $1 AND p.order_id = $2`,
    [store.id, order, support.id, count],
  );
  await sql.query(
    `WITH waiting AS (
       INSERT INTO withdrawals (store_id, id, wallet_id, amount, currency, status, actor_id)
       SELECT $1, uuid_v7(), $2, 1, 'USD', 'REQUESTED', $3 FROM generate_series(1, $4)
       RETURNING *
     )
     SELECT request_approval(store_id, 'WITHDRAWAL', id, amount, currency, 'x', '{}', actor_id) FROM waiting`,
    [store.id, wallet, support.id, count],
  );
  await sql.query(
    `INSERT INTO notifications (store_id, id, user_id, event_id, type, payload)
     SELECT $1, uuid_v7(), $2, 100 + n, 'approval.requested', '{}' FROM generate_series(1, $3) AS n`,
    [store.id, everyone.id, count],
  );
}
