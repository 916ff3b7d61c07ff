import { newId } from '../common/ids.js';
import type { Columns } from './columns.js';
import type { ImportStore } from './import-store.js';
import { LINE_COLUMNS } from './order-columns.js';
import { draftLine, type DraftLine, type OrderFacts, orderFacts } from './order-draft.js';
import type { OrderGroup } from './order-groups.js';
import type { Rejection } from './rejection.js';
import { required, Unusable } from './values.js';

export interface BuiltLine extends DraftLine {
  order_id: string;
  line_no: number;
}

export interface BuiltStep {
  order_id: string;
  version: number;
  from_status: string | null;
  to_status: string;
  role: 'CUSTOMER' | 'AGENT' | 'SYSTEM';
  reason: string | null;
  at: number;
}

/** An order with everything of it but what the database knows: whose ids its e-mails and SKUs are. */
export interface BuiltOrder {
  row: ReturnType<typeof rowOf>;
  lines: BuiltLine[];
  steps: BuiltStep[];
  group: OrderGroup;
}

/** An order, or why each of its lines is left out. */
export function buildOrder(group: OrderGroup, columns: Columns, store: ImportStore): BuiltOrder | Rejection[] {
  const reasons = new Map<number, string>();
  const attempt = <Value>(line: number, work: () => Value): Value | undefined => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof Unusable)) throw error;
      if (!reasons.has(line)) reasons.set(line, error.message);
      return undefined;
    }
  };
  const first = group.lines[0]!;
  const facts = attempt(first.record.line, () => orderFacts(first.fields, store));
  const lines = group.lines.map(({ record, fields }) =>
    attempt(record.line, () => {
      requireSame(group, fields, columns);
      return draftLine(fields, store);
    }),
  );
  const whole = lines.every((line) => line !== undefined);
  if (facts && whole && reasons.size === 0) {
    const built = attempt(first.record.line, () => assemble(group, facts, lines, store));
    if (built) return built;
  }
  return rejectionsOf(group, reasons);
}

/** All lines of an order are left out with one of them. */
export function rejectionsOf({ reference, lines }: OrderGroup, reasons: ReadonlyMap<number, string>): Rejection[] {
  const [cause] = reasons.keys();
  return lines.map(({ record: { line, content } }) => ({
    line,
    content,
    reason: reasons.get(line) ?? `order ${reference} is left out for its line ${cause}`,
  }));
}

function requireSame({ lines }: OrderGroup, fields: OrderGroup['lines'][number]['fields'], columns: Columns): void {
  const first = lines[0]!;
  if (fields === first.fields) return;
  for (const column of columns.keys()) {
    if ((LINE_COLUMNS as readonly string[]).includes(column)) continue;
    const value = fields.raw(column);
    if (value !== '' && value !== first.fields.raw(column))
      throw new Unusable(`${column}: not as in line ${first.record.line}`);
  }
}

interface Sums {
  subtotal: number;
  discount: number;
  tax: number;
  total: number;
}

function assemble(group: OrderGroup, facts: OrderFacts, lines: DraftLine[], store: ImportStore): BuiltOrder {
  const sums = sumsOf(facts, lines);
  if (facts.total !== undefined && facts.total !== sums.total) {
    throw new Unusable(`total: ${facts.total} minor units, but the lines and the delivery come to ${sums.total}`);
  }
  if (group.doubtedFor !== null && facts.total === undefined) {
    throw new Unusable(`line ${group.doubtedFor} can't be read and may be of this order, which tells no total`);
  }
  const id = newId(facts.placedAt);
  const steps = stepsOf(id, facts);
  return {
    row: rowOf(id, group, facts, sums, steps, store),
    lines: lines.map((line, index) => ({ ...line, order_id: id, line_no: index + 1 })),
    steps,
    group,
  };
}

function sumsOf(facts: OrderFacts, lines: DraftLine[]): Sums {
  const sum = (of: (line: DraftLine) => number) => lines.reduce((total, line) => total + of(line), 0);
  const subtotal = sum((line) => line.total);
  const discount = sum((line) => line.discount) + facts.deliveryDiscount;
  const tax = sum((line) => line.tax) + facts.deliveryTax;
  const total = subtotal - discount + facts.deliveryFee + (facts.taxInclusive ? 0 : tax);
  if (![subtotal, tax, total].every(Number.isSafeInteger)) throw new Unusable('unit_price: more than a shop can take');
  if (facts.taxInclusive && tax > total) throw new Unusable('tax: more than the order comes to');
  return { subtotal, discount, tax, total };
}

function stepsOf(orderId: string, facts: OrderFacts): BuiltStep[] {
  const courier = facts.agentEmail ? 'AGENT' : 'SYSTEM';
  const shippedAt = facts.pickedUpAt ?? facts.deliveredAt ?? facts.failedAt ?? facts.returnedAt;
  const reason = facts.reason ?? null;
  const steps: Pick<BuiltStep, 'to_status' | 'at' | 'role' | 'reason'>[] = [
    { to_status: 'CONFIRMED', at: facts.placedAt, role: 'CUSTOMER', reason: null },
  ];
  const add = (to: string, at: number | undefined, role: BuiltStep['role'], why: string | null = null) => {
    if (at !== undefined) steps.push({ to_status: to, at, role, reason: why });
  };
  if (facts.status !== 'CANCELLED') add('SHIPPING', shippedAt, courier);
  add('DELIVERED', facts.deliveredAt, courier);
  add('CANCELLED', facts.cancelledAt, 'SYSTEM', reason);
  add('RETURNED', facts.returnedAt, 'SYSTEM', reason);
  return steps.map((step, index) => ({
    ...step,
    order_id: orderId,
    version: index + 1,
    from_status: steps[index - 1]?.to_status ?? null,
  }));
}

/** What was paid when, and given back. A wallet is charged with the order, a card when it is known to ship, cash at the door. */
function moneyOf(facts: OrderFacts, total: number) {
  const { status, paymentMethod: method, deliveredAt, placedAt } = facts;
  const captured =
    method === 'COD' ? deliveredAt !== undefined : method === 'WALLET' || status !== 'CANCELLED' || total === 0;
  const ended = status !== 'DELIVERED';
  if (facts.refunded !== undefined && (!captured || facts.refunded > total || (ended && facts.refunded !== total))) {
    throw new Unusable('refunded: not what was paid for this order, or a part of it');
  }
  const refunded = captured ? (ended ? total : (facts.refunded ?? 0)) : 0;
  const refundedAt = facts.refundedAt ?? facts.returnedAt ?? facts.cancelledAt;
  const soldAt = method === 'COD' ? deliveredAt : placedAt;
  if (refunded > 0 && refundedAt !== undefined && refundedAt < (soldAt ?? placedAt)) {
    throw new Unusable('refunded_at: before it was paid');
  }
  const whole = ended || (refunded > 0 && refunded === total);
  return {
    payment_status: !captured ? 'VOIDED' : whole ? 'REFUNDED' : refunded > 0 ? 'PARTIALLY_REFUNDED' : 'CAPTURED',
    captured: captured ? total : 0,
    sold_at: soldAt,
    refunded,
    refunded_at: refunded > 0 ? required('refunded_at', refundedAt) : undefined,
  };
}

function rowOf(id: string, group: OrderGroup, facts: OrderFacts, sums: Sums, steps: BuiltStep[], store: ImportStore) {
  const money = moneyOf(facts, sums.total);
  const contained = facts.taxInclusive
    ? { goods: sums.tax - facts.deliveryTax, delivery: facts.deliveryTax }
    : { goods: 0, delivery: 0 };
  const carried = facts.agentEmail !== undefined;
  const cash = facts.paymentMethod === 'COD' ? sums.total : 0;
  return {
    id,
    file_line: group.lines[0]!.record.line,
    reference: facts.reference,
    status: facts.status,
    version: steps.length,
    method: facts.paymentMethod,
    customer_email: facts.customerEmail,
    customer_name: facts.customerName ?? facts.customerEmail,
    agent_email: facts.agentEmail,
    agent_name: facts.agentName ?? facts.agentEmail,
    ...sums,
    delivery_fee: facts.deliveryFee,
    delivery_discount: facts.deliveryDiscount,
    delivery_tax: facts.deliveryTax,
    tax_inclusive: facts.taxInclusive,
    address: facts.address,
    zip: facts.address.zip,
    note: facts.note,
    placed_at: facts.placedAt,
    promised_at: facts.promisedAt ?? facts.placedAt + store.promiseMinutes * 60_000,
    updated_at: Math.max(...steps.map(({ at }) => at)),
    payment_id: newId(facts.placedAt),
    ...money,
    sale_id: newId(money.sold_at ?? facts.placedAt),
    sales: sums.subtotal - contained.goods,
    fees: facts.deliveryFee - contained.delivery,
    refund_id: newId(money.refunded_at ?? facts.placedAt),
    reversal_id: newId(money.refunded_at ?? facts.placedAt),
    reason: facts.reason ?? 'refunded before the import',
    assignment_id: carried ? newId(facts.offeredAt ?? facts.placedAt) : undefined,
    offered_at: facts.offeredAt,
    accepted_at: facts.acceptedAt,
    picked_up_at: facts.pickedUpAt,
    delivered_at: facts.deliveredAt,
    failed_at: facts.failedAt,
    fail_reason: facts.failReason,
    cash_due: cash,
    cash_collected: facts.deliveredAt !== undefined && facts.paymentMethod === 'COD' ? sums.total : undefined,
    fee_id: newId(facts.deliveredAt ?? facts.placedAt),
    agent_fee: carried && facts.deliveredAt !== undefined ? facts.agentFee : 0,
  };
}
