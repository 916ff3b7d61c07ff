import { Background, until } from '../support/background.js';
import type { TestUser } from '../support/factories.js';

let background: Background;
let asker: TestUser;
let decider: TestUser;
let bystander: TestUser;

beforeAll(async () => {
  background = await Background.open(() => undefined);
  const { make, store } = background;
  asker = await make.user(store, 'MANAGER');
  decider = await make.user(store, 'ADMIN');
  bystander = await make.user(store, 'SUPPORT');
});
afterAll(() => background.close());

const send = (method: 'get' | 'post', path: string, user: TestUser) =>
  background.larder.http[method](path).set('authorization', user.bearer);
const inbox = async (user: TestUser, query = '') =>
  (await send('get', `/api/notifications${query}`, user).expect(200)).body;
const types = async (user: TestUser) => (await inbox(user)).items.map(({ type }: { type: string }) => type);

async function asked(): Promise<{ id: string; subject: string }> {
  const { larder, store } = background;
  const { rows } = await larder.sql.query(
    `SELECT uuid_v7() AS subject, wallet_of($1, 'SALES', $1, 'USD') AS "from", wallet_of($1, 'CASH_VAULT', $1, 'USD') AS "to"`,
    [store.id],
  );
  const { from, to } = rows[0];
  const { body } = await send('post', '/api/wallets/adjustments', asker)
    .set('idempotency-key', `key-${rows[0].subject}`)
    .send({ from, to, amount: { amount: 5, currency: 'USD' }, reason: 'A test' })
    .expect(201);
  return { id: body.approvalId, subject: body.id };
}

it('tells those who decide of a request, and who asked of the decision, each once', async () => {
  const { id, subject } = await asked();
  await until(async () => (await types(decider)).length === 1);
  const [told] = (await inbox(decider)).items;
  expect(told).toEqual({
    id: expect.any(String),
    type: 'approval.requested',
    about: {
      approvalId: id,
      kind: 'LEDGER_ADJUSTMENT',
      subjectId: subject,
      amount: { amount: 5, currency: 'USD' },
      requestedBy: asker.id,
    },
    createdAt: expect.any(String),
    readAt: null,
  });
  await send('post', `/api/approvals/${id}/approve`, decider).send({}).expect(200);
  await until(async () => (await types(asker)).length === 1);
  expect(await types(asker)).toEqual(['approval.approved']);
  expect(await types(decider)).toEqual(['approval.requested']);
  expect(await types(bystander)).toEqual([]);
});

it('is read by whom it is for, once, and by nobody else', async () => {
  const { id } = await asked();
  await send('post', `/api/approvals/${id}/reject`, decider).send({}).expect(200);
  await until(async () => (await types(asker)).includes('approval.rejected'));
  const page = await inbox(asker, '?limit=1');
  const [newest] = page.items;
  await send('post', `/api/notifications/${newest.id}/read`, decider).expect(404);
  const first = await send('post', `/api/notifications/${newest.id}/read`, asker).expect(200);
  const second = await send('post', `/api/notifications/${newest.id}/read`, asker).expect(200);
  expect([first.body.readAt, second.body]).toEqual([expect.any(String), first.body]);
  const next = await inbox(asker, `?limit=1&cursor=${page.nextCursor}`);
  expect(next.items.map(({ type }: { type: string }) => type)).toEqual(['approval.approved']);
  expect((await inbox(asker, '?unread=true')).items.map(({ id }: { id: string }) => id)).toEqual([next.items[0].id]);
  await send('get', '/api/notifications?unread=maybe', asker).expect(400);
});

it('tells staff of a refund that failed, and not the customer who cancelled', async () => {
  const { larder, make, store } = background;
  const customer = await make.user(store);
  for (const requestedBy of [customer.id, bystander.id]) {
    await larder.sql.query(
      `INSERT INTO outbox_events (store_id, aggregate_type, aggregate_id, type, payload)
       VALUES ($1, 'refund', uuid_v7(), 'refund.failed', json_build_object('requestedBy', $2::uuid))`,
      [store.id, requestedBy],
    );
  }
  const failures = async (user: TestUser) =>
    (await types(user)).filter((type: string) => type === 'refund.failed').length;
  await until(async () => (await failures(asker)) === 2 && (await failures(bystander)) === 1);
  expect([await failures(decider), await failures(customer)]).toEqual([2, 0]);
});
