import { createHash, hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readLines } from './lines.ts';
import type { RejectedLines } from './rejected-lines.ts';
import { judge, type UsableLine } from './usable-line.ts';

/** Most lines of one order in Larder. */
const MOST_LINES = 1000;

/** A stock code at one price: Larder's variant, since an order's prices come from the catalog alone. */
export interface PlannedVariant {
  stockCode: string;
  /** Minor units. */
  price: number;
  /** What the file sells of it, which has to be on the shelf before. */
  sold: number;
}

export interface PlannedProduct {
  stockCode: string;
  name: string;
  variants: Map<number, PlannedVariant>;
}

export interface PlannedLine {
  no: number;
  variant: PlannedVariant;
  quantity: number;
}

export interface PlannedOrder {
  /** Names it in this run: invoice, customer and, beyond 1,000 lines, part. */
  name: string;
  customer: string;
  lines: PlannedLine[];
}

export interface Cancellation {
  invoice: string;
  orders: PlannedOrder[];
}

/** Goods of a cancellation that undoes no whole order of the file. */
export interface PlannedReturn {
  invoice: string;
  line: PlannedLine;
}

export interface Plan {
  /** Begins with the content's hash: another file is another run, the same file the same. */
  run: string;
  lineCount: number;
  products: PlannedProduct[];
  orders: PlannedOrder[];
  cancellations: Cancellation[];
  returns: PlannedReturn[];
}

interface Invoice {
  number: string;
  customer: string;
  cancellation: boolean;
  lines: PlannedLine[];
}

/** Reads the file once, as a stream. What stays in memory is a variant and a quantity for each usable line. */
export async function readPlan(file: string, runName: string, rejected: RejectedLines): Promise<Plan> {
  const content = createHash('sha256').update(runName).update('\0');
  const products = new Map<string, PlannedProduct>();
  const invoices = new Map<string, Invoice>();
  let lineCount = 0;
  for await (const batch of readLines(hashed(createReadStream(file), content))) {
    for (const { no, text, fault, fields } of batch) {
      if (no === 1 && fields[0]?.trim().toLowerCase() === 'invoiceno') continue;
      lineCount += 1;
      const line = fault ?? judge(fields);
      if (typeof line === 'string') await rejected.add(no, line, text);
      else addLine(no, line, products, invoices);
    }
  }
  const run = content.digest('hex').slice(0, 8);
  return { run, lineCount, products: [...products.values()], ...settle([...invoices.values()]) };
}

async function* hashed(
  chunks: AsyncIterable<Uint8Array>,
  content: { update(chunk: Uint8Array): unknown },
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    content.update(chunk);
    yield chunk;
  }
}

function addLine(
  no: number,
  line: UsableLine,
  products: Map<string, PlannedProduct>,
  invoices: Map<string, Invoice>,
): void {
  const { stockCode, description, price, quantity, customer, cancellation } = line;
  const product = getOrAdd(products, stockCode, (): PlannedProduct => ({
    stockCode,
    name: description,
    variants: new Map(),
  }));
  const variant = getOrAdd(product.variants, price, () => ({ stockCode, price, sold: 0 }));
  if (!cancellation) variant.sold += quantity;
  const invoice = getOrAdd(invoices, `${line.invoice} ${customer}`, () => ({
    number: line.invoice,
    customer,
    cancellation,
    lines: [],
  }));
  invoice.lines.push({ no, variant, quantity });
}

/**
 * A cancellation of exactly the lines of an earlier invoice of the same customer (the latest such that isn't cancelled yet)
 * cancels its order; the goods of any other are returned.
 */
function settle(invoices: Invoice[]): Pick<Plan, 'orders' | 'cancellations' | 'returns'> {
  const orders: PlannedOrder[] = [];
  const cancellations: Cancellation[] = [];
  const returns: PlannedReturn[] = [];
  const cancellable = new Map<string, PlannedOrder[][]>();
  for (const invoice of invoices) {
    const alike = getOrAdd(cancellable, signature(invoice), () => []);
    if (!invoice.cancellation) {
      const placed = ordersOf(invoice);
      orders.push(...placed);
      alike.push(placed);
      continue;
    }
    // Nobody knows whether two customers without a number are the same one.
    const cancelled = invoice.customer === '' ? undefined : alike.pop();
    if (cancelled) cancellations.push({ invoice: invoice.number, orders: cancelled });
    else returns.push(...invoice.lines.map((line) => ({ invoice: invoice.number, line })));
  }
  return { orders, cancellations, returns };
}

function signature({ customer, lines }: Invoice): string {
  const goods = lines.map(({ variant, quantity }) => `${variant.stockCode}@${variant.price}*${quantity}`).sort();
  return hash('sha256', [customer, ...goods].join('\n'));
}

function ordersOf({ number, customer, lines }: Invoice): PlannedOrder[] {
  const name = `${number}-${customer || 'guest'}`;
  const orders: PlannedOrder[] = [];
  for (let from = 0; from < lines.length; from += MOST_LINES) {
    const part = from === 0 ? '' : `-part${from / MOST_LINES + 1}`;
    orders.push({ name: name + part, customer, lines: lines.slice(from, from + MOST_LINES) });
  }
  return orders;
}

function getOrAdd<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}
