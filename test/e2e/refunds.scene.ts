import { runInContext } from '../../src/common/request-context.js';
import type { OrderResponse } from '../../src/modules/orders/dto/order.dto.js';
import { RefundPayment } from '../../src/modules/payments/refund-payment.js';
import { Database, type Transaction } from '../../src/platform/prisma/database.js';
import { freshKey, type TestUser } from '../support/factories.js';
import type { Line, Shop } from '../support/shop.js';

export const USD = (amount: number) => ({ amount, currency: 'USD' });

/** What tests of refunds ask again and again. */
export class Refunds {
  constructor(private readonly shop: Shop) {}

  ask(orderId: string, body: object, user = this.shop.manager, key = freshKey()) {
    const wish = { reason: 'Not as ordered', destination: 'WALLET', ...body };
    return this.shop.ask('post', `/api/orders/${orderId}/refunds`, user, { body: wish, key });
  }

  step(orderId: string, status: string) {
    return this.shop.ask('patch', `/api/orders/${orderId}`, this.shop.manager, { body: { status } }).expect(200);
  }

  /** An order at the customer's door, by staff: a COD order's cash is in the vault. */
  async delivered(customer: TestUser, lines: Line[], paymentMethod = 'WALLET'): Promise<OrderResponse> {
    const order = await this.shop.placed(customer, lines, paymentMethod);
    await this.step(order.id, 'SHIPPING');
    await this.step(order.id, 'DELIVERED');
    return order;
  }

  /** Makes a delivered order one that was paid by card, as the provider's news would have. */
  async paidByCard(orderId: string): Promise<void> {
    const { sql } = this.shop.larder;
    await sql.query(`UPDATE orders SET payment_method = 'CARD' WHERE id = $1`, [orderId]);
    await sql.query(`UPDATE payments SET method = 'CARD', provider = 'test' WHERE order_id = $1`, [orderId]);
    await sql.query(
      `INSERT INTO payment_operations (store_id, id, payment_id, kind, amount, status, finished_at)
       SELECT p.store_id, uuid_v7(), p.id, k.kind, p.amount, 'SUCCEEDED', now()
         FROM payments p
        CROSS JOIN unnest(ARRAY['AUTHORIZE', 'CAPTURE']) AS k (kind)
        WHERE p.order_id = $1`,
      [orderId],
    );
  }

  /** A provider's answer as RefundPayment hears it; the operation is then where the refund is. */
  async answered(how: 'succeeded' | 'failed', refundId: string): Promise<void> {
    const { app } = this.shop.larder;
    const answer = async (tx: Transaction): Promise<void> => {
      await app.get(RefundPayment)[how](tx, refundId);
      await tx.$executeRaw`
        UPDATE payment_operations o
           SET status = r.status, finished_at = now()
          FROM refunds r
         WHERE r.id = ${refundId}::uuid AND o.refund_id = r.id AND o.status = 'PENDING'`;
    };
    await runInContext({ requestId: 'a-provider-answers', storeId: this.shop.store.id }, () =>
      app.get(Database).transaction(answer),
    );
  }

  payment(orderId: string) {
    return this.shop.row(
      `SELECT status, captured_amount::int AS captured, refunded_amount::int AS refunded, refunding_amount::int AS refunding
         FROM payments WHERE order_id = $1`,
      [orderId],
    );
  }

  async walletOf(user: TestUser): Promise<number> {
    const { balance } = await this.shop.row<{ balance: number }>(
      `SELECT balance::int AS balance FROM wallets WHERE kind = 'CUSTOMER' AND owner_id = $1`,
      [user.id],
    );
    return balance;
  }

  /** What is on the ledger for an order and its refunds, by kind of wallet; sums of 0 left out. */
  async booked(orderId: string): Promise<Record<string, number>> {
    const { rows } = await this.shop.larder.sql.query<{ kind: string; amount: string }>(
      `SELECT w.kind, sum(e.amount) AS amount
         FROM ledger_transactions t
         JOIN ledger_entries e ON e.store_id = t.store_id AND e.transaction_id = t.id
         JOIN wallets w ON w.store_id = e.store_id AND w.id = e.wallet_id
        WHERE t.reference = $1
           OR t.reference IN (
             SELECT r.id::text FROM refunds r JOIN payments p ON p.id = r.payment_id WHERE p.order_id = $1::uuid
           )
        GROUP BY w.kind
       HAVING sum(e.amount) <> 0`,
      [orderId],
    );
    return Object.fromEntries(rows.map(({ kind, amount }) => [kind, Number(amount)]));
  }

  /** [reason, delta] of what moved for an order, oldest first, and what is on the shelf now. */
  async stock(orderId: string, variantId: string): Promise<{ moved: [string, number][]; onHand: number }> {
    const { rows } = await this.shop.larder.sql.query<{ reason: string; delta: number }>(
      'SELECT reason, delta FROM stock_movements WHERE order_id = $1 AND variant_id = $2 ORDER BY id',
      [orderId, variantId],
    );
    const { on_hand: onHand } = await this.shop.row<{ on_hand: number }>(
      'SELECT on_hand FROM stock_levels WHERE variant_id = $1',
      [variantId],
    );
    return { moved: rows.map(({ reason, delta }) => [reason, delta]), onHand };
  }
}
