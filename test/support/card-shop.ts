import { ExpireOrders } from '../../src/modules/orders/expire-orders.js';
import { PaymentJobs } from '../../src/modules/payments/payment-jobs.js';
import { freshKey, type TestUser } from './factories.js';
import { type CallOptions, type Reply, Shop } from './shop.js';

/** A card order as it was placed: waiting for its payment. */
export interface CardOrder {
  id: string;
  paymentId: string;
  customer: TestUser;
}

/** What the money of an order has come to. */
export interface CardState {
  order: string;
  payment: string;
  failure: string | null;
  authorized: number;
  captured: number;
  refunded: number;
  /** 'AUTHORIZE SUCCEEDED', in the order in which they were written. */
  operations: string[];
  sales: number;
  refunds: number;
}

export const PRICE = 1250;

/** A shop that takes cards, and works in the background unless it is told not to. */
export class CardShop {
  private constructor(
    readonly shop: Shop,
    readonly tea: string,
  ) {}

  static async open(settings: Record<string, string> = {}): Promise<CardShop> {
    const shop = await Shop.open({}, { LARDER_ROLE: 'all', ...settings });
    return new CardShop(shop, await shop.make.variant(shop.store, { price: PRICE, onHand: 1_000_000 }));
  }

  get sql() {
    return this.shop.larder.sql;
  }

  async order(customer?: TestUser): Promise<CardOrder> {
    const buyer = customer ?? (await this.shop.make.user(this.shop.store));
    const { id, payment } = await this.shop.placed(buyer, [{ variantId: this.tea, quantity: 1 }], 'CARD');
    return { id, paymentId: payment.id, customer: buyer };
  }

  confirm({ paymentId, customer }: CardOrder, source = 'tok_visa', options: CallOptions = {}): Promise<Reply> {
    const path = `/api/payments/${paymentId}/confirm`;
    return this.shop.call('post', path, customer, { body: { source }, key: freshKey(), ...options });
  }

  act({ paymentId }: CardOrder, step: 'capture' | 'void', user = this.shop.manager, key = freshKey()): Promise<Reply> {
    return this.shop.call('post', `/api/payments/${paymentId}/${step}`, user, { key, body: {} });
  }

  cancel({ id, customer }: CardOrder): Promise<Reply> {
    return this.shop.call('patch', `/api/orders/${id}`, customer, { body: { status: 'CANCELLED' } });
  }

  step({ id }: CardOrder, status: string): Promise<Reply> {
    return this.shop.call('patch', `/api/orders/${id}`, this.shop.manager, { body: { status } });
  }

  /** The customer's bank answers, as its page would. */
  bank({ paymentId, customer }: CardOrder, approved: boolean): Promise<Reply> {
    return this.shop.call('post', `/api/test-bank/test_${paymentId}`, customer, { body: { approved } });
  }

  /** Its time is up, as if the minutes had gone by; nobody has noticed yet. */
  async overdue({ id }: CardOrder): Promise<void> {
    await this.sql.query(`UPDATE orders SET expires_at = now() - interval '1 second' WHERE id = $1`, [id]);
  }

  /** What the schedules do, now. */
  expireOverdue(): Promise<void> {
    return this.shop.larder.app.get(ExpireOrders).expire();
  }

  sweep(): Promise<void> {
    return this.shop.larder.app.get(PaymentJobs).sweep();
  }

  state({ id }: CardOrder): Promise<CardState> {
    return this.shop.row<CardState>(
      `SELECT o.status AS order, p.status AS payment, p.failure_code AS failure, p.authorized_amount::int AS authorized,
              p.captured_amount::int AS captured, p.refunded_amount::int AS refunded,
              coalesce((SELECT array_agg(op.kind || ' ' || op.status ORDER BY op.created_at, op.id)
                          FROM payment_operations op WHERE op.payment_id = p.id), '{}') AS operations,
              (SELECT count(*)::int FROM ledger_transactions t WHERE t.type = 'SALE' AND t.reference = o.id::text) AS sales,
              (SELECT count(*)::int FROM refunds r JOIN ledger_transactions t
                   ON t.type = 'SALE_REFUND' AND t.reference = r.id::text WHERE r.payment_id = p.id) AS refunds
         FROM orders o
         JOIN payments p ON p.order_id = o.id
        WHERE o.id = $1`,
      [id],
    );
  }

  /** What would be asked again in a while is asked now. */
  async hurry({ paymentId }: CardOrder): Promise<void> {
    await this.sql.query(
      `UPDATE payment_operations SET next_attempt_at = now() WHERE payment_id = $1 AND status = 'PENDING'`,
      [paymentId],
    );
  }

  /** Captured when the parcel leaves, or by staff. */
  async captureByHand(): Promise<void> {
    await this.sql.query(`UPDATE stores SET card_capture = 'MANUAL' WHERE id = $1`, [this.shop.store.id]);
  }

  /** What the test provider's books say of a payment. */
  async atProvider({ paymentId }: CardOrder): Promise<string> {
    const { status } = await this.shop.row<{ status: string }>(
      'SELECT status FROM test_provider_payments WHERE payment_id = $1',
      [paymentId],
    );
    return status;
  }

  /** Until nothing is under way any more, and no news are waiting; then what it has come to. */
  async settled(order: CardOrder, ms = 40_000): Promise<CardState> {
    const deadline = performance.now() + ms;
    for (;;) {
      const { rows } = await this.sql.query(
        `SELECT 1 FROM payment_operations WHERE payment_id = $1 AND status = 'PENDING'
          UNION ALL
         SELECT 1 FROM graphile_worker._private_jobs
          WHERE payload ->> 'data' LIKE '%' || $1::text || '%' AND run_at < now() + interval '10 seconds'`,
        [order.paymentId],
      );
      if (rows.length === 0) return this.state(order);
      if (performance.now() > deadline) throw new Error(`Not settled: ${JSON.stringify(await this.state(order))}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  close(): Promise<void> {
    return this.shop.close();
  }
}
