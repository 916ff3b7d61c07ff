import type { Fields } from './values.js';
import { required, Unusable } from './values.js';
import type { ImportStore } from './import-store.js';

const MOST_PIECES = 100_000;

export interface DraftLine {
  sku: string;
  item: string | null;
  quantity: number;
  unit_price: number;
  total: number;
  discount: number;
  tax: number;
}

/** An order of the past as its file tells it, in minor units and milliseconds. */
export interface OrderFacts {
  reference: string;
  status: 'DELIVERED' | 'CANCELLED' | 'RETURNED';
  paymentMethod: 'COD' | 'WALLET' | 'CARD';
  placedAt: number;
  promisedAt: number | undefined;
  customerEmail: string;
  customerName: string | undefined;
  agentEmail: string | undefined;
  agentName: string | undefined;
  address: { name: string; phone: string; line1: string; city: string; zip: string };
  note: string | undefined;
  deliveryFee: number;
  deliveryDiscount: number;
  deliveryTax: number;
  taxInclusive: boolean;
  total: number | undefined;
  offeredAt: number | undefined;
  acceptedAt: number | undefined;
  pickedUpAt: number | undefined;
  deliveredAt: number | undefined;
  failedAt: number | undefined;
  failReason: string | undefined;
  cancelledAt: number | undefined;
  returnedAt: number | undefined;
  reason: string | undefined;
  refunded: number | undefined;
  refundedAt: number | undefined;
  agentFee: number;
}

/** @throws Unusable */
export function draftLine(fields: Fields, { decimals }: ImportStore): DraftLine {
  const quantity = required('quantity', fields.wholeNumber('quantity', 1, MOST_PIECES));
  const unitPrice = required('unit_price', fields.amount('unit_price', decimals));
  const total = quantity * unitPrice;
  if (!Number.isSafeInteger(total)) throw new Unusable('unit_price: more than a shop can take');
  const discount = fields.amount('discount', decimals) ?? 0;
  if (discount > total) throw new Unusable('discount: more than the line comes to');
  return {
    sku: required('sku', fields.text('sku', 64)),
    item: fields.text('item', 400) ?? null,
    quantity,
    unit_price: unitPrice,
    total,
    discount,
    tax: fields.amount('tax', decimals) ?? 0,
  };
}

/** What the first line of an order says of it. @throws Unusable */
export function orderFacts(fields: Fields, { currency: own, decimals, taxInclusive }: ImportStore): OrderFacts {
  const currency = fields.text('currency', 3)?.toUpperCase();
  if (currency !== undefined && currency !== own) throw new Unusable(`currency: the store's is ${own}`);
  const customerEmail = required('customer_email', fields.email('customer_email'));
  const customerName = fields.text('customer_name', 200);
  const facts: OrderFacts = {
    reference: required('reference', fields.text('reference', 64)),
    status: required('status', fields.oneOf('status', ['DELIVERED', 'CANCELLED', 'RETURNED'])),
    paymentMethod: required('payment_method', fields.oneOf('payment_method', ['COD', 'WALLET', 'CARD'])),
    placedAt: required('placed_at', fields.time('placed_at')),
    promisedAt: fields.time('promised_at'),
    customerEmail,
    customerName,
    agentEmail: fields.email('agent_email'),
    agentName: fields.text('agent_name', 200),
    address: {
      name: fields.text('name', 200) ?? customerName ?? customerEmail,
      phone: fields.text('phone', 40) ?? '',
      line1: fields.text('line1', 200) ?? '',
      city: fields.text('city', 100) ?? '',
      zip: required('zip', fields.zip('zip')),
    },
    note: fields.prose('note', 1000),
    deliveryFee: fields.amount('delivery_fee', decimals) ?? 0,
    deliveryDiscount: fields.amount('delivery_discount', decimals) ?? 0,
    deliveryTax: fields.amount('delivery_tax', decimals) ?? 0,
    taxInclusive: fields.yesOrNo('tax_inclusive') ?? taxInclusive,
    total: fields.amount('total', decimals),
    offeredAt: fields.time('offered_at'),
    acceptedAt: fields.time('accepted_at'),
    pickedUpAt: fields.time('picked_up_at'),
    deliveredAt: fields.time('delivered_at'),
    failedAt: fields.time('failed_at'),
    failReason: fields.text('fail_reason', 500),
    cancelledAt: fields.time('cancelled_at'),
    returnedAt: fields.time('returned_at'),
    reason: fields.text('reason', 500),
    refunded: fields.amount('refunded', decimals),
    refundedAt: fields.time('refunded_at'),
    agentFee: fields.amount('agent_fee', decimals) ?? 0,
  };
  if (facts.deliveryDiscount > facts.deliveryFee) throw new Unusable('delivery_discount: more than delivery_fee');
  requireTimes(facts);
  return facts;
}

/** Each status has its times, and they follow each other. */
function requireTimes(facts: OrderFacts): void {
  const { status, deliveredAt, failedAt, cancelledAt, returnedAt, agentEmail } = facts;
  const wrong = {
    DELIVERED: !deliveredAt ? 'delivered_at: missing' : failedAt || cancelledAt || returnedAt ? NOT_OF_DELIVERED : '',
    CANCELLED: !cancelledAt ? 'cancelled_at: missing' : deliveredAt || failedAt || returnedAt ? NOT_OF_CANCELLED : '',
    RETURNED: !returnedAt ? 'returned_at: missing' : cancelledAt || (deliveredAt && failedAt) ? NOT_OF_RETURNED : '',
  }[status];
  if (wrong) throw new Unusable(wrong);
  if (status === 'CANCELLED' && agentEmail) throw new Unusable('agent_email: nobody carries a cancelled order');
  if (agentEmail) {
    for (const column of ['offeredAt', 'acceptedAt', 'pickedUpAt'] as const) required(COLUMN_OF[column], facts[column]);
    if (!deliveredAt && !failedAt) throw new Unusable('delivered_at: missing, and failed_at too');
  } else if (failedAt || facts.offeredAt || facts.acceptedAt) {
    throw new Unusable('agent_email: missing, though a delivery is told of');
  }
  if (facts.promisedAt !== undefined && facts.promisedAt < facts.placedAt)
    throw new Unusable('promised_at: before placed_at');
  let latest: keyof typeof COLUMN_OF = 'placedAt';
  for (const column of Object.keys(COLUMN_OF) as (keyof typeof COLUMN_OF)[]) {
    const moment = facts[column];
    if (moment === undefined) continue;
    if (moment < facts[latest]!) throw new Unusable(`${COLUMN_OF[column]}: before ${COLUMN_OF[latest]}`);
    latest = column;
  }
}

const NOT_OF_DELIVERED = 'status: DELIVERED, but it failed, was cancelled or was returned';
const NOT_OF_CANCELLED = 'status: CANCELLED, but it was delivered, failed or was returned';
const NOT_OF_RETURNED = 'status: RETURNED, but it was cancelled, or both delivered and not';
/** In the order in which they happen. */
const COLUMN_OF = {
  placedAt: 'placed_at',
  offeredAt: 'offered_at',
  acceptedAt: 'accepted_at',
  pickedUpAt: 'picked_up_at',
  deliveredAt: 'delivered_at',
  failedAt: 'failed_at',
  cancelledAt: 'cancelled_at',
  returnedAt: 'returned_at',
} as const;
