import { createReadStream } from 'node:fs';

/** What was sold and came back of a stock code: pieces, and revenue in minor units. */
export interface Sums {
  sold: bigint;
  revenue: bigint;
  returned: bigint;
}

export interface Totals {
  orders: number;
  cancelled: number;
  byStockCode: Map<string, Sums>;
}

/*
 * The file's side of the reconciliation. It shares no code with the replay on purpose: its own reading, its own splitting
 * and its own rules of what is usable, so that an error of the one shows as a difference to the other.
 */

const LONGEST = 16_384;
const LINES_PER_ORDER = 1000;
const NOT_GOODS = /^(ADJUST2?|AMAZONFEE|B|BANK CHARGES|C2|CRUK|D|DOT|M|POST|S)$/i;
const USABLE = [
  /^c?\d{1,12}$/i,
  /^[a-z0-9][a-z0-9_ .-]{0,29}$/i,
  /[\p{L}\p{N}]/u,
  /^-?\d{1,7}$/,
  /^(0?[1-9]|[12][0-9]|3[01])\/(0?[1-9]|1[012])\/[0-9]{4} ([0-9]|[01][0-9]|2[0-3]):[0-5][0-9]$/,
  /^\d{1,8}(,\d{1,2}0*)?$/,
  /^\d{0,10}$/,
  /^/,
];

/** One invoice of one customer: pieces by "code price", and each of its lines as text. */
type Invoice = {
  cancels: boolean;
  known: boolean;
  customer: string;
  lines: { code: string; pieces: bigint; cents: bigint }[];
};

export async function sumFile(path: string): Promise<Totals> {
  const invoices = new Map<string, Invoice>();
  let rest: string | undefined;
  for await (const chunk of createReadStream(path, 'utf8')) {
    const text = String(chunk);
    const lines = (rest === undefined ? text.replace(/^\uFEFF/, '') : rest + text).split('\n');
    rest = (lines.pop() ?? '').slice(0, LONGEST + 10);
    for (const line of lines) take(line, invoices);
  }
  take(rest ?? '', invoices);
  return addUp(invoices);
}

function take(text: string, invoices: Map<string, Invoice>): void {
  const line = text.replace(/\r$/, '');
  if (line.length > LONGEST) return;
  const cells = splitCells(line)?.map((cell) => cell.trim()) ?? [];
  if (cells.length !== USABLE.length || !cells.every((cell, index) => USABLE[index]?.test(cell))) return;
  const [number = '', code = '', , quantity = '', , price = '', customer = ''] = cells;
  const cancels = /^c/i.test(number);
  const pieces = BigInt(quantity) * (cancels ? -1n : 1n);
  const [units = '0', fraction = ''] = price.split(',');
  const cents = BigInt(units + fraction.slice(0, 2).padEnd(2, '0'));
  if (NOT_GOODS.test(code) || pieces < 1n || pieces > 100_000n || cents === 0n) return;
  const key = `${number.toUpperCase()}/${customer}`;
  const invoice = invoices.get(key) ?? { cancels, known: customer !== '', customer, lines: [] };
  invoices.set(key, invoice);
  invoice.lines.push({ code: code.toUpperCase(), pieces, cents });
}

/** Undefined when a quote is opened and never closed. A quote that ends before its field does is part of the text. */
export function splitCells(line: string): string[] | undefined {
  const cells: string[] = [];
  for (let at = 0; ;) {
    let end = at;
    if (line[at] === '"') {
      const quoted = /"(?:[^"]|"")*"(?!")/y;
      quoted.lastIndex = at;
      if (!quoted.test(line)) return undefined;
      end = quoted.lastIndex;
    }
    const next = line.indexOf(';', end);
    const cell = line.slice(at, next < 0 ? undefined : next);
    cells.push(end === at + cell.length && end > at ? cell.slice(1, -1).replaceAll('""', '"') : cell);
    if (next < 0) return cells;
    at = next + 1;
  }
}

function addUp(invoices: Map<string, Invoice>): Totals {
  const byStockCode = new Map<string, Sums>();
  const open = new Map<string, number>();
  const totals: Totals = { orders: 0, cancelled: 0, byStockCode };
  for (const { cancels, known, customer, lines } of invoices.values()) {
    const alike = `${customer}:${lines
      .map(({ code, cents, pieces }) => `${code} ${cents} ${pieces}`)
      .sort()
      .join()}`;
    const waiting = open.get(alike) ?? 0;
    const orders = Math.ceil(lines.length / LINES_PER_ORDER);
    const undoes = cancels && known && waiting > 0;
    if (!cancels) open.set(alike, waiting + 1);
    if (undoes) open.set(alike, waiting - 1);
    if (!cancels) totals.orders += orders;
    if (undoes) totals.cancelled += orders;
    // A cancellation that undoes an order takes back what that order has added; any other one returns goods.
    const sign = cancels ? -1n : 1n;
    for (const { code, pieces, cents } of lines) {
      const sums = byStockCode.get(code) ?? { sold: 0n, revenue: 0n, returned: 0n };
      byStockCode.set(code, sums);
      if (cancels && !undoes) {
        sums.returned += pieces;
        continue;
      }
      sums.sold += sign * pieces;
      sums.revenue += sign * pieces * cents;
    }
  }
  return totals;
}
