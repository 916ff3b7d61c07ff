import { randomUUID } from 'node:crypto';
import type { Cart, CartLine, ErrorBody, Money, Order, Quote, Session } from './answers.ts';
import type { Answer, Larder } from './larder.ts';
import { check, expecting, expectingRefusal, told } from './narrator.ts';
import { basket, type Stage } from './stage.ts';

const CLICKS = 10;
const ADDRESS = {
  name: 'Rosalind',
  phone: '+1 212 555 0199',
  line1: '5 Orchard Street',
  city: 'New York',
  zip: '10002',
};
/** Minor units. */
const DEARER_BY = 99;

/** Somebody without an account, and the cart that is his by its token. */
class Guest {
  readonly cartId: string;
  readonly cartToken: string;
  private readonly larder: Larder;

  private constructor(larder: Larder, cartId: string, cartToken: string) {
    this.larder = larder;
    this.cartId = cartId;
    this.cartToken = cartToken;
  }

  static async arrive(larder: Larder): Promise<Guest> {
    const { id, token } = expecting(201, 'A cart', await larder.call<Cart>('POST', '/api/carts'));
    check(token !== undefined && token.length >= 22, 'The token is of 128 bits or more', token?.length);
    return new Guest(larder, id, token);
  }

  put(variantId: string, quantity: number): Promise<Answer<Cart>> {
    const path = `/api/carts/${this.cartId}/lines/${variantId}`;
    return this.larder.call<Cart>('PUT', path, { body: { quantity }, cartToken: this.cartToken });
  }

  async cart(): Promise<Cart> {
    return expecting(200, 'The cart', await this.larder.call<Cart>('GET', `/api/carts/${this.cartId}`, this.token));
  }

  async quote(): Promise<Quote> {
    const wish = { zip: ADDRESS.zip, paymentMethod: 'COD' };
    const path = `/api/carts/${this.cartId}/quote`;
    return expecting(200, 'The quote', await this.larder.call<Quote>('POST', path, { body: wish, ...this.token }));
  }

  order(quote: string): Promise<Answer<Order>> {
    const wish = { cartId: this.cartId, paymentMethod: 'COD', deliveryAddress: ADDRESS, email: 'rosalind@larder.test' };
    const options = { body: { ...wish, quote }, key: randomUUID(), ...this.token };
    return this.larder.call<Order>('POST', '/api/orders', options);
  }

  find(orderId: string): Promise<Answer<Order>> {
    return this.larder.call<Order>('GET', `/api/orders/${orderId}`, this.token);
  }

  private get token(): { cartToken: string } {
    return { cartToken: this.cartToken };
  }
}

/** A cart without an account: quoted, ordered once, and taken along when somebody logs in. */
export async function tellCartOrder(stage: Stage): Promise<void> {
  const { narrator, larder, manager } = stage;
  narrator.step('A guest fills a cart');
  const lines = await basket(stage, { blueberries: 2, 'greek-yogurt': 1 });
  const guest = await Guest.arrive(larder);
  narrator.say('No account: the cart is hers by a token that Larder tells once and keeps only the hash of.');
  for (const { variant, quantity } of lines) expecting(200, 'A line', await guest.put(variant.id, quantity));
  const [line] = (await guest.cart()).lines;
  check(line !== undefined, 'There is something in the cart');
  const quoted = await guest.quote();
  sayQuote(stage, quoted);

  narrator.step('The price changes before she orders');
  await withPrice(stage, line, { ...line.unitPrice, amount: line.unitPrice.amount + DEARER_BY }, async () => {
    const refusal = expectingRefusal('QUOTE_CHANGED', 'The order by the old quote', await guest.order(quoted.quote));
    narrator.sayRefusal(refusal);
    sayBothTotals(stage, refusal.body);
  });
  narrator.say(`${manager.firstName} puts the old price back; the first quote is right again.`);

  narrator.step(`She clicks ${CLICKS} times, each with a key of its own`);
  const answers = await Promise.all(Array.from({ length: CLICKS }, () => guest.order(quoted.quote)));
  const placed = answers.filter(({ status }) => status === 201);
  check(
    placed.length === 1,
    'A cart becomes one order',
    answers.map(({ status }) => status),
  );
  const [{ body: order }] = placed as [Answer<Order>];
  check(order.total.amount === quoted.total.amount, 'What was quoted is charged', order.total);
  const refused = answers.filter(({ status }) => status !== 201);
  const naming = refused.map((answer) => expectingRefusal('CART_CLOSED', 'The others', answer).body.details?.[0]);
  check(
    naming.every((detail) => detail?.orderId === order.id),
    'The others name the order',
    naming,
  );
  narrator.say(`One order, ${order.number}; the others are told so: 409 CART_CLOSED with its id.`);
  const seen = expecting(200, 'Her order, by the token', await guest.find(order.id));
  narrator.say(`By the token she sees it, with the code for the door: ${seen.deliveryCode}.`);
  const stranger = await Guest.arrive(larder);
  expectingRefusal('NOT_FOUND', 'Her order, by another token', await stranger.find(order.id));
  narrator.say("By another cart's token there is no such order.");
  const cancelling = { status: 'CANCELLED', reason: 'End of the story' };
  expecting(200, 'Cancelling', await manager.patch(`/api/orders/${order.id}`, cancelling));

  await tellMerge(stage, stranger, line.variantId);
}

async function tellMerge({ narrator, larder }: Stage, guest: Guest, variantId: string): Promise<void> {
  narrator.step('Another guest logs in');
  expecting(200, 'A line', await guest.put(variantId, 3));
  const credentials = { email: 'customer3@larder.test', password: 'larder-demo' };
  const options = { body: credentials, cartToken: guest.cartToken };
  const session = expecting(200, 'The login', await larder.call<Session>('POST', '/api/auth/login', options));
  const path = `/api/carts/${session.cartId}`;
  const own = { token: session.accessToken };
  const cart = expecting(200, 'His cart', await larder.call<Cart>('GET', path, own));
  const line = cart.lines.find((found) => found.variantId === variantId);
  check(line !== undefined && line.quantity >= 3, "The guest's line is in the own cart", cart.lines);
  narrator.say(`What was in the guest's cart is in ${session.user.name}'s now: ${line.quantity} × ${line.name}.`);
  expectingRefusal('CART_CLOSED', "The guest's cart", await guest.put(variantId, 1));
  expecting(200, 'Emptying it', await larder.call<Cart>('DELETE', `${path}/lines/${variantId}`, own));
}

function sayQuote({ narrator }: Stage, { lines, deliveryFee, total, problems }: Quote): void {
  check(problems.length === 0, 'Nothing keeps the cart from being ordered', problems);
  const rows = lines.map((line): [string, Money] => [`${line.quantity} × ${line.name}`, line.total]);
  narrator.sayAmounts([...rows, ['Delivery', deliveryFee], ['Quoted', total, 'for 15 minutes, signed']]);
}

function sayBothTotals({ narrator }: Stage, { details }: ErrorBody): void {
  const [{ quoted, total } = {}] = details ?? [];
  narrator.say(`Quoted ${told(quoted as Money)}, now ${told(total as Money)}: nobody pays a price he hasn't seen.`);
}

/** Sells at another price for as long as this takes. */
async function withPrice({ manager }: Stage, line: CartLine, price: Money, run: () => Promise<void>): Promise<void> {
  const path = `/api/products/${line.productId}/variants/${line.variantId}`;
  expecting(200, 'Another price', await manager.patch(path, { price }));
  try {
    await run();
  } finally {
    expecting(200, 'The old price', await manager.patch(path, { price: line.unitPrice }));
  }
}
