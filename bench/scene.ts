/** What the load is made of: customers with tokens, variants with stock, some orders to read. Made over HTTP. */
export interface Customer {
  id: string;
  token: string;
}

export interface Scene {
  storeId: string;
  customers: Customer[];
  variantIds: string[];
  orders: { id: string; customer: Customer }[];
}

const PASSWORD = 'larder-demo';
const STOCK = 900_000;
const CUSTOMERS = 20;
const ORDERS_TO_READ = 200;

export const ADDRESS = {
  name: 'A customer',
  phone: '+1 212 555 0100',
  line1: '1 Main Street',
  city: 'New York',
  zip: '10001',
};

interface ProductPage {
  items: { variants: { id: string }[] }[];
  nextCursor: string | null;
}

async function call<T>(url: string, token?: string, body?: object, key?: string): Promise<T> {
  const response = await fetch(url, {
    method: body ? 'POST' : 'GET',
    headers: {
      'content-type': 'application/json',
      ...(token && { authorization: `Bearer ${token}` }),
      ...(key && { 'idempotency-key': key }),
    },
    body: body && JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

async function login(base: string, email: string): Promise<Customer> {
  const { accessToken, user } = await call<{ accessToken: string; user: { id: string } }>(
    `${base}/api/auth/login`,
    undefined,
    { email, password: PASSWORD },
  );
  return { id: user.id, token: accessToken };
}

export async function setScene(base: string, storeId: string): Promise<Scene> {
  const manager = await login(base, 'manager@larder.test');
  const variantIds: string[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: ProductPage = await call(`${base}/api/products?limit=100${cursor && `&cursor=${cursor}`}`);
    variantIds.push(...page.items.flatMap((product) => product.variants.map((variant) => variant.id)));
    cursor = page.nextCursor;
  }
  for (const id of variantIds) {
    await call(`${base}/api/inventory/${id}/adjustments`, manager.token, { delta: STOCK, reason: 'RECEIPT' });
  }
  const customers: Customer[] = [];
  for (let n = 1; n <= CUSTOMERS; n++) customers.push(await login(base, `customer${n}@larder.test`));
  const scene: Scene = { storeId, customers, variantIds, orders: [] };
  for (let n = 0; n < ORDERS_TO_READ; n++) {
    const { customer, body, key } = nextOrder(scene);
    const { id } = await call<{ id: string }>(`${base}/api/orders`, customer.token, body, key);
    scene.orders.push({ id, customer });
  }
  return scene;
}

let placed = 0;

/** An order nobody has placed before: two lines of different variants, cash on delivery. */
export function nextOrder(scene: Scene): { customer: Customer; body: object; key: string } {
  const [first, second] = [pick(scene.variantIds), pick(scene.variantIds)];
  return {
    customer: pick(scene.customers),
    key: `bench-${process.pid}-${Date.now()}-${placed++}`,
    body: {
      lines: [
        { variantId: first, quantity: 1 },
        { variantId: second, quantity: 2 },
      ],
      paymentMethod: 'COD',
      deliveryAddress: ADDRESS,
    },
  };
}

export function pick<T>(from: readonly T[]): T {
  return from[Math.floor(Math.random() * from.length)] as T;
}
