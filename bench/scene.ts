/** What the load is made of: customers with tokens, variants with stock, some orders to read. Made over HTTP. */
export interface Customer {
  id: string;
  token: string;
}

export interface Scene {
  storeId: string;
  customers: Customer[];
  variantIds: string[];
  /** As many that orders seldom meet on one: a shop's window is full long before it is contended for. */
  slotIds: string[];
  couponCodes: string[];
  orders: { id: string; customer: Customer }[];
}

const PASSWORD = 'larder-demo';
const STOCK = 900_000;
const CUSTOMERS = 20;
const ORDERS_TO_READ = 200;
const WINDOW_DAYS = 25;
const WINDOW_HOURS = ['08', '11', '14', '17'];
const COUPONS = 50;
const ROOM = 100_000;
const DAY_MS = 86_400_000;

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

/** @param bookable whether there are windows and coupons at all */
export async function setScene(base: string, storeId: string, bookable = true): Promise<Scene> {
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
  const scene: Scene = {
    storeId,
    customers,
    variantIds,
    slotIds: bookable ? await makeSlots(base, manager) : [],
    couponCodes: bookable ? await makeCoupons(base, manager) : [],
    orders: [],
  };
  for (let n = 0; n < ORDERS_TO_READ; n++) {
    scene.orders.push(await place(base, scene, false));
  }
  return scene;
}

async function makeSlots(base: string, manager: Customer): Promise<string[]> {
  const { items } = await call<{ items: { id: string }[] }>(`${base}/api/zones`, manager.token);
  const zoneId = items[0]?.id;
  const days = Array.from({ length: WINDOW_DAYS }, (_, n) =>
    new Date(Date.now() + (n + 2) * DAY_MS).toISOString().slice(0, 10),
  );
  const windows = WINDOW_HOURS.map((hour) => ({ start: `${hour}:30`, end: `${hour}:59`, capacity: ROOM }));
  await call(`${base}/api/slots`, manager.token, { zoneId, from: days[0], to: days.at(-1), windows });
  const slots: { id: string; capacity: number }[] = [];
  for (const date of days) {
    const day = await call<{ items: typeof slots }>(`${base}/api/zones/${zoneId}/slots?date=${date}`, manager.token);
    slots.push(...day.items);
  }
  return slots.filter(({ capacity }) => capacity === ROOM).map(({ id }) => id);
}

/** With both limits, which is the most that is counted. */
async function makeCoupons(base: string, manager: Customer): Promise<string[]> {
  const codes = Array.from({ length: COUPONS }, (_, n) => `BENCH-${process.pid}-${n}`);
  for (const code of codes) {
    const limits = { usageLimit: 1_000_000_000, customerLimit: 1_000_000_000 };
    await call(`${base}/api/coupons`, manager.token, { code, kind: 'PERCENTAGE', value: 100_000, ...limits });
  }
  return codes;
}

export async function place(base: string, scene: Scene, booked: boolean): Promise<{ id: string; customer: Customer }> {
  const { customer, body, key } = nextOrder(scene, booked);
  const { id } = await call<{ id: string }>(`${base}/api/orders`, customer.token, body, key);
  return { id, customer };
}

let placed = 0;

/** An order nobody has placed before: two lines of different variants, cash on delivery; with a window and a coupon if booked. */
export function nextOrder(scene: Scene, booked: boolean): { customer: Customer; body: object; key: string } {
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
      ...(booked && { slotId: pick(scene.slotIds), couponCode: pick(scene.couponCodes) }),
    },
  };
}

export function pick<T>(from: readonly T[]): T {
  return from[Math.floor(Math.random() * from.length)] as T;
}
