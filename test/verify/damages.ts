import { change, type Damage, noCheck, one, postAgain, unpost } from './damage.js';
import { DASHBOARDS } from './dashboard-damages.js';
import { LEDGER, MONEY } from './money-damages.js';

const STOCK: Damage[] = [
  {
    claim: 'stock on hand is the sum of its movements',
    sql: change('stock_levels', 'on_hand = on_hand + 1', 'variant_id'),
  },
  {
    claim: 'reserved is what open orders want, and never above what is on hand',
    sql: change('stock_levels', 'reserved = reserved + 1', 'variant_id'),
  },
  {
    claim: 'what left the shelf for an order, and what came back, is what its status and its refunds say',
    sql: `INSERT INTO stock_movements (store_id, variant_id, delta, reason, order_id)
          SELECT store_id, variant_id, delta, reason, order_id FROM stock_movements WHERE reason = 'SALE' LIMIT 1
          RETURNING order_id::text AS id`,
  },
  {
    claim: 'what left the shelf for an order, and what came back, is what its status and its refunds say',
    sql: `UPDATE refund_lines SET goods = 'KEEP' WHERE ${one('refund_lines', 'order_id', "goods = 'RESTOCK' AND refund_id IN (SELECT id FROM refunds WHERE status = 'SUCCEEDED')")}
          RETURNING order_id::text AS id`,
  },
];

const LINES =
  'an order is the sum of its lines, each of them quantity times price, with the tax of its rate, rounded half up';

const ORDERS: Damage[] = [
  {
    claim: LINES,
    after: noCheck('order_lines', 'rules'),
    sql: change('order_lines', 'total = total + 1', 'order_id', 'line_no = 1'),
  },
  {
    claim: LINES,
    sql: `DELETE FROM order_lines WHERE ${one('order_lines', 'order_id', 'line_no = 2')} AND line_no = 1 RETURNING order_id::text AS id`,
  },
  {
    claim: 'the total of an order is goods less discount, delivery, and the tax that prices do not contain',
    after: noCheck('orders', 'rules'),
    sql: change('orders', 'total = total + 1'),
  },
  {
    claim: LINES,
    after: noCheck('order_lines', 'rules'),
    sql: change('order_lines', 'unit_price = unit_price + 1', 'order_id', 'line_no = 1'),
  },
  {
    claim: LINES,
    // The sum of the taxes stays what it was.
    sql: `UPDATE order_lines SET tax = tax + CASE line_no WHEN 1 THEN 1 ELSE -1 END
           WHERE ${one('order_lines', 'order_id', 'line_no = 2')} AND line_no <= 2 RETURNING order_id::text AS id`,
  },
  {
    claim: 'history is contiguous, each step begins where the last one ended, and it ends where the order is',
    sql: change('orders', 'version = version + 1'),
  },
  {
    claim: 'history is contiguous, each step begins where the last one ended, and it ends where the order is',
    sql: change('orders', "status = 'PREPARING'", 'id', "status = 'CONFIRMED'"),
  },
  {
    claim: 'history is contiguous, each step begins where the last one ended, and it ends where the order is',
    sql: `UPDATE order_history SET from_status = 'PREPARING' WHERE ${one('order_history', 'order_id', 'version = 3')} AND version = 3
          RETURNING order_id::text AS id`,
  },
  {
    claim: 'every step of history is one that orders take',
    sql: `UPDATE order_history SET to_status = 'PENDING' WHERE ${one('order_history', 'order_id', 'version = 3')} AND version = 3
          RETURNING order_id::text AS id`,
  },
  {
    claim: 'every step of an order has its event',
    sql: `DELETE FROM outbox_events WHERE id = (SELECT max(id) FROM outbox_events WHERE aggregate_type = 'order') RETURNING aggregate_id::text AS id`,
  },
  {
    claim: 'every key that placed an order has one, and no order has two',
    sql: `INSERT INTO idempotency_keys (store_id, principal, route, key, fingerprint, status_code, response)
          SELECT store_id, principal, route, key || 'again', fingerprint, status_code, response FROM idempotency_keys LIMIT 1
          RETURNING response ->> 'id' AS id`,
  },
  {
    claim: 'every key that placed an order has one, and no order has two',
    sql: `UPDATE idempotency_keys SET response = json_build_object('id', uuid_v7())
           WHERE ctid = (SELECT min(ctid) FROM idempotency_keys) RETURNING response ->> 'id' AS id`,
  },
  {
    claim: 'a cart became one order, and an order from a cart closed it',
    sql: change('carts', "status = 'OPEN'", 'id', "status = 'ORDERED' AND customer_id IS NOT NULL"),
    after: 'DROP INDEX carts_open_key',
  },
  {
    claim: 'a cart is ordered by whom it belongs to',
    sql: change('carts', 'customer_id = uuid_v7()', 'id', 'customer_id IS NOT NULL'),
  },
];

const BOOKINGS: Damage[] = [
  {
    claim: 'a slot is booked by the orders that hold a place in it, and by no more than it has',
    sql: change('delivery_slots', 'booked = booked + 1'),
  },
  {
    claim: 'a coupon under a limit has been used by as many orders as it counts, and by no more than it may',
    sql: change('coupon_uses', 'used = used - least(used, 1)', 'coupon_id', "used_by = '' AND used > 0"),
  },
  {
    claim: 'a customer has used a coupon as often as is counted, and no more often than he may',
    sql: change('coupon_uses', 'used = used - least(used, 1)', 'coupon_id', "used_by <> '' AND used > 0"),
  },
];

const DELIVERIES: Damage[] = [
  {
    claim: 'an order has one active assignment at most, and none once it has ended',
    after: 'DROP INDEX shipping_assignments_active_key',
    sql: `INSERT INTO shipping_assignments (store_id, id, order_id, status, zip, currency, promised_at)
          SELECT store_id, uuid_v7(), order_id, 'OFFERED', zip, currency, promised_at FROM shipping_assignments WHERE status = 'PICKED_UP' LIMIT 1
          RETURNING order_id::text AS id`,
  },
  {
    claim: 'a parcel that an agent has is on its way, one that he has delivered has arrived',
    sql: `UPDATE orders SET status = 'PREPARING'
           WHERE ${one('orders', 'id', "id IN (SELECT order_id FROM shipping_assignments WHERE status = 'PICKED_UP')")}
          RETURNING id::text`,
  },
  {
    claim: 'an assignment has the times that its status says, and an agent once it was taken',
    sql: change('shipping_assignments', 'picked_up_at = NULL', 'id', "status = 'DELIVERED'"),
  },
  {
    claim: 'an order was delivered once at most',
    sql: `INSERT INTO shipping_assignments (store_id, id, order_id, agent_id, status, zip, currency, promised_at, closed_at, delivered_at)
          SELECT store_id, uuid_v7(), order_id, agent_id, status, zip, currency, promised_at, closed_at, delivered_at
            FROM shipping_assignments WHERE status = 'DELIVERED' LIMIT 1
          RETURNING order_id::text AS id`,
  },
  {
    claim:
      'an agent was paid for deliveries that he made, once for each; his attempts of a folded day, and his pay, are counted as they are',
    sql: postAgain('AGENT_FEE'),
  },
  {
    claim: 'cash that was handed in is on the ledger, and what is there was handed in',
    sql: unpost('REMITTANCE'),
  },
  {
    claim: 'what an agent took at the door is what was captured, owed and kept for the customer',
    sql: change(
      'shipping_assignments',
      'cash_collected = cash_collected + 1',
      'id',
      "status = 'DELIVERED' AND cash_due > 0",
    ),
  },
  {
    claim: 'what customers settled later is on the ledger, and what is there was settled',
    sql: change('payment_settlements', 'amount = amount + 1'),
  },
  {
    claim: 'a shift that was counted expected what its rows add up to',
    sql: change('agent_shifts', 'opening_cash = opening_cash + 1'),
  },
  {
    claim: 'what was missing or too much at a count was decided on by others, and is then on the ledger once',
    sql: unpost('CASH_VARIANCE'),
  },
  {
    claim: 'the cash that an agent holds is what he took, less what he handed in and what was written off',
    sql: `UPDATE remittances SET amount = amount + 1 WHERE ${one('remittances', 'id')} RETURNING agent_id::text AS id`,
  },
  {
    claim: 'an agent who holds cash is in a shift, or a count of it waits for a decision',
    sql: `DELETE FROM agent_shifts WHERE ${one('agent_shifts', 'id', "status = 'OPEN'")} RETURNING agent_id::text AS id`,
  },
];

const DECISIONS: Damage[] = [
  {
    claim: 'a request counts the approvals it was given, and a rejection ends it',
    sql: `DELETE FROM approval_decisions WHERE ${one('approval_decisions', 'approval_id')} RETURNING approval_id::text AS id`,
  },
  {
    claim: 'nobody decided on his own request',
    sql: `UPDATE approval_decisions d SET approver_id = a.requested_by FROM approvals a
           WHERE a.id = d.approval_id AND d.${one('approval_decisions', 'approval_id')} RETURNING d.approval_id::text AS id`,
  },
  {
    claim: 'a refund that had to be approved is where its approval is',
    sql: `UPDATE refunds SET amount = amount + 1 WHERE ${one('refunds', 'id', "status = 'REQUESTED'")} RETURNING id::text`,
  },
  {
    claim: 'every request and every decision of the last day was told once',
    sql: `DELETE FROM outbox_events WHERE id = (SELECT max(id) FROM outbox_events WHERE aggregate_type = 'approval') RETURNING aggregate_id::text AS id`,
  },
  {
    claim: 'every constraint and trigger is in force',
    after: 'ALTER TABLE orders DISABLE TRIGGER USER; ALTER TABLE wallets DISABLE TRIGGER wallets_guard',
    sql: `SELECT 'wallets.wallets_guard' AS id`,
  },
];

/** One for every claim, at least. */
export const DAMAGES: readonly Damage[] = [
  ...LEDGER,
  ...STOCK,
  ...ORDERS,
  ...MONEY,
  ...BOOKINGS,
  ...DELIVERIES,
  ...DECISIONS,
  ...DASHBOARDS,
];
