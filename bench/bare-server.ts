// The line to approach: node:http and pg executing Larder's own statements, with nothing around them. No validation, no
// authentication, no log, no metrics, no limits. BENCH_STATEMENTS=before: the statement that placed orders before windows,
// coupons and taxes, on a database of those days.
import { randomInt, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import pg from 'pg';
import { PLACE_ORDER_BEFORE } from './before.ts';
import { larderStatements, type PlacedLine } from './larder-statements.ts';

const { DATABASE_URL, BENCH_STORE_ID = '', BENCH_STATEMENTS = 'today', PORT = '0' } = process.env;
const pool = new pg.Pool({
  connectionString: DATABASE_URL,
  application_name: `bench ${BENCH_STATEMENTS}`,
  max: 20,
  // Kept between rounds: their CPU time is read before and after each.
  idleTimeoutMillis: 0,
});
const statements = await larderStatements(BENCH_STORE_ID);

interface OrderBody {
  lines: PlacedLine[];
  paymentMethod: string;
  deliveryAddress: object;
  slotId?: string;
  couponCode?: string;
}

interface Placement {
  orderId: string;
  customerId: string;
  body: OrderBody;
  variantIds: string[];
  quantities: number[];
  deliveryCode: string;
  key: string;
}

async function readJson<T>(request: IncomingMessage): Promise<T> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return JSON.parse(text) as T;
}

async function placeOrder(request: IncomingMessage): Promise<string> {
  const body = await readJson<OrderBody>(request);
  const placement = {
    orderId: randomUUID(),
    customerId: String(request.headers['x-customer']),
    body,
    variantIds: body.lines.map((line) => line.variantId),
    quantities: body.lines.map((line) => line.quantity),
    deliveryCode: String(randomInt(1_000_000)).padStart(6, '0'),
    key: String(request.headers['idempotency-key']),
  };
  const [text, values] =
    BENCH_STATEMENTS === 'before'
      ? [PLACE_ORDER_BEFORE, valuesBefore(placement)]
      : [statements.placeOrderText, valuesToday(placement)];
  const { rows } = await pool.query<{ outcome: string; response: string }>({ name: 'place', text, values });
  if (rows[0]?.outcome !== 'PLACED') throw new Error(`Not placed: ${rows[0]?.outcome}`);
  return rows[0].response;
}

function valuesToday({ body, ...p }: Placement): unknown[] {
  return [
    BENCH_STORE_ID,
    p.orderId,
    p.customerId,
    null,
    null,
    null,
    body.paymentMethod,
    null,
    p.variantIds,
    p.quantities,
    JSON.stringify(body.deliveryAddress),
    body.slotId ?? null,
    body.couponCode ?? null,
    null,
    p.deliveryCode,
    null,
    'POST /api/orders',
    p.key,
    'no fingerprint',
    null,
  ];
}

function valuesBefore({ body, ...p }: Placement): unknown[] {
  return [
    BENCH_STORE_ID,
    p.orderId,
    p.customerId,
    body.paymentMethod,
    p.variantIds,
    p.quantities,
    JSON.stringify(body.deliveryAddress),
    p.deliveryCode,
    null,
    'POST /api/orders',
    p.key,
    'no fingerprint',
  ];
}

async function listProducts(): Promise<string> {
  const { text, values } = statements.products;
  const { rows } = await pool.query<{ document: string }>({ name: 'products', text, values: [...values] });
  return `{"items":[${rows.map((row) => row.document).join(',')}]}`;
}

async function findOrder(request: IncomingMessage): Promise<string> {
  const { text, values } = statements.order(
    request.url?.split('/').at(-1) ?? '',
    String(request.headers['x-customer']),
  );
  const { rows } = await pool.query<{ document: string }>({ name: 'order', text, values: [...values] });
  return rows[0]?.document ?? '{}';
}

async function answer(request: IncomingMessage): Promise<string> {
  if (request.url === '/cpu') return JSON.stringify(process.cpuUsage());
  if (request.method === 'POST') return placeOrder(request);
  return request.url?.startsWith('/api/products') ? listProducts() : findOrder(request);
}

const server = createServer((request, response) => {
  answer(request).then(
    (text) =>
      response.writeHead(request.method === 'POST' ? 201 : 200, { 'content-type': 'application/json' }).end(text),
    (error: unknown) => response.writeHead(500).end(String(error)),
  );
});
server.listen(Number(PORT), '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`listening ${typeof address === 'object' ? address?.port : ''}\n`);
});
