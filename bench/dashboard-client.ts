import { Agent, request } from 'node:http';
import { ADDRESS, pick } from './scene.ts';

/** The 14, those over a range of days with `?from=&to=`. How often somebody looks at each: the first page most. */
export const DASHBOARDS = [
  { name: 'overview', ranged: false, weight: 4 },
  { name: 'order-trends', ranged: true, weight: 2 },
  { name: 'sales-by-status', ranged: true, weight: 1 },
  { name: 'sales-by-payment-method', ranged: true, weight: 1 },
  { name: 'top-products', ranged: true, weight: 1 },
  { name: 'fulfilment', ranged: true, weight: 1 },
  { name: 'delivery-by-zip', ranged: true, weight: 1 },
  { name: 'agent-leaderboard', ranged: true, weight: 1 },
  { name: 'cash-outstanding', ranged: false, weight: 1 },
  { name: 'wallet-liabilities', ranged: false, weight: 1 },
  { name: 'refunds', ranged: true, weight: 1 },
  { name: 'low-stock', ranged: false, weight: 1 },
  { name: 'activity', ranged: false, weight: 2 },
  { name: 'mobile', ranged: false, weight: 2 },
] as const;
export const READ_MIX = DASHBOARDS.flatMap(({ name, weight }) => Array.from({ length: weight }, () => name));

const PASSWORD = 'larder-demo';
const STOCK = 100_000;
const CUSTOMERS = 20;
/** As many as there may be people: who waits for a connection of the client's would be taken for one who waits for Larder. */
const agent = new Agent({ keepAlive: true, maxSockets: 4096 });

export interface Answered {
  status: number;
  ms: number;
  body: string;
}

/** One request, from asking for a connection to the last byte. Status 0: there was no answer. */
export function send(url: string, method: string, headers: Record<string, string>, body?: string): Promise<Answered> {
  const started = performance.now();
  const took = (status: number, text = '') => ({ status, ms: performance.now() - started, body: text });
  return new Promise((resolve) => {
    const sent = request(url, { agent, method, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => (text += chunk));
      answer.on('end', () => resolve(took(answer.statusCode ?? 0, text)));
      answer.on('error', () => resolve(took(0)));
    });
    sent.on('error', () => resolve(took(0)));
    sent.end(body);
  });
}

/** Who looks and who orders in one store: tokens, good for a quarter of an hour at every Larder of this machine. */
export interface Shop {
  manager: string;
  customers: string[];
  variantIds: string[];
  zipCodes: string[];
}

interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

/** To look alone. */
export async function enterShop(base: string, slug: string): Promise<Shop> {
  return { manager: await login(base, slug, 'manager'), customers: [], variantIds: [], zipCodes: [] };
}

/** To order, too: all that the store sells, with enough of everything, to all zip codes that it delivers to. */
export async function enterShopToOrder(base: string, slug: string): Promise<Shop> {
  const shop = await enterShop(base, slug);
  const products = await all<{ variants: { id: string }[] }>(base, '/api/products', shop.manager);
  shop.variantIds = products.flatMap(({ variants }) => variants.map(({ id }) => id));
  for (const id of shop.variantIds) {
    await called(base, 'POST', `/api/inventory/${id}/adjustments`, shop.manager, { delta: STOCK, reason: 'RECEIPT' });
  }
  const zones = await all<{ zipCodes: string[] }>(base, '/api/zones', shop.manager);
  shop.zipCodes = zones.flatMap(({ zipCodes }) => zipCodes);
  for (let n = 1; n <= CUSTOMERS; n++) shop.customers.push(await login(base, slug, `customer${n}`));
  return shop;
}

async function all<T>(base: string, path: string, token: string): Promise<T[]> {
  const items: T[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const text = await called(base, 'GET', `${path}?limit=100${cursor && `&cursor=${cursor}`}`, token);
    const page = JSON.parse(text) as Page<T>;
    items.push(...page.items);
    cursor = page.nextCursor;
  }
  return items;
}

async function login(base: string, slug: string, name: string): Promise<string> {
  const credentials = { email: `${name}@${slug}.larder.test`, password: PASSWORD };
  const headers = { 'content-type': 'application/json', 'x-store': slug };
  const { status, body } = await send(`${base}/api/auth/login`, 'POST', headers, JSON.stringify(credentials));
  if (status !== 200 && status !== 201) throw new Error(`${credentials.email} can't log in: ${status} ${body}`);
  return (JSON.parse(body) as { accessToken: string }).accessToken;
}

async function called(base: string, method: string, path: string, token: string, body?: object): Promise<string> {
  const answer = await send(`${base}${path}`, method, headersOf(token), body && JSON.stringify(body));
  if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${answer.body}`);
  return answer.body;
}

function headersOf(token: string): Record<string, string> {
  return { 'content-type': 'application/json', authorization: `Bearer ${token}` };
}

export function look(base: string, shop: Shop, dashboard: string, query = ''): Promise<Answered> {
  return send(`${base}/api/dashboard/${dashboard}${query}`, 'GET', headersOf(shop.manager));
}

let placed = 0;

/** Two goods, cash on delivery. */
export function order(base: string, shop: Shop): Promise<Answered> {
  const lines = [...new Set([pick(shop.variantIds), pick(shop.variantIds)])].map((variantId) => ({
    variantId,
    quantity: 1,
  }));
  const headers = {
    ...headersOf(pick(shop.customers)),
    'idempotency-key': `bench-${process.pid}-${Date.now()}-${placed++}`,
  };
  const deliveryAddress = { ...ADDRESS, zip: pick(shop.zipCodes) };
  return send(`${base}/api/orders`, 'POST', headers, JSON.stringify({ lines, paymentMethod: 'COD', deliveryAddress }));
}
