import { expect } from '@jest/globals';
import { startApp, type TestApp } from '../support/app.js';
import { Factory, type TestStore, type TestUser } from '../support/factories.js';

export const RECEIPT = { delta: 5, reason: 'RECEIPT' };

/** Two stores, people of the first, and what a test of the stock does over and over. */
export class InventoryScene {
  private constructor(
    readonly larder: TestApp,
    readonly factory: Factory,
    readonly store: TestStore,
    readonly other: TestStore,
    readonly users: Record<'manager' | 'support' | 'customer' | 'agent', TestUser>,
  ) {}

  static async open(): Promise<InventoryScene> {
    const larder = await startApp();
    const factory = new Factory(larder.sql);
    const store = await factory.store('demo');
    return new InventoryScene(larder, factory, store, await factory.store('other'), {
      manager: await factory.user(store, 'MANAGER'),
      support: await factory.user(store, 'SUPPORT'),
      customer: await factory.user(store),
      agent: await factory.user(store, 'AGENT'),
    });
  }

  variant(onHand = 1000): Promise<string> {
    return this.factory.variant(this.store, { onHand });
  }

  level(variantId: string) {
    return this.get(`/${variantId}`);
  }

  movements(variantId: string, query = '') {
    return this.get(`/${variantId}/movements${query}`);
  }

  list(query = '') {
    return this.get(query);
  }

  adjust(variantId: string, body: object, { user = this.users.manager, key }: { user?: TestUser; key?: string } = {}) {
    const request = this.larder.http.post(`/api/inventory/${variantId}/adjustments`).set('authorization', user.bearer);
    return (key ? request.set('idempotency-key', key) : request).send(body);
  }

  /** Checks, at the end of each file, that what is on hand is what the movements say. */
  async close(): Promise<void> {
    const { rows } = await this.larder.sql.query(
      `SELECT s.variant_id, s.on_hand, coalesce(sum(m.delta), 0)::int AS moved
         FROM stock_levels s LEFT JOIN stock_movements m USING (store_id, variant_id)
        GROUP BY s.store_id, s.variant_id
       HAVING s.on_hand <> coalesce(sum(m.delta), 0)`,
    );
    await this.larder.close();
    expect(rows).toEqual([]);
  }

  private get(path: string) {
    return this.larder.http.get(`/api/inventory${path}`).set('authorization', this.users.support.bearer);
  }
}
