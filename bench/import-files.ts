import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';

const PRODUCTS = 800;
const VARIANTS = 3;
const AGENTS = 40;
const ORDERS_OF_A_CUSTOMER = 6;
const MINUTE = 60_000;
const FIRST_DAY = Date.UTC(2021, 0, 4, 8);
const ORDER_COLUMNS = [
  ...[
    'reference',
    'placed_at',
    'status',
    'payment_method',
    'customer_email',
    'customer_name',
    'name',
    'phone',
    'line1',
  ],
  ...['city', 'zip', 'note', 'delivery_fee', 'delivery_tax', 'tax_inclusive', 'total', 'promised_at', 'agent_email'],
  ...['agent_name', 'offered_at', 'accepted_at', 'picked_up_at', 'delivered_at', 'failed_at', 'fail_reason'],
  ...['cancelled_at', 'returned_at', 'reason', 'refunded', 'refunded_at', 'agent_fee', 'sku', 'quantity', 'unit_price'],
  ...['item', 'discount', 'tax'],
];

type Cells = Record<string, string | number>;

/** Mulberry32: the same files on every machine. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const money = (cents: number): string => (cents / 100).toFixed(2);
const skuOf = (variant: number): string => `BENCH-${String(variant).padStart(5, '0')}`;
const priceOf = (variant: number): number => 199 + ((variant * 7919) % 4800);
const nameOf = (variant: number): string => `Product ${Math.floor(variant / VARIANTS)}`;

/** 800 products in 20 categories, three variants of each. */
export async function writeCatalog(path: string): Promise<void> {
  const rows = Array.from({ length: PRODUCTS * VARIANTS }, (_, variant) => {
    const product = Math.floor(variant / VARIANTS);
    const category = `bench-${product % 20}`;
    const size = ['small', 'medium', 'large'][variant % VARIANTS];
    return `${skuOf(variant)},bench-${product},${nameOf(variant)},${money(priceOf(variant))},${size},${category},100`;
  });
  await writeFile(path, `sku,product,name,price,variant,category,on_hand\n${rows.join('\n')}\n`);
}

/**
 * Orders as a shop has them, by time: 1 to 4 lines (2.5), 90 % delivered, 6 % cancelled, 4 % returned, half of them cash; an
 * agent on all that left the shop, one in thirty partly refunded.
 */
export async function writeOrders(path: string, orders: number): Promise<void> {
  const next = random(20261121);
  const out = createWriteStream(path);
  out.write(`${ORDER_COLUMNS.join(',')}\n`);
  for (let order = 0; order < orders; order++) {
    const text = linesOf(order, orders, next)
      .map((cells) => `${ORDER_COLUMNS.map((column) => cells[column] ?? '').join(',')}\n`)
      .join('');
    if (!out.write(text)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'close');
}

function linesOf(order: number, orders: number, next: () => number): Cells[] {
  const whole = (below: number): number => Math.floor(next() * below);
  const customer = whole(Math.max(1, Math.floor(orders / ORDERS_OF_A_CUSTOMER)));
  const lines = Array.from({ length: 1 + whole(4) }, () => {
    const variant = whole(PRODUCTS * VARIANTS);
    const quantity = 1 + whole(3);
    const worth = priceOf(variant) * quantity;
    const [discount, tax] = [next() < 0.1 ? Math.floor(worth / 10) : 0, Math.floor(worth / 12)];
    const cells = { sku: skuOf(variant), quantity, unit_price: money(priceOf(variant)), item: nameOf(variant) };
    return { ...cells, discount: money(discount), tax: money(tax), due: worth - discount + tax };
  });
  const total = lines.reduce((sum, { due }) => sum + due, 0) + 299 + 24;
  const cells: Cells = {
    reference: `BENCH-${order}`,
    payment_method: ['COD', 'COD', 'WALLET', 'CARD'][whole(4)]!,
    customer_email: `customer${customer}@bench.test`,
    customer_name: `Customer ${customer}`,
    name: `Customer ${customer}`,
    phone: `+1 212 555 ${String(customer % 10_000).padStart(4, '0')}`,
    line1: `${1 + (customer % 900)} Main Street`,
    city: 'New York',
    zip: String(10_001 + (customer % 60)),
    note: next() < 0.1 ? 'Please ring twice' : '',
    delivery_fee: '2.99',
    delivery_tax: '0.24',
    tax_inclusive: 'false',
    total: money(total),
    ...endOf(order, total, next),
  };
  return lines.map(({ due: _, ...line }) => ({ ...cells, ...line }));
}

/** What became of it, and when. */
function endOf(order: number, total: number, next: () => number): Cells {
  const placed = FIRST_DAY + order * 4 * MINUTE;
  const after = (minutes: number): string => new Date(placed + minutes * MINUTE).toISOString();
  const times = { placed_at: after(0), promised_at: after(45) };
  const fate = next();
  if (fate < 0.06) return { ...times, status: 'CANCELLED', cancelled_at: after(7), reason: 'Changed his mind' };
  const agent = Math.floor(next() * AGENTS);
  const carried = {
    ...times,
    agent_email: `agent${agent}@bench.test`,
    agent_name: `Agent ${agent}`,
    offered_at: after(1),
    accepted_at: after(2),
    picked_up_at: after(12),
  };
  if (fate < 0.08) {
    const refused = { failed_at: after(33), fail_reason: 'Nobody at home', returned_at: after(90), reason: 'Refused' };
    return { ...carried, ...refused, status: 'RETURNED' };
  }
  const delivered = { ...carried, delivered_at: after(25 + Math.floor(next() * 30)), agent_fee: '2.50' };
  if (fate < 0.1) return { ...delivered, status: 'RETURNED', returned_at: after(3000), reason: 'Not as described' };
  if (fate > 0.03 * 0.9 + 0.1) return { ...delivered, status: 'DELIVERED' };
  const refund = { refunded: money(Math.floor(total / 3)), refunded_at: after(1500), reason: 'One was broken' };
  return { ...delivered, ...refund, status: 'DELIVERED' };
}
