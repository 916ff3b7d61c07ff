import type { Money, Order, Page, Product, Variant } from './answers.ts';
import type { Larder, Person } from './larder.ts';
import { check, expecting, type Narrator, told } from './narrator.ts';

const AGENTS = 10;
/** Below this a basket is restocked, so that the story can be told any number of times. */
const ENOUGH = 20;
const RESTOCK = 100;

export interface Stage {
  narrator: Narrator;
  larder: Larder;
  /** Pays at the door. */
  ada: Person;
  /** Pays from the wallet. */
  grace: Person;
  manager: Person;
  agents: Person[];
}

export interface BasketLine {
  variant: Variant;
  /** Product and size. */
  name: string;
  quantity: number;
}

export async function openStage(narrator: Narrator, larder: Larder): Promise<Stage> {
  narrator.step('The cast logs in');
  const [ada, grace, manager, ...agents] = await Promise.all([
    larder.login('customer1@larder.test'),
    larder.login('customer2@larder.test'),
    larder.login('manager@larder.test'),
    ...Array.from({ length: AGENTS }, (_, index) => larder.login(`agent${index + 1}@larder.test`)),
  ]);
  for (const person of [ada, grace, manager]) narrator.say(`${person.name}, ${person.role}`);
  narrator.say(`${agents.length} agents: ${agents.map((agent) => agent.firstName).join(', ')}`);
  for (const agent of agents) {
    expecting(200, `${agent.name} goes online`, await agent.patch('/api/shipping/agents/me', { status: 'ONLINE' }));
  }
  narrator.say('The agents go online: they take offers now.');
  return { narrator, larder, ada, grace, manager, agents };
}

/** Finds products by their slugs in the public catalog; the first size of each. Restocks what is running low. */
export async function basket(stage: Stage, wanted: Record<string, number>): Promise<BasketLine[]> {
  const lines: BasketLine[] = [];
  for (const [slug, quantity] of Object.entries(wanted)) {
    const search = encodeURIComponent(slug.replaceAll('-', ' '));
    const found = await stage.larder.call<Page<Product>>('GET', `/api/products?search=${search}`);
    const product = expecting(200, 'The catalog', found).items.find((item) => item.slug === slug);
    const variant = product?.variants[0];
    check(product !== undefined && variant !== undefined, `The demo store sells ${slug}`);
    if (variant.available < ENOUGH) await restock(stage, variant, product.name);
    lines.push({ variant, quantity, name: `${product.name}, ${variant.name}` });
  }
  return lines;
}

async function restock({ narrator, manager }: Stage, variant: Variant, name: string): Promise<void> {
  const answer = await manager.post<{ available: number }>(`/api/inventory/${variant.id}/adjustments`, {
    delta: RESTOCK,
    reason: 'RECEIPT',
    note: 'npm run demo',
  });
  variant.available = expecting(201, 'A receipt of goods', answer).available;
  narrator.say(`(${name} was running low: ${manager.firstName} receives ${RESTOCK} more.)`);
}

export function orderBody(lines: BasketLine[], paymentMethod: 'COD' | 'WALLET' | 'CARD', person: Person): object {
  return {
    lines: lines.map(({ variant, quantity }) => ({ variantId: variant.id, quantity })),
    paymentMethod,
    deliveryAddress: {
      name: person.name,
      phone: '+1 212 555 0101',
      line1: '12 Seventh Avenue',
      city: 'New York',
      zip: '10001',
    },
  };
}

/** The receipt, and that it adds up to the cent. */
export function sayOrder(narrator: Narrator, order: Order): void {
  const rows = order.lines.map(({ quantity, name, total }): [string, Money] => [`${quantity} × ${name}`, total]);
  narrator.sayAmounts([...rows, ['Delivery', order.deliveryFee], ['Total', order.total]]);
  const sum = order.lines.reduce((amount, line) => amount + line.total.amount, order.deliveryFee.amount);
  check(sum === order.total.amount, `Lines and delivery add up to ${told(order.total)}`, sum);
}
