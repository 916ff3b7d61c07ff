import type { Money, Order } from './answers.ts';
import { check, expecting, expectingRefusal, told } from './narrator.ts';
import { basket, orderBody, type Stage } from './stage.ts';

const COUPON = 'FREEDEL';
const DAY_MS = 86_400_000;
const DAYS = 14;

interface Slot {
  id: string;
  startsAt: string;
  endsAt: string;
  left: number;
  open: boolean;
}

interface BookedOrder extends Order {
  discount: Money;
  promisedAt: string;
}

/** A delivery window and a coupon, in the order's one statement; both are free again when the order is cancelled. */
export async function tellSlotAndCoupon(stage: Stage): Promise<void> {
  const { narrator, ada } = stage;
  narrator.step(`${ada.firstName} orders for a window, with a coupon`);
  const lines = await basket(stage, { blueberries: 2 });
  const [slot] = await openSlots(stage);
  check(slot !== undefined, `There is an open window within ${DAYS} days`);
  narrator.say(`The next window begins ${slot.startsAt}: ${slot.left} places are left.`);
  const wish = { ...orderBody(lines, 'COD', ada), slotId: slot.id };
  const guessing = await ada.post('/api/orders', { ...wish, couponCode: 'GIVE-ME-ALL' });
  narrator.say('She tries a code that she made up:');
  narrator.sayRefusal(expectingRefusal('COUPON_INVALID', 'A made-up coupon', guessing));
  const answer = await ada.post<BookedOrder>('/api/orders', { ...wish, couponCode: COUPON });
  const order = expecting(201, 'The order', answer);
  check(order.discount.amount === order.deliveryFee.amount, `${COUPON} pays for the delivery`, order.discount);
  check(order.promisedAt === slot.endsAt, 'The end of the window is what is promised', order.promisedAt);
  narrator.say(`${COUPON} takes ${told(order.discount)} off; promised until ${order.promisedAt}.`);
  await expectLeft(stage, slot, slot.left - 1);
  const cancelling = { status: 'CANCELLED', reason: 'End of the story' };
  expecting(200, 'Cancelling', await ada.patch(`/api/orders/${order.id}`, cancelling));
  await expectLeft(stage, slot, slot.left);
  narrator.say('She cancels: the place in the window and the coupon are free again.');
}

async function expectLeft(stage: Stage, { id }: Slot, left: number): Promise<void> {
  const slot = (await openSlots(stage)).find((candidate) => candidate.id === id);
  check(slot?.left === left, `${left} places are left`, slot);
}

/** Of the first day that has one. */
async function openSlots({ larder }: Stage): Promise<Slot[]> {
  for (let day = 0; day < DAYS; day++) {
    const date = new Date(Date.now() + day * DAY_MS).toISOString().slice(0, 10);
    const answer = await larder.call<{ items: Slot[] }>('GET', `/api/slots?zip=10001&date=${date}`);
    const open = expecting(200, 'The windows', answer).items.filter((slot) => slot.open);
    if (open.length > 0) return open;
  }
  return [];
}
