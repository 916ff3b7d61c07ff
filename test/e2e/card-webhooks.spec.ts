import { PaymentProviders } from '../../src/modules/payments/providers/payment-providers.js';
import type { TestNews } from '../../src/modules/payments/providers/test-provider.js';
import { newId } from '../../src/common/ids.js';
import { Jobs } from '../../src/platform/jobs/jobs.service.js';
import { type CardOrder, CardShop, PRICE } from '../support/card-shop.js';
import { sumOfMetric } from '../support/metrics.js';
import { verify } from '../support/verify.js';

const ROUTE = '/api/webhooks/payments/test';
const HEADER = 'larder-test-signature';

let cards: CardShop;

beforeAll(async () => {
  cards = await CardShop.open();
});
afterEach(() => verify(cards.sql));
afterAll(() => cards.close());

const news = (order: CardOrder, changes: Partial<TestNews> = {}): TestNews => ({
  eventId: `test_${newId()}`,
  type: 'payment.authorized',
  ref: `test_${order.paymentId}`,
  storeId: cards.shop.store.id,
  paymentId: order.paymentId,
  ...changes,
});
const signed = (about: TestNews, at = Date.now()) => {
  const { body, headers } = cards.shop.larder.app.get(PaymentProviders).test!.writeWebhook(about, at);
  return { body, signature: String(headers[HEADER]) };
};
const post = (body: string, signature: string | undefined, headers: Record<string, string> = {}) => {
  const request = cards.shop.larder.http.post(ROUTE).set('content-type', 'application/json').set(headers);
  return (signature === undefined ? request : request.set(HEADER, signature)).send(body);
};
const send = (about: TestNews, headers?: Record<string, string>) => {
  const { body, signature } = signed(about);
  return post(body, signature, headers);
};
const inbox = async (eventId: string) => {
  const { rows } = await cards.sql.query(
    'SELECT store_id, type, processed_at IS NOT NULL AS processed FROM provider_events WHERE event_id = $1',
    [eventId],
  );
  return rows as { store_id: string | null; type: string; processed: boolean }[];
};

describe('News from a payment provider', () => {
  it('are kept once, however often they come, and change what the provider says they do', async () => {
    const order = await cards.order();
    await cards.confirm(order, 'tok_challenge');
    await cards.sql.query(`UPDATE test_provider_payments SET status = 'AUTHORIZED' WHERE payment_id = $1`, [
      order.paymentId,
    ]);
    const about = news(order);
    const answers = await Promise.all(Array.from({ length: 10 }, () => send(about)));
    expect(answers.map(({ status, body }) => [status, body])).toEqual(Array(10).fill([200, { received: true }]));
    expect(await cards.settled(order)).toMatchObject({
      order: 'CONFIRMED',
      payment: 'CAPTURED',
      captured: PRICE,
      sales: 1,
    });
    expect(await inbox(about.eventId)).toEqual([
      { store_id: cards.shop.store.id, type: 'payment.authorized', processed: true },
    ]);
  });

  it('are believed of the provider only, whatever they say', async () => {
    const order = await cards.order();
    await cards.confirm(order, 'tok_challenge');
    for (const type of ['payment.captured', 'payment.voided', 'payment.authorized', 'refund.succeeded', 'x']) {
      expect((await send(news(order, { type }))).status).toBe(200);
    }
    await cards.shop.waitFor(
      `SELECT 1 FROM provider_events WHERE type = 'x' AND payload ->> 'paymentId' = $1 AND processed_at IS NOT NULL`,
      [order.paymentId],
    );
    expect(await cards.state(order)).toMatchObject({ order: 'PENDING', operations: ['AUTHORIZE PENDING'], sales: 0 });
  });

  it('in the wrong order, after all is done, do no harm', async () => {
    const order = await cards.order();
    await cards.confirm(order);
    const before = await cards.settled(order);
    for (const type of ['payment.captured', 'payment.authorized', 'payment.action_required'])
      await send(news(order, { type }));
    expect(await cards.settled(order)).toEqual(before);
  });

  it('find their store by themselves, whatever else the request says', async () => {
    const order = await cards.order();
    await cards.confirm(order, 'tok_challenge');
    const about = news(order, { storeId: newId(), paymentId: newId() });
    expect((await send(about, { 'x-store': 'nowhere', authorization: 'Bearer nonsense' })).status).toBe(200);
    expect(await inbox(about.eventId)).toMatchObject([{ store_id: cards.shop.store.id }]);
  });

  it('are answered once they are safe, not before', async () => {
    const order = await cards.order();
    await cards.confirm(order, 'tok_challenge');
    const about = news(order);
    const other = await cards.sql.connect();
    try {
      // The same news, on their way in by another instance that has not committed yet.
      await other.query('BEGIN');
      await other.query(
        `INSERT INTO provider_events (provider, event_id, type, payload) VALUES ('test', $1, 'x', '{}')`,
        [about.eventId],
      );
      expect((await send(about)).status).toBe(409);
      await other.query('ROLLBACK');
    } finally {
      other.release();
    }
    expect((await send(about)).status).toBe(200);
    expect(await inbox(about.eventId)).toMatchObject([{ store_id: cards.shop.store.id }]);
  });

  it('are forgotten after a quarter of a year', async () => {
    const [old, recent] = [newId(), newId()];
    for (const [event, days] of [
      [old, 91],
      [recent, 89],
    ] as const) {
      await cards.sql.query(
        `INSERT INTO provider_events (provider, event_id, type, payload, processed_at)
         VALUES ('test', $1, 'x', '{}', now() - $2::int * interval '1 day')`,
        [event, days],
      );
    }
    const { signal } = new AbortController();
    await cards.shop.larder.app.get(Jobs).schedules.get('payments.forget-events')!.handler({ at: new Date(), signal });
    expect([await inbox(old), (await inbox(recent)).length]).toEqual([[], 1]);
  });

  it('are counted by what became of them, as what providers were asked is', async () => {
    const webhooks = (result: string) =>
      sumOfMetric(cards.shop.larder, 'larder_payment_webhooks_total', `provider="test",result="${result}"`);
    const asked = (labels: string) =>
      sumOfMetric(cards.shop.larder, 'larder_payment_operations_total', `provider="test",${labels}`);
    const before = [await webhooks('received'), await webhooks('duplicate'), await webhooks('refused')];
    const declined = await asked('kind="AUTHORIZE",outcome="FAILED"');
    const order = await cards.order();
    await cards.confirm(order, 'tok_declined');
    expect(await asked('kind="AUTHORIZE",outcome="FAILED"')).toBe(declined + 1);
    await cards.settled(order);
    const about = news(order);
    for (const body of [about, about]) await send(body);
    await post('{}', 'forged');
    const after = [await webhooks('received'), await webhooks('duplicate'), await webhooks('refused')];
    // Of the provider's own news of the card that it declined there may be one.
    expect(after[0]! - before[0]!).toBeGreaterThanOrEqual(1);
    expect(after.slice(1)).toEqual([before[1]! + 1, before[2]! + 1]);
  });

  it('of nobody here are kept aside', async () => {
    const stranger = { id: newId(), paymentId: newId(), customer: cards.shop.manager };
    const about = news(stranger);
    expect((await send(about)).status).toBe(200);
    expect(await inbox(about.eventId)).toEqual([{ store_id: null, type: 'payment.authorized', processed: true }]);
  });
});

describe('A webhook is refused', () => {
  const SOMEBODY = { id: newId(), paymentId: newId(), customer: { id: '', email: '', bearer: '' } };

  it('when it is forged, or changed on its way', async () => {
    const order = await cards.order();
    await cards.confirm(order, 'tok_challenge');
    const about = news(order);
    const { body, signature } = signed(about);
    const forgeries: [string, string | undefined][] = [
      [body, undefined],
      [body, ''],
      [body, 'nonsense'],
      [body, `t=${Math.floor(Date.now() / 1000)},v1=${'0'.repeat(64)}`],
      [body.replace('authorized', 'captured__'), signature],
      [`${body} `, signature],
      [body, signature.replace(/t=\d+/, `t=${Math.floor(Date.now() / 1000) + 1}`)],
    ];
    for (const [text, header] of forgeries) {
      const answer = await post(text, header);
      expect([text, header, answer.status, answer.body.code]).toEqual([text, header, 400, 'WEBHOOK_INVALID']);
    }
    expect(await inbox(about.eventId)).toEqual([]);
    expect(await cards.state(order)).toMatchObject({ order: 'PENDING', operations: ['AUTHORIZE PENDING'] });
  });

  it('when it was signed more than five minutes ago', async () => {
    const about = news(SOMEBODY);
    const old = signed(about, Date.now() - 302_000);
    const answer = await post(old.body, old.signature);
    expect([answer.status, answer.body.code]).toEqual([400, 'WEBHOOK_TOO_OLD']);
    const recent = signed(about, Date.now() - 290_000);
    expect((await post(recent.body, recent.signature)).status).toBe(200);
  });

  it('of a provider that the shop has nothing to do with', async () => {
    const { body, signature } = signed(news(SOMEBODY));
    for (const name of ['stripe', 'none', 'toString', '%00']) {
      const answer = await cards.shop.larder.http
        .post(`/api/webhooks/payments/${name}`)
        .set('content-type', 'application/json')
        .set(HEADER, signature)
        .send(body);
      expect([name, answer.status]).toEqual([name, 404]);
    }
  });

  it('when it is no JSON by its type, or longer than any news', async () => {
    const { body, signature } = signed(news(SOMEBODY));
    const form = await post(body, signature, { 'content-type': 'application/x-www-form-urlencoded' });
    expect([form.status, form.body.code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
    const long = await post(JSON.stringify({ text: 'x'.repeat(262_144) }), signature);
    expect([long.status, long.body.code]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
    const empty = await post('', signature);
    expect(empty.status).toBe(400);
  });
});

describe('A test bank', () => {
  it('knows only what it was asked', async () => {
    for (const ref of ['test_', newId(), 'x'.repeat(200), '%F0%9F']) {
      const answer = await cards.shop.larder.http.post(`/api/test-bank/${ref}`).send({ approved: true });
      expect([ref, [400, 404].includes(answer.status)]).toEqual([ref, true]);
    }
  });
});
