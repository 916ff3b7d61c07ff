import { freshKey, type TestUser, ZIP } from '../support/factories.js';
import { orderOf, Shop } from '../support/shop.js';
import { verify } from '../support/verify.js';

let shop: Shop;
let customer: TestUser;
let tea: string;
let zone: string;

interface Slot {
  id: string;
  startsAt: string;
  endsAt: string;
  left: number;
  open: boolean;
}

beforeAll(async () => {
  shop = await Shop.open();
  customer = await shop.make.user(shop.store);
  tea = await shop.make.variant(shop.store);
  const body = { timezone: 'Europe/Berlin' };
  await shop.ask('patch', '/api/store', shop.manager, { body }).expect(200);
  const made = await shop.ask('post', '/api/zones', shop.manager, { body: { name: 'Mitte', zipCodes: [ZIP] } });
  zone = (made.body as { id: string }).id;
});
afterEach(() => verify(shop.larder.sql));
afterAll(() => shop.close());

const MORNING = { start: '09:00', end: '11:00', capacity: 2, cutoffMinutes: 60 };
const make = (body: object) => shop.ask('post', '/api/slots', shop.manager, { body: { zoneId: zone, ...body } });
const windows = async (date: string, zip = ZIP): Promise<Slot[]> => {
  const { body } = await shop.larder.http.get(`/api/slots?zip=${zip}&date=${date}`).set('x-store', 'demo').expect(200);
  return (body as { items: Slot[] }).items;
};

it('is a window of the same hours in the store every day, over the change of clocks too', async () => {
  await make({ from: '2031-10-25', to: '2031-10-27', windows: [MORNING] }).expect(201, { created: 3 });
  const days = await Promise.all(['2031-10-25', '2031-10-26', '2031-10-27'].map((day) => windows(day)));
  expect(days.map((items) => items.map(({ startsAt, endsAt }) => [startsAt, endsAt]))).toEqual([
    [['2031-10-25T07:00:00.000Z', '2031-10-25T09:00:00.000Z']],
    [['2031-10-26T08:00:00.000Z', '2031-10-26T10:00:00.000Z']],
    [['2031-10-27T08:00:00.000Z', '2031-10-27T10:00:00.000Z']],
  ]);
});

it('does not exist in the hour that the clocks jump over', async () => {
  const gap = { ...MORNING, start: '02:10', end: '02:50' };
  const night = { ...MORNING, start: '01:00', end: '04:00' };
  const edge = { ...MORNING, start: '02:30', end: '03:00' };
  await make({ from: '2032-03-28', to: '2032-03-28', windows: [gap, night, edge] }).expect(201, { created: 1 });
  const items = await windows('2032-03-28');
  expect(items.map(({ startsAt, endsAt }) => [startsAt, endsAt])).toEqual([
    ['2032-03-28T00:00:00.000Z', '2032-03-28T02:00:00.000Z'],
  ]);
});

it('goes up to midnight, where the day is an hour longer too', async () => {
  const late = { ...MORNING, start: '22:00', end: '24:00' };
  await make({ from: '2033-10-29', to: '2033-10-30', windows: [late] }).expect(201, { created: 2 });
  const days = await Promise.all(['2033-10-29', '2033-10-30'].map((day) => windows(day)));
  expect(days.map((items) => items.map(({ startsAt, endsAt }) => [startsAt, endsAt]))).toEqual([
    [['2033-10-29T20:00:00.000Z', '2033-10-29T22:00:00.000Z']],
    [['2033-10-30T21:00:00.000Z', '2033-10-30T23:00:00.000Z']],
  ]);
  for (const wrong of [{ start: '24:00' }, { end: '24:01' }, { start: '00:00', end: '00:00' }])
    await make({ from: '2033-10-29', to: '2033-10-29', windows: [{ ...late, ...wrong }] }).expect(400);
});

it('can be asked for again without a second one', async () => {
  const twice = { from: '2031-11-03', to: '2031-11-04', windows: [MORNING] };
  await make(twice).expect(201, { created: 2 });
  await make({ ...twice, windows: [{ ...MORNING, capacity: 9 }] }).expect(201, { created: 0 });
  expect((await windows('2031-11-03')).map(({ left }) => left)).toEqual([2]);
});

it('shows what is left, is booked by orders, promises its end, and gives the place of a cancelled order back', async () => {
  await make({ from: '2031-12-01', to: '2031-12-01', windows: [MORNING] }).expect(201);
  const [slot] = await windows('2031-12-01');
  const body = orderOf([{ variantId: tea, quantity: 1 }], { slotId: slot!.id });
  const placed = await shop.ask('post', '/api/orders', customer, { body, key: freshKey() }).expect(201);
  expect(placed.body).toMatchObject({
    slot: { id: slot!.id, startsAt: slot!.startsAt, endsAt: slot!.endsAt },
    promisedAt: slot!.endsAt,
  });
  expect(await windows('2031-12-01')).toMatchObject([{ left: 1, open: true }]);
  await shop
    .ask('patch', `/api/orders/${(placed.body as Slot).id}`, customer, { body: { status: 'CANCELLED' } })
    .expect(200);
  expect(await windows('2031-12-01')).toMatchObject([{ left: 2, open: true }]);
});

it('is for the zip codes of its zone', async () => {
  expect(await windows('2031-12-01', '99999')).toEqual([]);
  const other = await shop.ask('post', '/api/zones', shop.manager, { body: { name: 'Far', zipCodes: ['20002'] } });
  const far = { zoneId: (other.body as { id: string }).id, from: '2031-12-01', to: '2031-12-01', windows: [MORNING] };
  await make(far).expect(201);
  const [slot] = await windows('2031-12-01', '20002');
  const body = orderOf([{ variantId: tea, quantity: 1 }], { slotId: slot!.id });
  const refused = await shop.ask('post', '/api/orders', customer, { body, key: freshKey() }).expect(422);
  expect(refused.body).toMatchObject({ code: 'SLOT_INVALID' });
});

it('takes no order past its cut-off, when it is closed, nor when it is full', async () => {
  const { slot } = await shop.make.slot(shop.store, { capacity: 1 });
  const body = orderOf([{ variantId: tea, quantity: 1 }], { slotId: slot });
  const order = () => shop.ask('post', '/api/orders', customer, { body, key: freshKey() });
  await shop.larder.sql.query(`UPDATE delivery_slots SET cutoff_at = now() - interval '1 s' WHERE id = $1`, [slot]);
  expect((await order().expect(409)).body).toMatchObject({ code: 'SLOT_CLOSED' });
  await shop.larder.sql.query(`UPDATE delivery_slots SET cutoff_at = now() + interval '1 h' WHERE id = $1`, [slot]);
  await shop.ask('patch', `/api/slots/${slot}`, shop.manager, { body: { closed: true } }).expect(200);
  expect((await order().expect(409)).body).toMatchObject({ code: 'SLOT_CLOSED' });
  await shop.ask('patch', `/api/slots/${slot}`, shop.manager, { body: { closed: false } }).expect(200);
  await order().expect(201);
  expect((await order().expect(409)).body).toMatchObject({ code: 'SLOT_FULL' });
  const smaller = await shop.ask('patch', `/api/slots/${slot}`, shop.manager, { body: { capacity: 0 } }).expect(409);
  expect(smaller.body).toMatchObject({ code: 'SLOT_BELOW_BOOKED' });
});

it('is refused when its days, hours or zone make no sense', async () => {
  for (const [wrong, code] of [
    [{ from: '2031-12-02', to: '2031-12-01', windows: [MORNING] }, 'VALIDATION_FAILED'],
    [{ from: '2031-12-01', to: '2032-12-01', windows: [MORNING] }, 'VALIDATION_FAILED'],
    [{ from: '2031-02-30', to: '2031-03-01', windows: [MORNING] }, 'VALIDATION_FAILED'],
    [{ from: '2031-12-01', to: '2031-12-01', windows: [{ ...MORNING, end: '08:00' }] }, 'VALIDATION_FAILED'],
    [{ from: '2031-12-01', to: '2031-12-01', windows: [{ ...MORNING, start: '24:00' }] }, 'VALIDATION_FAILED'],
    [{ zoneId: tea, from: '2031-12-01', to: '2031-12-01', windows: [MORNING] }, 'INVALID_REFERENCE'],
  ] as const) {
    expect((await make(wrong).expect(400)).body).toMatchObject({ code });
  }
});

it('keeps its zone, whose name is its own', async () => {
  const refused = await shop.larder.http
    .delete(`/api/zones/${zone}`)
    .set('authorization', shop.manager.bearer)
    .expect(409);
  expect(refused.body).toMatchObject({ code: 'ZONE_IN_USE' });
  const body = { name: 'Mitte', zipCodes: ['1'] };
  expect((await shop.ask('post', '/api/zones', shop.manager, { body }).expect(409)).body).toMatchObject({
    code: 'CONFLICT',
    details: [{ field: 'name' }],
  });
});
