// The line to approach: node:http and pg executing Larder's own statements, with nothing around them. No validation, no
// authentication, no log, no metrics, no limits.
import { randomInt, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import pg from 'pg';
import { larderStatements, type PlacedLine } from './larder-statements.ts';

const { DATABASE_URL, BENCH_STORE_ID = '', PORT = '0' } = process.env;
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 20 });
const statements = await larderStatements(BENCH_STORE_ID);

interface OrderBody {
  lines: PlacedLine[];
  paymentMethod: string;
  deliveryAddress: object;
}

async function readJson<T>(request: IncomingMessage): Promise<T> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return JSON.parse(text) as T;
}

async function placeOrder(request: IncomingMessage): Promise<string> {
  const body = await readJson<OrderBody>(request);
  const customerId = String(request.headers['x-customer']);
  const { rows } = await pool.query<{ response: string }>({
    name: 'place',
    text: statements.placeOrderText,
    values: [
      BENCH_STORE_ID,
      randomUUID(),
      customerId,
      null,
      null,
      null,
      body.paymentMethod,
      null,
      body.lines.map((line) => line.variantId),
      body.lines.map((line) => line.quantity),
      JSON.stringify(body.deliveryAddress),
      null,
      null,
      null,
      String(randomInt(1_000_000)).padStart(6, '0'),
      null,
      'POST /api/orders',
      request.headers['idempotency-key'],
      'no fingerprint',
      null,
    ],
  });
  return rows[0]?.response ?? '{}';
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
