import { newId } from '../../src/common/ids.js';
import { ROLES } from '../../src/common/request-context.js';
import type { TestApp } from './app.js';
import { ADDRESS, Factory, freshKey, type TestStore, type TestUser, tokenFor } from './factories.js';
import type { KnownIds } from './hostile-input.js';
import { openMoneyScene } from './money-scene.js';
import type { Route } from './routes.js';

export interface Scene {
  store: TestStore;
  customer: TestUser;
  agent: TestUser;
  support: TestUser;
  manager: TestUser;
  admin: TestUser;
  /** One who may do everything: all roles, a customer's wallet, an agent's zip codes. */
  everyone: TestUser;
  /** One of each thing that an address can name. */
  ids: Record<
    | 'category'
    | 'product'
    | 'variant'
    | 'cart'
    | 'everyonesCart'
    | 'zone'
    | 'slot'
    | 'coupon'
    | 'order'
    | 'payment'
    | 'assignment'
    | 'agent'
    | 'wallet'
    | 'everyonesWallet'
    | 'deadJob'
    | 'refund'
    | 'approval'
    | 'notification',
    string
  >;
}

interface Placed {
  id: string;
  deliveryCode: string;
  total: object;
}

export type Stage = 'OFFERED' | 'ACCEPTED' | 'PICKED_UP' | 'DELIVERED';

/** A store with one of everything in it: money in wallets, products on the shelf, an order on its way to this stage. */
export async function openScene(larder: TestApp, slug: string, stage: Stage = 'OFFERED'): Promise<Scene> {
  const make = new Factory(larder.sql);
  const store = await make.store(slug);
  const people = {
    customer: await make.user(store, 'CUSTOMER'),
    agent: await make.agent(store),
    support: await make.user(store, 'SUPPORT'),
    manager: await make.user(store, 'MANAGER'),
    admin: await make.user(store, 'ADMIN'),
    everyone: await everyoneOf(larder, make, store),
  };
  const variant = await make.variant(store, { onHand: 100_000 });
  for (const person of [people.customer, people.everyone]) await make.topUp(store, person, 10_000_000);
  const category = newId();
  await larder.sql.query('INSERT INTO categories (store_id, id, slug, name) VALUES ($1, $2, $3, $3)', [
    store.id,
    category,
    `category-${category}`,
  ]);
  const cart = await make.cart(store, people.customer, variant);
  const everyonesCart = await make.cart(store, people.everyone, variant);
  const window = await make.slot(store);
  const coupon = await make.coupon(store);
  const order = await ask(larder, people.customer, '/api/orders', {
    lines: [{ variantId: variant, quantity: 1 }],
    paymentMethod: 'COD',
    deliveryAddress: ADDRESS,
  });
  const assignment = await ask(larder, people.manager, '/api/shipping/assignments', { orderId: order.id });
  await carry(larder, people.everyone, order, assignment.id, stage);
  const { rows } = await larder.sql.query<{
    product: string;
    payment: string;
    wallet: string;
    everyonesWallet: string;
  }>(
    `SELECT (SELECT product_id FROM variants WHERE id = $1) AS product,
            (SELECT id FROM payments WHERE order_id = $2) AS payment,
            (SELECT id FROM wallets WHERE owner_id = $3 AND kind = 'CUSTOMER') AS wallet,
            (SELECT id FROM wallets WHERE owner_id = $4 AND kind = 'CUSTOMER') AS "everyonesWallet"`,
    [variant, order.id, people.customer.id, people.everyone.id],
  );
  const deadJob = newId();
  await larder.sql.query(
    `INSERT INTO dead_jobs (store_id, id, name, payload, attempts, max_attempts, error, created_at, died_at)
     VALUES ($1, $2, 'jobs.check', json_build_object('store', $1::uuid, 'data', json_build_object()), 1, 1, 'NO', now(), now())`,
    [store.id, deadJob],
  );
  const money = await openMoneyScene(larder, store, people, variant);
  const ids = {
    ...money,
    deadJob,
    category,
    variant,
    cart,
    everyonesCart,
    ...window,
    coupon,
    order: order.id,
    assignment: assignment.id,
    agent: people.everyone.id,
    ...rows[0]!,
  };
  return { store, ...people, ids };
}

async function carry(larder: TestApp, agent: TestUser, order: Placed, assignment: string, stage: Stage): Promise<void> {
  const step = (name: string, body?: object) =>
    larder.http
      .post(`/api/shipping/assignments/${assignment}/${name}`)
      .set('authorization', agent.bearer)
      .set('idempotency-key', freshKey())
      .send(body)
      .expect(200);
  if (stage !== 'OFFERED') await step('accept');
  if (stage === 'PICKED_UP' || stage === 'DELIVERED') await step('pickup');
  if (stage === 'DELIVERED') await step('deliver', { proof: { code: order.deliveryCode }, cashCollected: order.total });
}

async function everyoneOf(larder: TestApp, make: Factory, store: TestStore): Promise<TestUser> {
  const user = await make.agent(store);
  await larder.sql.query('UPDATE users SET roles = $2 WHERE id = $1', [user.id, ROLES]);
  await larder.sql.query('SELECT open_user_wallets($1, $2)', [store.id, user.id]);
  return { ...user, bearer: `Bearer ${await tokenFor(store, user.id, [...ROLES])}` };
}

async function ask(larder: TestApp, user: TestUser, path: string, body: object): Promise<Placed> {
  const request = larder.http.post(path).set('authorization', user.bearer).set('idempotency-key', freshKey());
  const response = await request.send(body).expect(201);
  return response.body as Placed;
}

const RESOURCES: [RegExp, keyof Scene['ids']][] = [
  [/^\/api\/categories/, 'category'],
  [/^\/api\/products/, 'product'],
  [/^\/api\/carts/, 'cart'],
  [/^\/api\/zones/, 'zone'],
  [/^\/api\/slots/, 'slot'],
  [/^\/api\/coupons/, 'coupon'],
  [/^\/api\/orders/, 'order'],
  [/^\/api\/payments/, 'payment'],
  [/^\/api\/refunds/, 'refund'],
  [/^\/api\/approvals/, 'approval'],
  [/^\/api\/notifications/, 'notification'],
  [/^\/api\/shipping\/assignments/, 'assignment'],
  [/^\/api\/shipping\/agents/, 'agent'],
  [/^\/api\/wallets/, 'wallet'],
  [/^\/api\/admin\/jobs/, 'deadJob'],
];

/** What the parameters of a route's address mean in a scene. A new kind of route has to be made known here. */
export function idsFor(route: Route, { ids }: Scene): Record<string, string> {
  const own: Record<string, string> = { variantId: ids.variant, productId: ids.product };
  // Names of the provider's, not of the store's: nobody has one like these.
  Object.assign(own, { provider: ids.payment, ref: ids.payment });
  const found = RESOURCES.find(([pattern]) => pattern.test(route.path));
  if (found) own.id = ids[found[1]];
  const missing = route.pathParameters.filter((name) => !own[name]);
  if (missing.length > 0) throw new Error(`test/support/scene.ts: what is {${missing.join(', ')}} of ${route.name}?`);
  return own;
}

/** What the fields of a body mean in a scene. */
export function knownIds({ ids }: Scene): KnownIds {
  const byField = {
    categoryId: ids.category,
    variantId: ids.variant,
    cartId: ids.everyonesCart,
    slotId: ids.slot,
    zoneId: ids.zone,
    orderId: ids.order,
    agentId: ids.agent,
    from: ids.everyonesWallet,
    to: ids.wallet,
  };
  return { all: Object.values(ids), byField };
}

/** Fields that rule each other out: an order is of a cart or of lines, a refund of an amount or of lines. */
const RIVALS = [
  ['cartId', 'lines'],
  ['amount', 'lines'],
] as const;

/** A body with one of such fields only: the one that the test is about. */
export function withoutRivals(body: unknown, field: string): unknown {
  if (typeof body !== 'object' || body === null) return body;
  const [one, other] = RIVALS.find(([a, b]) => a in body && b in body) ?? [];
  return one ? { ...body, [field === one ? other : one]: undefined } : body;
}

/** How far an assignment has to be for a route to find something to do. */
export function stageFor({ path }: Route): Stage {
  if (path.endsWith('/pickup')) return 'ACCEPTED';
  if (path.endsWith('/deliver') || path.endsWith('/fail')) return 'PICKED_UP';
  return path.includes('/agents/') ? 'DELIVERED' : 'OFFERED';
}
