import type pg from 'pg';
import { newId } from '../../src/common/ids.js';
import type { Scene } from '../support/scene.js';

/** Beyond what the scene has: one row of each table that another one points at, or that points at another one. */
export async function fillTables(sql: pg.Pool, { store, ids, customer, manager, agent }: Scene): Promise<void> {
  const id = {
    merged: newId(),
    zone: newId(),
    slot: newId(),
    coupon: newId(),
    approval: newId(),
    refund: newId(),
    shift: newId(),
    imported: newId(),
  };
  const rows: [table: string, columns: Record<string, unknown>][] = [
    ['carts', { id: id.merged, customer_id: customer.id, status: 'MERGED', merged_into_id: ids.cart }],
    ['delivery_zones', { id: id.zone, name: 'Zone', zip_codes: ['10001'] }],
    ['delivery_slots', { id: id.slot, zone_id: id.zone, ...WINDOW, capacity: 1 }],
    ['coupons', { id: id.coupon, code: 'FIVE', kind: 'FIXED', value: 5 }],
    ['coupon_uses', { coupon_id: id.coupon, used_by: customer.id, used: 1, allowed: 1 }],
    ['approvals', { id: id.approval, kind: 'REFUND', subject_id: newId(), ...MONEY, ...reasonBy(customer.id) }],
    ['approval_decisions', { approval_id: id.approval, approver_id: manager.id, decision: 'APPROVED' }],
    ['notifications', { id: newId(), user_id: customer.id, event_id: 1, type: 'x', payload: {} }],
    ['refunds', { id: id.refund, payment_id: ids.payment, amount: 1, ...REFUND }],
    ['refund_lines', { refund_id: id.refund, order_id: ids.order, line_no: 1, quantity: 1, amount: 1, goods: 'KEEP' }],
    ['payment_operations', { id: newId(), payment_id: ids.payment, refund_id: id.refund, kind: 'REFUND', amount: 1 }],
    ['payment_settlements', { id: newId(), payment_id: ids.payment, actor_id: manager.id, ...MONEY }],
    ['test_provider_payments', { payment_id: ids.payment, ref: newId(), card: 'x', status: 'AUTHORIZED', amount: 1 }],
    ['test_provider_requests', { key: newId(), payment_id: ids.payment, kind: 'CAPTURE', amount: 1, outcome: {} }],
    ['agent_shifts', { id: id.shift, agent_id: agent.id, currency: 'USD', opening_cash: 0 }],
    ['remittances', { id: newId(), agent_id: agent.id, shift_id: id.shift, actor_id: manager.id, ...MONEY }],
    ['imports', { id: id.imported, kind: 'CATALOG', file_name: 'x.csv', file_bytes: 1, fingerprint: newId() }],
    ['import_keys', { import_id: id.imported, key: newId(), line_no: 1 }],
    ['import_rejections', { import_id: id.imported, line_no: 1, reason: 'x', content: 'x' }],
    ['withdrawals', { id: newId(), wallet_id: ids.wallet, status: 'REQUESTED', actor_id: customer.id, ...MONEY }],
  ];
  for (const [table, columns] of rows) {
    const row = { store_id: store.id, ...columns };
    const names = Object.keys(row);
    await sql.query(
      `INSERT INTO ${table} (${names.join()}) SELECT ${names.join()} FROM jsonb_populate_record(NULL::${table}, $1)`,
      [row],
    );
  }
}

const MONEY = { amount: 1, currency: 'USD' };
const REFUND = { destination: 'WALLET', status: 'PROCESSING', reason: 'x' };
const WINDOW = { starts_at: '2030-01-01T09:00Z', ends_at: '2030-01-01T11:00Z', cutoff_at: '2030-01-01T08:00Z' };

function reasonBy(userId: string): object {
  return { reason: 'x', payload: {}, requested_by: userId, required: 2 };
}
