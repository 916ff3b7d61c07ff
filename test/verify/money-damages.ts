import { change, type Damage, noCheck, one, postAgain, unpost } from './damage.js';

const BALANCES = 'every ledger transaction balances, and what was captured is one SALE for what its order says';
const KEPT =
  'a kept balance, and a checkpoint, is the sum of its entries, which are in its currency, as are those posted with them; the books add up to zero';

export const LEDGER: Damage[] = [
  {
    claim: BALANCES,
    sql: `UPDATE ledger_entries SET amount = amount + 1 WHERE id = (SELECT min(id) FROM ledger_entries) RETURNING transaction_id::text AS id`,
  },
  {
    claim: BALANCES,
    sql: `INSERT INTO ledger_transactions (store_id, id, type, reference)
          SELECT id, uuid_v7(), 'TOP_UP', 'without entries' FROM stores LIMIT 1 RETURNING id::text`,
  },
  {
    claim: BALANCES,
    sql: `DELETE FROM ledger_transactions WHERE ctid = (SELECT ctid FROM ledger_transactions LIMIT 1) RETURNING id::text`,
  },
  {
    claim: KEPT,
    sql: `UPDATE ledger_entries SET currency = 'XXX' WHERE id = (SELECT min(id) FROM ledger_entries) RETURNING transaction_id::text AS id`,
  },
  {
    claim: KEPT,
    sql: change('wallets', 'balance = balance + 1', 'id', "kind = 'CUSTOMER'"),
  },
  {
    claim: KEPT,
    sql: `UPDATE ledger_entries SET wallet_id = uuid_v7() WHERE id = (SELECT min(id) FROM ledger_entries) RETURNING wallet_id::text AS id`,
  },
  {
    claim: KEPT,
    // Of a wallet that keeps no balance.
    sql: `UPDATE ledger_entries SET amount = amount + 1
           WHERE id = (SELECT min(e.id) FROM ledger_entries e JOIN wallets w ON w.id = e.wallet_id AND NOT w.balance_kept)
          RETURNING store_id::text AS id`,
  },
  {
    claim: 'no wallet is below zero that may not be, and no agent holds less cash than none',
    after: noCheck('wallets', 'balance'),
    sql: change('wallets', 'balance = -1', 'id', "kind = 'CUSTOMER'"),
  },
  {
    claim: KEPT,
    sql: `UPDATE wallet_checkpoints SET balance = balance + 1 WHERE ctid = (SELECT min(ctid) FROM wallet_checkpoints) RETURNING wallet_id::text AS id`,
  },
];

export const MONEY: Damage[] = [
  {
    claim: 'a payment is where its order is',
    sql: `UPDATE payments SET status = 'CAPTURED' WHERE ${one('payments', 'order_id', "method = 'COD' AND status = 'PENDING'")} RETURNING order_id::text AS id`,
  },
  {
    claim: 'a payment is where its order is',
    sql: `DELETE FROM payments WHERE ${one('payments', 'order_id')} RETURNING order_id::text AS id`,
  },
  {
    claim: 'the status of a payment says what was captured and refunded of it',
    sql: change('payments', "status = 'REFUNDED'", 'id', "status = 'CAPTURED'"),
  },
  {
    claim: BALANCES,
    sql: unpost('SALE'),
  },
  {
    claim: BALANCES,
    sql: postAgain('SALE'),
  },
  {
    claim: BALANCES,
    // Goods and taxes change places: it still balances.
    sql: `WITH sale AS (SELECT id, reference FROM ledger_transactions WHERE type = 'SALE' LIMIT 1),
          moved AS (UPDATE ledger_entries e
             SET amount = e.amount + CASE w.kind WHEN 'SALES' THEN 1 ELSE -1 END
            FROM sale, wallets w
           WHERE e.transaction_id = sale.id AND w.id = e.wallet_id AND w.kind IN ('SALES', 'TAXES'))
          SELECT reference AS id FROM sale`,
  },
  {
    claim: 'a card is where the operations on it have brought it, each of them done once',
    sql: `DELETE FROM payment_operations WHERE ${one('payment_operations', 'id', "kind = 'CAPTURE'")} RETURNING payment_id::text AS id`,
  },
  {
    claim: 'an order that has ended keeps no money of a card, unless the way back is open or was refused',
    sql: `UPDATE payments SET status = 'CAPTURED', refunded_amount = 0
           WHERE id = (SELECT p.id FROM payments p JOIN orders o ON o.id = p.order_id
                        WHERE o.status = 'CANCELLED' AND p.method = 'CARD' AND p.captured_amount > 0 LIMIT 1)
          RETURNING order_id::text AS id`,
  },
  {
    claim: 'a refund by card is where its operation is',
    sql: `UPDATE payment_operations SET amount = amount + 1 WHERE ${one('payment_operations', 'id', "kind = 'REFUND'")} RETURNING refund_id::text AS id`,
  },
  {
    claim: 'what a payment has refunded, and is about to, is what its refunds say; never more than was captured',
    sql: `UPDATE refunds SET amount = amount + 1 WHERE ${one('refunds', 'id', "status = 'REQUESTED'")} RETURNING payment_id::text AS id`,
  },
  {
    claim: 'of an order that has ended nothing is kept that no refund tried to give back',
    sql: `UPDATE payments SET status = 'PARTIALLY_REFUNDED', refunded_amount = refunded_amount - 1
           WHERE id = (SELECT p.id FROM payments p JOIN orders o ON o.id = p.order_id
                        WHERE o.status = 'RETURNED' AND p.captured_amount > 0 LIMIT 1)
          RETURNING order_id::text AS id`,
  },
  {
    claim: 'every refund that succeeded is one SALE_REFUND of its amount, and no other is on the ledger',
    sql: unpost('SALE_REFUND'),
  },
  {
    claim: 'every refund that succeeded is one SALE_REFUND of its amount, and no other is on the ledger',
    sql: postAgain('SALE_REFUND'),
  },
  {
    claim: 'a sale that was taken back as a whole has left nothing of itself on the ledger',
    sql: `WITH whole AS (SELECT t.id, p.order_id FROM ledger_transactions t JOIN refunds r ON r.id::text = t.reference
            JOIN payments p ON p.id = r.payment_id AND p.status = 'REFUNDED' WHERE t.type = 'SALE_REFUND' LIMIT 1),
          moved AS (UPDATE ledger_entries e
             SET amount = e.amount + CASE w.kind WHEN 'SALES' THEN 1 ELSE -1 END
            FROM whole, wallets w
           WHERE e.transaction_id = whole.id AND w.id = e.wallet_id AND w.kind IN ('SALES', 'TAXES'))
          SELECT order_id::text AS id FROM whole`,
  },
  {
    claim:
      'the pieces of a line that refunds cover are those of its refunds that did not come to nothing, and no more than it has',
    after: noCheck('order_lines', 'rules'),
    sql: change('order_lines', 'refunded_quantity = refunded_quantity + 1', 'order_id', 'line_no = 1'),
  },
  {
    claim: 'a refund of pieces is the sum of its lines, which are lines of its own order',
    sql: change('refund_lines', 'amount = amount + 1', 'refund_id'),
  },
  {
    claim: 'a withdrawal that had to be approved is where its approval is, and was paid or given back once, or neither',
    sql: change('withdrawals', "status = 'REJECTED'", 'id', "status = 'PAID'"),
  },
  {
    claim: 'a withdrawal that had to be approved is where its approval is, and was paid or given back once, or neither',
    sql: unpost('WITHDRAWAL_PAID'),
  },
  {
    claim: 'a correction of the books was posted once when it was approved, and none without',
    sql: unpost('ADJUSTMENT'),
  },
  {
    claim:
      'PAYOUTS_PENDING holds what withdrawals wait for, RECEIVABLES what customers still owe for parcels they have',
    sql: `UPDATE withdrawals SET amount = amount + 1 WHERE ${one('withdrawals', 'id', "status = 'REQUESTED'")} RETURNING store_id::text AS id`,
  },
];
