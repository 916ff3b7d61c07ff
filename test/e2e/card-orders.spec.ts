import { CardShop, PRICE } from '../support/card-shop.js';
import { verify } from '../support/verify.js';

let cards: CardShop;

beforeAll(async () => {
  cards = await CardShop.open();
});
afterEach(() => verify(cards.sql));
afterAll(() => cards.close());

describe('An order by card', () => {
  it('waits for its payment, holds its goods, and is confirmed and captured when the card is accepted', async () => {
    const order = await cards.order();
    expect(await cards.state(order)).toMatchObject({ order: 'PENDING', payment: 'PENDING', operations: [], sales: 0 });
    const reply = await cards.confirm(order, '4242 4242 4242 4242');
    expect([reply.status, reply.body]).toMatchObject([
      200,
      { id: order.paymentId, nextAction: null, failureCode: null },
    ]);
    expect(await cards.settled(order)).toEqual({
      order: 'CONFIRMED',
      payment: 'CAPTURED',
      failure: null,
      authorized: 0,
      captured: PRICE,
      refunded: 0,
      operations: ['AUTHORIZE SUCCEEDED', 'CAPTURE SUCCEEDED'],
      sales: 1,
      refunds: 0,
    });
  });
});
