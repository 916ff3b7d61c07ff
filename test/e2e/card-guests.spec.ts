import { freshKey } from '../support/factories.js';
import { CardShop, PRICE } from '../support/card-shop.js';
import { checkout, openCart } from '../support/carts.js';
import { type Caller, tally } from '../support/shop.js';
import { verify } from '../support/verify.js';

interface Placed {
  id: string;
  status: string;
  payment: { id: string; status: string };
}

let cards: CardShop;

beforeAll(async () => {
  cards = await CardShop.open();
});
afterEach(() => verify(cards.sql));
afterAll(() => cards.close());

describe("A guest's order by card", () => {
  it("is paid with his cart's token, and with nothing else", async () => {
    const { shop } = cards;
    const cart = await openCart(shop, [{ variantId: cards.tea, quantity: 2 }]);
    const { text } = await checkout(shop, cart, { paymentMethod: 'CARD' });
    const { id, payment } = JSON.parse(text) as Placed;
    const confirm = (caller: Caller, source = 'tok_visa', key = freshKey()) =>
      shop.call('post', `/api/payments/${payment.id}/confirm`, caller, { body: { source }, key });

    const other = await openCart(shop);
    const customer = await shop.make.user(shop.store);
    const strangers = await Promise.all([
      confirm({}),
      confirm(other.owner),
      confirm({ cartToken: 'x' }),
      confirm(customer),
    ]);
    expect(tally(strangers)).toEqual({ '401 UNAUTHENTICATED': 1, '404 NOT_FOUND': 3 });

    expect(tally([await confirm(cart.owner, 'tok_declined')])).toEqual({ '402 PAYMENT_DECLINED': 1 });
    const key = freshKey();
    const paid = await confirm(cart.owner, 'tok_visa', key);
    expect([paid.status, (await confirm(cart.owner, 'tok_visa', key)).status]).toEqual([200, 200]);
    const order = { id, paymentId: payment.id, customer };
    expect(await cards.settled(order)).toMatchObject({
      order: 'CONFIRMED',
      payment: 'CAPTURED',
      captured: 2 * PRICE,
      sales: 1,
    });
    const seen = JSON.parse((await shop.call('get', `/api/orders/${id}`, cart.owner)).text) as Placed;
    expect([seen.status, seen.payment.status]).toEqual(['CONFIRMED', 'CAPTURED']);
  });

  it('goes back to his card when staff cancel it', async () => {
    const { shop } = cards;
    const cart = await openCart(shop, [{ variantId: cards.tea, quantity: 1 }]);
    const { id, payment } = JSON.parse((await checkout(shop, cart, { paymentMethod: 'CARD' })).text) as Placed;
    await shop.call('post', `/api/payments/${payment.id}/confirm`, cart.owner, {
      body: { source: 'tok_visa' },
      key: freshKey(),
    });
    const order = { id, paymentId: payment.id, customer: shop.manager };
    await cards.settled(order);
    expect((await cards.step(order, 'CANCELLED')).status).toBe(200);
    expect(await cards.settled(order)).toMatchObject({ order: 'CANCELLED', payment: 'REFUNDED', refunds: 1 });
  });
});
