import { describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { Background, until } from '../support/background.js';
import { freshKey } from '../support/factories.js';
import { orderOf } from '../support/shop.js';

describe('In the role of', () => {
  it('a worker, Larder does jobs, answers probes and scrapes, and knows no other route', async () => {
    let done = 0;
    const background = await Background.open((jobs) => jobs.handle('test.work', () => Promise.resolve(void done++)), {
      LARDER_ROLE: 'worker',
    });
    try {
      const { http, sql } = background.larder;
      await background.enqueue('test.work', {});
      await until(() => done === 1);
      for (const path of [
        '/health/live',
        '/health/ready',
        '/health/startup',
        '/health/db',
        '/health/pool',
        '/metrics',
      ]) {
        await http.get(path).expect(200);
      }
      const admin = await background.make.user(background.store, 'ADMIN');
      const paths = [
        '/api/products',
        '/api/orders',
        '/api/auth/me',
        '/api/admin/jobs/dead',
        '/docs',
        '/docs-json',
        '/no',
      ];
      for (const path of [...paths, '/health', '/healthy', '/metrics/x', '/api/health/live', '//metrics']) {
        const { body } = await http.get(path).set('authorization', admin.bearer).expect(404);
        expect(body).toMatchObject({ code: 'ROUTE_NOT_FOUND', statusCode: 404 });
      }
      const login = { email: admin.email, password: 'larder-demo' };
      await http.post('/api/auth/login').send(login).expect(404);
      const { rows } = await sql.query('SELECT count(*)::int FROM job_workers');
      expect(rows).toEqual([{ count: 1 }]);
    } finally {
      await background.close();
    }
  });

  it('an API, it enqueues jobs and does none; an order adds no job, only its event', async () => {
    const background = await Background.open(
      (jobs) => jobs.handle('test.work', () => Promise.reject(new Error('must not run'))),
      { LARDER_ROLE: 'api' },
    );
    try {
      await background.enqueue('test.work', {});
      const customer = await background.make.user(background.store);
      const variantId = await background.make.variant(background.store);
      await background.larder.http
        .post('/api/orders')
        .set('authorization', customer.bearer)
        .set('idempotency-key', freshKey())
        .send(orderOf([{ variantId, quantity: 1 }]))
        .expect(201);
      await sleep(2500);
      const { rows } = await background.larder.sql.query('SELECT task_identifier, attempts FROM graphile_worker.jobs');
      expect(rows).toEqual([{ task_identifier: 'test.work', attempts: 0 }]);
      expect(await background.count('outbox_events WHERE published_at IS NULL')).toBe(1);
      expect(await background.count('job_workers')).toBe(0);
      expect(await background.count('job_schedules')).toBe(0);
    } finally {
      await background.close();
    }
  });
});
