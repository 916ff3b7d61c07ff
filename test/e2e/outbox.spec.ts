import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newId } from '../../src/common/ids.js';
import { currentStore } from '../../src/common/request-context.js';
import { Outbox, type OutboxEvent } from '../../src/platform/outbox/outbox.service.js';
import { Background, until } from '../support/background.js';
import { freshKey } from '../support/factories.js';
import { sumOfMetric } from '../support/metrics.js';
import { orderOf } from '../support/shop.js';
import { verify } from '../support/verify.js';

interface Heard {
  by: string;
  event: OutboxEvent;
  store: string;
}

let background: Background;
let heard: Heard[] = [];
/** Ids of events that a subscriber can't bear for now. */
let unbearable = new Set<number>();

const hear = (by: string) => (event: OutboxEvent) => {
  if (unbearable.has(event.id)) return Promise.reject(new Error('can not bear it'));
  heard.push({ by, event, store: currentStore() });
  return Promise.resolve();
};

beforeAll(async () => {
  background = await Background.open(
    (_jobs, app) => {
      const outbox = app.get(Outbox);
      outbox.subscribe('placed', ['order.placed'], hear('placed'));
      outbox.subscribe('orders', ['order.*'], hear('orders'));
      outbox.subscribe('orderly', ['test.*'], hear('orderly'), { ordered: true });
      outbox.subscribe('hasty', ['test.*'], hear('hasty'));
      expect(() => outbox.subscribe('Bad name', ['*'], hear(''))).toThrow('no name');
      expect(() => outbox.subscribe('bad-event', ['order placed'], hear(''))).toThrow('names no events');
    },
    { JOBS_WORKER_LOST_MS: '2000' },
  );
});
beforeEach(async () => {
  await until(async () => (await background.count('graphile_worker.jobs WHERE locked_by IS NOT NULL')) === 0);
  await background.larder.sql.query('DELETE FROM graphile_worker._private_jobs');
  [heard, unbearable] = [[], new Set()];
});
afterAll(async () => {
  await verify(background.larder.sql);
  await background.close();
});

/** News about these things, in this order. Returns their ids. */
async function happen(things: string[], at = 'now()'): Promise<number[]> {
  const { rows } = await background.larder.sql.query<{ id: string }>(
    `INSERT INTO outbox_events (store_id, aggregate_type, aggregate_id, type, payload, created_at)
     SELECT $1, 'test', thing, 'test.happened', '{}', ${at} FROM unnest($2::uuid[]) WITH ORDINALITY AS t (thing, n) ORDER BY n
     RETURNING id`,
    [background.store.id, things],
  );
  return rows.map(({ id }) => Number(id));
}
const heardBy = (name: string) => heard.filter(({ by }) => by === name).map(({ event }) => event.id);

describe('What happened', () => {
  it('is told to each subscriber of its kind, in the context of its store, once', async () => {
    const customer = await background.make.user(background.store);
    const variantId = await background.make.variant(background.store);
    const order = await background.larder.http
      .post('/api/orders')
      .set('authorization', customer.bearer)
      .set('idempotency-key', freshKey())
      .send(orderOf([{ variantId, quantity: 1 }]))
      .expect(201);
    await background.larder.http
      .patch(`/api/orders/${order.body.id}`)
      .set('authorization', customer.bearer)
      .send({ status: 'CANCELLED' })
      .expect(200);
    await until(() => heard.length === 3);
    await until(async () => (await background.count('outbox_events WHERE published_at IS NULL')) === 0);
    const told = heard.map(({ by, event, store }) => [by, event.type, event.aggregateId, store]).sort();
    const { id: store } = background.store;
    expect(told).toEqual([
      ['orders', 'order.cancelled', order.body.id, store],
      ['orders', 'order.placed', order.body.id, store],
      ['placed', 'order.placed', order.body.id, store],
    ]);
    expect(heard[0]?.event).toMatchObject({ aggregateType: 'order', payload: { orderId: order.body.id } });
    expect(new Date(heard[0]?.event.createdAt ?? '').getTime()).toBeGreaterThan(Date.now() - 60_000);
  });

  it('is told to a subscriber that only other instances know, by a job that waits for them', async () => {
    await background.larder.sql.query(
      `INSERT INTO outbox_subscribers (name, events, seen_at) VALUES ('elsewhere', '{test.happened}', now())`,
    );
    await happen([newId()]);
    await until(() => heardBy('hasty').length === 1);
    expect(await background.count(`graphile_worker.jobs WHERE task_identifier = 'outbox.elsewhere'`)).toBe(1);
    await background.larder.sql.query(`DELETE FROM outbox_subscribers WHERE name = 'elsewhere'`);
  });

  it('is handed over whole or not at all', async () => {
    const client = await background.larder.sql.connect();
    const [id] = await happen([newId()]);
    await client.query('BEGIN');
    await client.query('UPDATE outbox_events SET published_at = NULL WHERE id = $1', [id]);
    const { rows } = await client.query('SELECT events, jobs FROM relay_outbox(10)');
    expect(rows).toEqual([{ events: 1, jobs: 2 }]);
    await client.query('ROLLBACK');
    client.release();
    await until(() => heard.length >= 2);
    await until(async () => (await background.count('graphile_worker.jobs')) === 0);
    expect(heard.map(({ event }) => event.id)).toEqual([id, id]);
  });

  it('is handed over once by however many relays, and heard in the order of what happened to a thing', async () => {
    const things = Array.from({ length: 20 }, newId);
    const ids = await happen(Array.from({ length: 400 }, (_, n) => things[n % things.length] ?? ''));
    const relays = Array.from({ length: 5 }, async () => {
      for (let n = 0; n < 10; n++) await background.larder.sql.query('SELECT relay_outbox(30)');
    });
    await Promise.all(relays);
    await until(() => heard.length >= 2 * ids.length, 30_000);
    await until(async () => (await background.count('graphile_worker.jobs')) === 0);
    expect(heardBy('hasty').sort((a, b) => a - b)).toEqual(ids);
    for (const thing of things) {
      const order = heard.filter(({ by, event }) => by === 'orderly' && event.aggregateId === thing);
      expect(order.map(({ event }) => event.id)).toEqual(ids.filter((_, n) => things[n % things.length] === thing));
    }
  });
});

describe('A subscriber that asked for order', () => {
  it('hears nothing more of a thing until it has borne what came before, and of other things meanwhile', async () => {
    const [one, other] = [newId(), newId()];
    const ids = await happen([one, one, other, one]);
    unbearable = new Set([ids[1] ?? 0]);
    await until(() => heardBy('orderly').length === 2 && heardBy('hasty').length === 3);
    expect(new Set(heardBy('orderly'))).toEqual(new Set([ids[0], ids[2]]));
    await until(
      async () => (await background.count(`graphile_worker.jobs WHERE attempts > 0 AND locked_by IS NULL`)) === 2,
    );
    unbearable.clear();
    await until(async () => {
      await background.hurry();
      return heardBy('orderly').length === 4;
    });
    expect(heardBy('orderly').slice(2)).toEqual([ids[1], ids[3]]);
  });

  it('goes on when what came before is dead', async () => {
    const thing = newId();
    const ids = await happen([thing, thing]);
    unbearable = new Set([ids[0] ?? 0]);
    await until(() => heardBy('hasty').length === 1);
    await until(
      async () => (await background.count(`graphile_worker.jobs WHERE attempts > 0 AND locked_by IS NULL`)) === 2,
    );
    await background.larder.sql.query(
      'UPDATE graphile_worker._private_jobs SET max_attempts = attempts WHERE attempts > 0',
    );
    // The next job to fail for good makes the worker look for the dead.
    await background.larder.sql.query('SELECT bury_dead_jobs()');
    await until(() => heardBy('orderly').length === 1);
    expect(heardBy('orderly')).toEqual([ids[1]]);
    expect(await background.count('dead_jobs')).toBe(2);
    await background.larder.sql.query('DELETE FROM dead_jobs');
  });
});

describe('The outbox', () => {
  it('tells how much waits in it, and how long', async () => {
    await background.larder.sql.query(
      `UPDATE job_schedules SET running_by = 'nobody', running_since = now() WHERE name = 'outbox.relay'`,
    );
    await happen([newId(), newId()], `now() - interval '90 seconds'`);
    await until(async () => (await sumOfMetric(background.larder, 'larder_outbox_pending')) === 2);
    expect(await sumOfMetric(background.larder, 'larder_outbox_oldest_seconds')).toBeGreaterThanOrEqual(90);
    await background.larder.sql.query(`UPDATE job_schedules SET running_by = NULL WHERE name = 'outbox.relay'`);
    await until(() => heard.length === 4);
  });

  it('keeps what was handed over for a month, and what was not for ever', async () => {
    await happen([newId(), newId(), newId()]);
    await until(async () => (await background.count('outbox_events WHERE published_at IS NULL')) === 0);
    await background.larder.sql.query(
      `UPDATE outbox_events SET published_at = now() - interval '31 days' WHERE type = 'test.happened'`,
    );
    const kept =
      (await background.count('outbox_events')) -
      (await background.count(`outbox_events WHERE type = 'test.happened'`));
    const [waiting] = await happen([newId()], `now() - interval '31 days'`);
    await background.larder.sql.query(`UPDATE job_schedules SET due_at = now() WHERE name = 'outbox.clean'`);
    await until(
      async () => (await background.count(`outbox_events WHERE published_at < now() - interval '1 day'`)) === 0,
    );
    expect(await background.count('outbox_events WHERE id = $1', [waiting])).toBe(1);
    expect(await background.count('outbox_events')).toBe(kept + 1);
  });
});
