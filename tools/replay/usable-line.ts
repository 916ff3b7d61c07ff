/** Most pieces that a line of an order can have in Larder. */
const MOST_PIECES = 100_000;
const COLUMNS = 8;

/** What the shop books in its invoices that is not goods: postage, carriage, discounts, samples, fees, corrections by hand. */
const NOT_GOODS = new Set([
  'ADJUST',
  'ADJUST2',
  'AMAZONFEE',
  'B',
  'BANK CHARGES',
  'C2',
  'CRUK',
  'D',
  'DOT',
  'M',
  'POST',
  'S',
]);

const INVOICE = /^C?\d{1,12}$/;
/** No @: it parts stock code and price in a SKU. */
const STOCK_CODE = /^[A-Z0-9][A-Z0-9_ .-]{0,29}$/;
const QUANTITY = /^-?\d{1,7}$/;
const DATE = /^(0?[1-9]|[12]\d|3[01])\/(0?[1-9]|1[0-2])\/\d{4} ([01]?\d|2[0-3]):[0-5]\d$/;
const PRICE = /^(-?)(\d{1,8})(?:,(\d+))?$/;
const CUSTOMER = /^\d{0,10}$/;

/** A line that can be replayed. */
export interface UsableLine {
  /** Begins with C when it is a cancellation. */
  invoice: string;
  cancellation: boolean;
  /** Upper case: 85123a and 85123A are the same goods, typed by two people. */
  stockCode: string;
  description: string;
  /** Above zero, of a cancellation too. */
  quantity: number;
  /** Minor units. */
  price: number;
  /** Empty when the file names none. */
  customer: string;
}

/** The line, or in a few words why it can't be used: the first reason found, most telling first. */
export function judge(fields: string[]): UsableLine | string {
  if (fields.length !== COLUMNS) return fields.length < COLUMNS ? 'too few columns' : 'too many columns';
  const [number, code, description, pieces, date, amount, customer] = fields.map((field) => field.trim());
  const invoice = number?.toUpperCase() ?? '';
  const stockCode = code?.toUpperCase() ?? '';
  if (!INVOICE.test(invoice)) return 'invoice number not understood';
  if (stockCode === '') return 'no stock code';
  if (NOT_GOODS.has(stockCode)) return `not goods: ${stockCode}`;
  if (!STOCK_CODE.test(stockCode)) return 'stock code not understood';
  const cancellation = invoice.startsWith('C');
  const quantity = quantityOf(pieces ?? '', cancellation);
  if (typeof quantity === 'string') return quantity;
  if (!/[\p{L}\p{N}]/u.test(description ?? '')) return 'no description';
  const price = priceOf(amount ?? '');
  if (typeof price === 'string') return price;
  if (!DATE.test(date ?? '')) return 'date not understood';
  if (!CUSTOMER.test(customer ?? '')) return 'customer number not understood';
  return {
    invoice,
    cancellation,
    stockCode,
    description: description ?? '',
    quantity,
    price,
    customer: customer ?? '',
  };
}

function quantityOf(text: string, cancellation: boolean): number | string {
  if (!QUANTITY.test(text)) return 'quantity not understood';
  const quantity = cancellation ? -Number(text) : Number(text);
  if (quantity === 0) return 'no quantity';
  if (quantity < 0) return cancellation ? 'cancellation of a positive quantity' : 'negative stock';
  if (quantity > MOST_PIECES) return `more than ${MOST_PIECES} pieces`;
  return quantity;
}

function priceOf(text: string): number | string {
  const [, minus, units, fraction = ''] = PRICE.exec(text) ?? [];
  if (units === undefined) return 'price not understood';
  const decimals = fraction.replace(/0+$/, '');
  if (Number(units) === 0 && decimals === '') return 'no price';
  if (minus) return 'negative price';
  if (decimals.length > 2) return 'price not in whole cents';
  return Number(units) * 100 + Number(decimals.padEnd(2, '0'));
}
