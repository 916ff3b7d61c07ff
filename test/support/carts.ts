import type { CartResponse, OpenedCartResponse } from '../../src/modules/carts/dto/cart.dto.js';
import { ADDRESS, freshKey, type TestUser } from './factories.js';
import type { Caller, Line, Reply, Shop } from './shop.js';

export interface TestCart {
  id: string;
  path: string;
  /** Who may do things with it: its customer, or a guest with its token. */
  owner: Caller;
  /** A guest's. */
  token: string | undefined;
}

/** A guest's new cart, or a customer's open one, with these lines put in one after the other. */
export async function openCart(shop: Shop, lines: Line[] = [], customer?: TestUser): Promise<TestCart> {
  const { text, status } = await shop.call('post', '/api/carts', customer ?? {});
  if (status >= 300) throw new Error(`POST /api/carts answered ${status}: ${text}`);
  const { id, token } = JSON.parse(text) as OpenedCartResponse;
  const cart = { id, path: `/api/carts/${id}`, owner: customer ?? { cartToken: token }, token };
  for (const { variantId, quantity } of lines) {
    const put = await setLine(shop, cart, variantId, quantity);
    if (put.status !== 200) throw new Error(`PUT ${cart.path} answered ${put.status}: ${put.text}`);
  }
  return cart;
}

export function setLine(
  shop: Shop,
  cart: Pick<TestCart, 'path' | 'owner'>,
  variantId: string,
  quantity: number,
): Promise<Reply> {
  return shop.call('put', `${cart.path}/lines/${variantId}`, cart.owner, { body: { quantity } });
}

export function removeLine(shop: Shop, cart: TestCart, variantId: string): Promise<Reply> {
  return shop.call('delete', `${cart.path}/lines/${variantId}`, cart.owner);
}

export async function cartOf(shop: Shop, cart: TestCart): Promise<CartResponse> {
  const { status, text } = await shop.call('get', cart.path, cart.owner);
  if (status !== 200) throw new Error(`GET ${cart.path} answered ${status}: ${text}`);
  return JSON.parse(text) as CartResponse;
}

/** What is in a cart, in its order. */
export async function linesOf(shop: Shop, cart: TestCart): Promise<Line[]> {
  const { lines } = await cartOf(shop, cart);
  return lines.map(({ variantId, quantity }) => ({ variantId, quantity }));
}

/** The order of a cart, by cash; a guest's has an e-mail. */
export function checkoutOf(cart: TestCart, changes: object = {}): object {
  const email = cart.token ? { email: 'guest@larder.test' } : {};
  return { cartId: cart.id, paymentMethod: 'COD', deliveryAddress: ADDRESS, ...email, ...changes };
}

export function checkout(shop: Shop, cart: TestCart, changes: object = {}, key = freshKey()): Promise<Reply> {
  return shop.call('post', '/api/orders', cart.owner, { key, body: checkoutOf(cart, changes) });
}

export function quote(shop: Shop, cart: TestCart, body: object = {}): Promise<Reply> {
  return shop.call('post', `${cart.path}/quote`, cart.owner, { body });
}
